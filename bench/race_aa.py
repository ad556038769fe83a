"""Does a race of equals have a winner? The optimiser's race, with recipes that do nothing: no variant may be declared faster, in 99 % of variants."""

import json
import os
import subprocess

import common

RACES = int(os.environ.get("RACES", 10))  # of each model


def main():
    classifier = common.rapidocr_model("ch_ppocr_mobile_v2.0_cls_mobile")
    cases = [("direction classifier", classifier, {"x": [1, 3, 48, 192]}), ("recogniser", common.recogniser(), {"x": [1, 3, 48, 320]})]
    rows = []
    for name, path, shapes in cases:
        common.progress(name)
        done = subprocess.run([common.BUILD / "bench/race_aa", path, json.dumps(shapes), str(RACES)], check=True, capture_output=True, text=True)
        races = json.loads(done.stdout)
        ratios = [ratio for race in races for ratio in race["ratios"]]
        rows.append({"model": name, "races": len(races), "variants": len(ratios), "races_with_a_winner": sum(race["said_faster"] for race in races),
                     "intervals_that_miss_1": sum(not low <= 1 <= high for _, low, high in ratios),
                     "widest": max(high / low for _, low, high in ratios)})
    common.progress("")
    common.table(["model", "races", "variants raced", "races with a winner", "95 % intervals that miss 1", "widest interval, high ÷ low"],
                 [[r["model"], r["races"], r["variants"], r["races_with_a_winner"], r["intervals_that_miss_1"], f"{r['widest']:.3f}"] for r in rows])
    common.write_results("race_aa", "./run bench race_aa", rows)
