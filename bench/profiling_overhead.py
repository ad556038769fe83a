"""What profiling costs a request: off, sampled (0.5 % budget) and always on, interleaved in one process.

Ratios are of blocks that stand beside each other, so that a machine's slow drift cancels; the median over the rounds is
given with its 95 % bootstrap interval. `off/off` compares even with odd rounds of the same mode: the noise of this machine.
"""

import json
import statistics
import subprocess

import common

CASES = [
    (common.recogniser, "x=1,3,48,320", 240, 5),
    (lambda: common.rapidocr_model("ch_ppocr_mobile_v2.0_cls_mobile"), "x=1,3,48,192", 400, 20),
    (lambda: common.identity_model(1024), "", 400, 200),
]


def ratios(blocks, mode, statistic):
    return [statistic(block[mode]) / statistic(block["off"]) for block in blocks]


def summarise(case):
    blocks = case["blocks"]
    off = [t for block in blocks for t in block["off"]]
    row = {"model": case["model"], "layers": case["layers"], "requests_per_mode": len(off),
           "off_median_ms": statistics.median(off), "off_p99_ms": common.quantile(off, 0.99),
           "nanoseconds_per_span": case["nanoseconds_per_span"], "dropped_spans": case["dropped_spans"]}
    medians = [statistics.median(block["off"]) for block in blocks]
    row["noise_ratio"] = statistics.median(b / a for a, b in zip(medians[::2], medians[1::2]))
    for mode in ("sampled", "always"):
        each = ratios(blocks, mode, statistics.median)
        row[f"{mode}_median_ratio"] = statistics.median(each)
        row[f"{mode}_median_interval"] = common.interval(each)
        pooled = [t for block in blocks for t in block[mode]]
        row[f"{mode}_p99_ratio"] = common.quantile(pooled, 0.99) / row["off_p99_ms"]
    return row


def main():
    rows = []
    for model, shape, rounds, requests in CASES:
        path = model()
        common.progress(f"profiling_overhead: {path}")
        out = subprocess.run([common.BUILD / "bench/profiling_overhead", path, shape, str(rounds), str(requests)],
                             check=True, capture_output=True, text=True)
        rows.append(summarise(json.loads(out.stdout)))
    common.progress("")
    print("Profiling overhead: latency against profiling off")
    common.table(
        ["model", "layers", "off median", "sampled", "95 %", "p99", "always", "95 %", "p99", "off/off"],
        [[r["model"], r["layers"], f"{r['off_median_ms']:.3f} ms",
          f"{r['sampled_median_ratio']:.4f}", "{:.4f}–{:.4f}".format(*r["sampled_median_interval"]),
          f"{r['sampled_p99_ratio']:.3f}",
          f"{r['always_median_ratio']:.4f}", "{:.4f}–{:.4f}".format(*r["always_median_interval"]),
          f"{r['always_p99_ratio']:.3f}", f"{r['noise_ratio']:.4f}"] for r in rows])
    common.write_results("profiling_overhead", "./run bench profiling_overhead", rows)
