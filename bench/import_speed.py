"""How fast `tachostat import` reads a large PyTorch (Kineto) trace, and with how much memory at most.

The trace is made by this script in PyTorch's own spelling: steps of operators with input shapes, launches, kernels on two
streams, flows, memory events. Nothing of it is kept."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from common import TACHOSTAT, progress, table, write_results

SIZES_MB = [50, 100, 200]
BASE = 4662326540185.408  # microseconds; what PyTorch writes relative to its baseTimeNanoseconds
LAYERS = [
    ("aten::conv2d", [[1, 64, 56, 56], [64, 64, 3, 3], [64], [], [], [], []], ["aten::convolution", "aten::_convolution", "aten::cudnn_convolution"]),
    ("aten::batch_norm", [[1, 64, 56, 56], [64], [64], [64], [64], [], [], [], []], ["aten::_batch_norm_impl_index"]),
    ("aten::relu_", [[1, 64, 56, 56]], ["aten::clamp_min_"]),
    ("aten::linear", [[1, 2048], [1000, 2048], [1000]], ["aten::t", "aten::addmm"]),
]


def event(category, name, tid, ts, dur, args, pid=4242):
    return json.dumps({"ph": "X", "cat": category, "name": name, "pid": pid, "tid": tid, "ts": round(ts, 3), "dur": round(dur, 3), "args": args}, indent=1)


def step_events(step, ids):
    """One step's events, as text."""
    start = BASE + step * 2000
    yield event("user_annotation", f"ProfilerStep#{step}", 4242, start, 1990, {"External id": next(ids), "Ev Idx": 0})
    at = start + 5
    for name, dims, inner in LAYERS * 6:
        external = next(ids)
        shapes = {"Input Dims": dims, "Input type": ["float"] * len(dims), "Concrete Inputs": [""] * len(dims)}
        yield event("cpu_op", name, 4242, at, 60, {"External id": external, "Record function id": 0, **shapes, "Ev Idx": external})
        for depth, operator in enumerate(inner, 1):
            yield event("cpu_op", operator, 4242, at + depth, 58 - 2 * depth, {"External id": next(ids), "Record function id": 0, **shapes, "Ev Idx": 1})
        for launch in range(2):
            correlation = next(ids)
            begin = at + 10 + 12 * launch
            yield event("cuda_runtime", "cudaLaunchKernel", 4242, begin, 6, {"External id": external, "cbid": 211, "correlation": correlation})
            yield event(
                "kernel",
                "void cudnn::winograd_nonfused::winogradForwardFilter4x4<float, float>(cudnn::winograd_nonfused::Params)",
                7 + launch,
                begin + 200,
                9,
                {"External id": external, "queued": 0, "device": 0, "context": 1, "stream": 7 + launch, "correlation": correlation,
                 "registers per thread": 128, "shared memory": 13056, "blocks per SM": 0.72, "warps per SM": 2.9, "grid": [8, 12, 1],
                 "block": [128, 1, 1], "est. achieved occupancy %": 5},
                pid=0,
            )
            yield json.dumps({"ph": "s", "id": correlation, "pid": 4242, "tid": 4242, "ts": round(begin, 3), "cat": "ac2g", "name": "ac2g"})
            yield json.dumps({"ph": "f", "id": correlation, "pid": 0, "tid": 7 + launch, "ts": round(begin + 200, 3), "cat": "ac2g", "name": "ac2g", "bp": "e"})
        at += 80


def write_trace(path, megabytes):
    """Returns the number of events."""
    ids = iter(range(1, 1 << 60))
    events = 0
    with open(path, "w") as out:
        size = out.write('{\n"schemaVersion": 1,\n"deviceProperties": [],\n"baseTimeNanoseconds": 1790857026000000000,\n"traceEvents": [\n')
        step = 0
        while size < megabytes * 1e6:
            for text in step_events(step, ids):
                size += out.write(("" if events == 0 else ",\n") + text)
                events += 1
            step += 1
        out.write('\n],"traceName": "trace.json"}\n')
    return events


def measure(path, out):
    """Seconds and peak resident bytes of one import."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(TACHOSTAT), "import", str(path), "-o", str(out)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"bench: tachostat import {path} failed with status {status}")
    return time.perf_counter() - begin, usage.ru_maxrss * 1024


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for megabytes in SIZES_MB:
            progress(f"making a trace of {megabytes} MB")
            trace = folder / f"trace{megabytes}.json"
            events = write_trace(trace, megabytes)
            size = trace.stat().st_size
            runs = [measure(trace, folder / "profile.json") for _ in range(5)]
            seconds = sorted(run[0] for run in runs)[len(runs) // 2]
            rows.append({"megabytes": size / 1e6, "events": events, "seconds": seconds,
                         "seconds_per_100_megabytes": seconds / (size / 1e8), "peak_megabytes": max(run[1] for run in runs) / 1e6})
            trace.unlink()
    progress("")
    table(["trace", "events", "import", "per 100 MB", "peak memory"],
          [[f"{row['megabytes']:.0f} MB", f"{row['events']:,}", f"{row['seconds']:.2f} s", f"{row['seconds_per_100_megabytes']:.2f} s",
            f"{row['peak_megabytes']:.0f} MB"] for row in rows])
    write_results("import_speed", "./run bench import_speed", rows)
