"""What profiling costs a request, interleaved in one process per model: off, sampled (0.5 % budget), every request with its
layers, every request with its kernels, every request with what its layers count; beside OpenVINO's own profiler (PERF_COUNT) and ONNX Runtime's, each against itself off.

Ratios are of blocks that stand beside each other, so that a machine's slow drift cancels; the median over the rounds is
given with its 95 % bootstrap interval. `off/off` compares even with odd rounds of the same mode: the noise of this machine.
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time

import common

CASES = [
    (common.recogniser, "x=1,3,48,320", 160, 5),
    (lambda: common.rapidocr_model("PP-OCRv6_det_small"), "x=1,3,320,320", 80, 3),
    (lambda: common.rapidocr_model("ch_ppocr_mobile_v2.0_cls_mobile"), "x=1,3,48,192", 300, 20),
    (lambda: common.identity_model(1024), "", 400, 200),
]
MODES = [("sampled", "off"), ("layers", "off"), ("kernels", "off"), ("counters", "off"), ("openvino_on", "openvino_off")]


def summarise(case):
    blocks = case["blocks"]
    off = [t for block in blocks for t in block["off"]]
    row = {"model": case["model"], "layers": case["layers"], "requests_per_mode": len(off),
           "off_median_ms": statistics.median(off), "off_p99_ms": common.quantile(off, 0.99),
           "nanoseconds_per_span": case["nanoseconds_per_span"], "dropped_spans": case["dropped_spans"]}
    medians = [statistics.median(block["off"]) for block in blocks]
    row["noise_ratio"] = statistics.median(b / a for a, b in zip(medians[::2], medians[1::2]))
    for mode, against in MODES:
        if mode not in blocks[0]:  # no counters on this machine
            continue
        row[mode] = compare(blocks, mode, against)
    return row


def compare(blocks, mode, against):
    each = [statistics.median(block[mode]) / statistics.median(block[against]) for block in blocks]
    pooled = {name: [t for block in blocks for t in block[name]] for name in (mode, against)}
    return {"median_ratio": statistics.median(each), "median_interval": common.interval(each),
            "p99_ratio": common.quantile(pooled[mode], 0.99) / common.quantile(pooled[against], 0.99)}


def onnxruntime_blocks(path, shape, rounds, requests):
    """ONNX Runtime with its profiler off and on, in one process, interleaved."""
    import numpy as np
    import onnxruntime as ort

    with tempfile.TemporaryDirectory() as folder:
        sessions = {}
        for mode in ("off", "on"):
            options = ort.SessionOptions()
            options.intra_op_num_threads = common.cores()
            # Two sessions that spin would take the cores from each other.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            options.enable_profiling = mode == "on"
            options.profile_file_prefix = f"{folder}/profile"
            sessions[mode] = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        name, dims = shape.split("=")
        feed = {name: np.random.default_rng(1).random([int(d) for d in dims.split(",")], dtype=np.float32)}
        for session in sessions.values():
            for _ in range(requests):
                session.run(None, feed)
        pick = random.Random(1)
        blocks = []
        for _ in range(rounds):
            block = {}
            for mode in pick.sample(("off", "on"), 2):
                times = []
                for _ in range(requests):
                    begin = time.perf_counter()
                    sessions[mode].run(None, feed)
                    times.append((time.perf_counter() - begin) * 1e3)
                block[mode] = times
            blocks.append(block)
        sessions["on"].end_profiling()
        return blocks


def cell(row, mode):
    if mode not in row:
        return "-"
    result = row[mode]
    return "{:.4f} ({:.4f}–{:.4f})".format(result["median_ratio"], *result["median_interval"])


def main():
    rows = []
    for model, shape, rounds, requests in CASES:
        path = model()
        common.progress(f"profiling_overhead: {path}")
        out = subprocess.run([common.BUILD / "bench/profiling_overhead", path, shape, str(rounds), str(requests)],
                             check=True, capture_output=True, text=True)
        row = summarise(json.loads(out.stdout))
        if path.endswith(".onnx"):
            # In a process of its own, as the one above: threads of two runtimes would share the cores.
            code = (f"import json, profiling_overhead as p; "
                    f"print(json.dumps(p.onnxruntime_blocks({path!r}, {shape!r}, {max(rounds // 4, 30)}, {requests})))")
            out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True,
                                 cwd=common.ROOT / "bench")
            row["onnxruntime_on"] = compare(json.loads(out.stdout), "on", "off")
        rows.append(row)
    common.progress("")
    print("Profiling overhead: median latency ÷ the same with profiling off (95 %)")
    common.table(
        ["model", "off median", "sampled", "every request: layers", "layers, kernels", "layers, counters", "off/off",
         "OpenVINO's own", "ONNX Runtime's own"],
        [[r["model"], f"{r['off_median_ms']:.3f} ms", *(cell(r, mode) for mode in ("sampled", "layers", "kernels", "counters")),
          f"{r['noise_ratio']:.4f}", cell(r, "openvino_on"), cell(r, "onnxruntime_on")] for r in rows])
    common.write_results("profiling_overhead", "./run bench profiling_overhead", rows)
