"""What the benchmarks share: models, a machine description, statistics, tables, results files."""

import json
import pathlib
import platform
import random
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
TACHOSTAT = BUILD / "src/cli/tachostat"
WORK = ROOT / "bench/work"
RESULTS = ROOT / "bench/results"


def tachostat(*arguments):
    """What the program printed as JSON, and whether its answer was yes (1: the answer is no)."""
    done = subprocess.run([TACHOSTAT, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"bench: tachostat {arguments[0]}: {done.stderr}")
    return done.returncode, json.loads(done.stdout)


def bucket_of(value):
    """The histogram's bucket (docs/design/profile-format.md, Time)."""
    value = int(value)
    if value < 32:
        return value
    shift = value.bit_length() - 6
    return 32 * (shift + 1) + (value >> shift) - 32


def wheel_file(path):
    """A file of an installed wheel, in .venv or where this Python looks; empty where it is not installed."""
    for place in [*(ROOT / ".venv").glob("lib/python3*/site-packages"), *map(pathlib.Path, sys.path)]:
        if (place / path).exists():
            return str(place / path)
    return ""


def rapidocr_model(stem):
    """A model of the installed rapidocr wheel."""
    return wheel_file(f"rapidocr/models/{stem}.onnx") or sys.exit(f"bench: no {stem}.onnx in .venv: run ./run build first")


def made_once(name, make):
    """The path of bench/work/NAME, which `make(path)` writes where it is missing; a run that is cut short leaves none."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / name
    if not path.exists():
        partial = path.with_name(f"partial-{name}")
        make(partial)
        partial.rename(path)
    return str(path)


def recogniser():
    return rapidocr_model("PP-OCRv6_rec_small")


def identity_model(elements):
    """y = x + 0, so that nothing but serving costs; an IR file in bench/work."""
    import numpy as np
    import openvino as ov
    from openvino import opset13

    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / f"identity_{elements}.xml"
    if not path.exists():
        x = opset13.parameter([1, elements], np.float32, name="x")
        # A Relu over positive inputs gives them back; the engine cannot fold it away.
        y = opset13.relu(x, name="y")
        y.output(0).set_names({"y"})
        ov.save_model(ov.Model([y], [x], f"identity_{elements}"), str(path), compress_to_fp16=False)
    return str(path)


def cores():
    import os

    return len(os.sched_getaffinity(0))


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "")
    import os

    return {
        "processor": cpu,
        "cores": os.cpu_count(),
        "isa": [name for name in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile") if f" {name}" in flags],
        "kernel": platform.release(),
    }


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def interval(values, seed=1, samples=2000, level=0.95):
    """Bootstrap interval of the median."""
    pick = random.Random(seed)
    medians = sorted(statistics.median(pick.choices(values, k=len(values))) for _ in range(samples))
    tail = (1 - level) / 2
    return medians[int(tail * samples)], medians[int((1 - tail) * samples) - 1]


def table(headers, rows):
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [headers, *rows]) for i in range(len(headers))]
    for row in [headers, ["-" * w for w in widths], *rows]:
        print("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))))


def write_results(name, command, rows, **more):
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), "command": command, "rows": rows, **more}, indent=1) + "\n")
    print(f"written: {path.relative_to(ROOT)}\n")


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
