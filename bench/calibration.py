"""How far one calibration is from the next: ten in a row, each in a process of its own and a cache of its own.

The spread of a figure is (largest - smallest) / median over the ten medians; "between quartiles" is the same of the middle
half. Peaks stand beside their theory, operations per cycle × cores × measured cycles per second, by the best repeat.
"""

import json
import os
import statistics
import subprocess
import tempfile

import common

RUNS = 10


def calibrate():
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run([common.TACHOSTAT, "machine", "--calibrate", "--json"], check=True, capture_output=True,
                              text=True, env={**os.environ, "XDG_CACHE_HOME": cache})
    return json.loads(done.stdout)["calibration"]


def summarise(figures):
    medians = sorted(figure["median"] for figure in figures)
    middle = statistics.median(medians)
    first = figures[0]
    row = {name: first[name] for name in ("group", "what", "how", "unit", "threads", "basis")}
    row |= {"runs": len(figures), "median": middle, "smallest": medians[0], "largest": medians[-1],
            "spread": (medians[-1] - medians[0]) / middle,
            "spread_between_quartiles": (common.quantile(medians, 0.75) - common.quantile(medians, 0.25)) / middle,
            "best": max(figure["best"] for figure in figures) if first["unit"] != "s" else min(figure["best"] for figure in figures)}
    shares = [figure["best"] / figure["theory"] for figure in figures if figure["theory"]]
    row["share_of_theory"] = statistics.median(shares) if shares else None
    return row


def amount(value, unit):
    if unit == "s":
        return f"{value * 1e6:.2f} us"
    return f"{value / 1e9:.1f} G{unit}"


def main():
    figures = {}
    seconds = []
    for run in range(RUNS):
        common.progress(f"calibration: {run + 1} of {RUNS}")
        calibration = calibrate()
        seconds.append(calibration["seconds"])
        for figure in calibration["figures"]:
            figures.setdefault(tuple(figure[name] for name in ("group", "what", "how", "threads")), []).append(figure)
    common.progress("")
    rows = [summarise(same) for same in figures.values()]
    print(f"Calibration, {RUNS} times, {statistics.median(seconds):.1f} s each")
    common.table(
        ["figure", "threads", "median", "spread", "quartiles", "best", "of theory"],
        [[f"{r['group']} {r['what']} {r['how']}", r["threads"], amount(r["median"], r["unit"]), f"{100 * r['spread']:.1f} %",
          f"{100 * r['spread_between_quartiles']:.1f} %", amount(r["best"], r["unit"]),
          f"{100 * r['share_of_theory']:.0f} %" if r["share_of_theory"] else ""] for r in rows])
    common.write_results("calibration", "./run bench calibration", rows, seconds=seconds)
