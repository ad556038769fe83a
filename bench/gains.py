"""Do expected gains come true? For each finding on real models whose remedy can be applied here, it is applied, and the model as it was and as it
is then are timed against each other in one process (variant_ratio.cc): does the expected interval hold the realised gain?

The rules were mended on the models of one half ("tuned"); those of the other ("holdout") were only ever measured on processors without an integer
dot product. On one with VNNI the peak of integers was mended with both halves in view."""

import json
import os
import random
import statistics
import subprocess
import time

import common
import holdout_models
import planted_models
import quantised

SECONDS = 16
LOADS = 4
# Other processes make an inference longer, never shorter, so the lower quarter is what the model itself takes.
QUANTILE = 0.25
# Of the processors, by others, while a model is diagnosed; and how long to wait for so quiet a machine.
BUSY, PATIENCE_S = 0.25, float(os.environ.get("GAINS_PATIENCE_S", 120))


def busy_share(seconds=0.3):
    """Of all processors, by whom ever."""

    def look():
        ticks = [int(word) for word in open("/proc/stat").readline().split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]

    total, idle = look()
    time.sleep(seconds)
    more_total, more_idle = look()
    return 1 - (more_idle - idle) / max(1, more_total - total)


def wait_for_quiet():
    """Whether it came; what is diagnosed beside other processes is their doing too."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if max(busy_share(), busy_share()) < BUSY:
            return True
        time.sleep(0.5)
    return False


def remedies(finding, case):
    """What can be done here about a finding: (what, path of the model, members of the variant)."""
    name, path, shapes, variant = case["name"], case["path"], case["shapes"], case["variant"]
    kinds = {remedy["kind"]: remedy.get("settings", {}) for remedy in finding["remedies"]}
    if "static-shapes" in kinds and "shapes" not in variant:
        yield "static shapes", path, {**variant, "shapes": shapes}
    if "threads-and-streams" in kinds and finding["objective"] == "throughput":
        yield "a stream for each core", path, {**variant, "threads": common.cores(), "streams": common.cores()}
    if "quantise" in kinds and case["integers"]:
        yield "int8 by NNCF", quantised.int8_of(path, next(iter(shapes.values()))), variant


def diagnose(case, requests):
    flags = ["--requests", requests]
    for name, shape in case["shapes"].items():
        flags += ["--shape", f"{name}[{','.join(map(str, shape))}]"]
    for member in ("threads", "streams"):
        if member in case["variant"]:
            flags += [f"--{member}", case["variant"][member]]
    return common.tachostat("diagnose", "--json", case["path"], *flags)[1]["findings"]


def processors(variant):
    """That one inference has for itself."""
    return (variant.get("threads") or common.cores()) / variant.get("streams", 1)


def measure(case, path, variant, objective):
    """Realised gain with its 95 % interval."""
    done = subprocess.run([common.BUILD / "bench/variant_ratio", case["path"], json.dumps(case["variant"]), path, json.dumps(variant),
                           json.dumps(case["shapes"]), str(LOADS), str(SECONDS)], check=True, capture_output=True, text=True)
    pairs = json.loads(done.stdout)["pairs"]
    scale = processors(variant) / processors(case["variant"]) if objective == "throughput" else 1

    def gain(chosen):
        base, other = (common.quantile([one for pair in chosen for one in pair[side]], QUANTILE) for side in (0, 1))
        return 1 - scale * other / base

    pick = random.Random(1)
    gains = sorted(gain(pick.choices(pairs, k=len(pairs))) for _ in range(400))
    return gain(pairs), gains[9], gains[-10], len(pairs)


def zoo():
    """What the rules were mended on."""
    detector = common.rapidocr_model("PP-OCRv6_det_small")
    classifier = common.rapidocr_model("ch_ppocr_mobile_v2.0_cls_mobile")
    some, more, many = 20, 60, 300
    one = {"threads": 1}

    def case(name, path, shapes, requests, variant=None, integers=False):
        return {"name": name, "path": str(path), "shapes": shapes, "variant": variant or {}, "requests": requests, "integers": integers, "half": "tuned"}

    return [
        case("recogniser 48×320", common.recogniser(), {"x": [1, 3, 48, 320]}, more, integers=True),
        case("recogniser 48×96", common.recogniser(), {"x": [1, 3, 48, 96]}, more),
        case("detector 640×640", detector, {"x": [1, 3, 640, 640]}, some, integers=True),
        case("detector 224×224", detector, {"x": [1, 3, 224, 224]}, more),
        case("direction classifier", classifier, {"x": [1, 3, 48, 192]}, many, integers=True),
        case("recogniser 48×320, one thread", common.recogniser(), {"x": [1, 3, 48, 320]}, more, one, integers=True),
        case("direction classifier, one thread", classifier, {"x": [1, 3, 48, 192]}, many, one, integers=True),
        case("open shapes", planted_models.open_shapes(), {"x": [1, 16, 16, 16]}, many, one),
        case("tiny layers", planted_models.tiny_layers(), {"x": [1, 8, 16, 16]}, many),
        case("dense convolutions", planted_models.dense(), {"x": [1, 128, 56, 56]}, more, integers=True),
    ]


def scatter(rows):
    """Expected against realised, a line of text each: `[` low, `]` high, `*` realised, from -60 % to 80 %."""
    width = 70
    place = lambda gain: max(0, min(width - 1, round((gain + 0.6) / 1.4 * (width - 1))))
    lines = []
    for r in rows:
        line = [" "] * width
        line[place(0)] = "|"
        for at in range(place(r["expected_low"]), place(r["expected_high"]) + 1):
            line[at] = "-"
        line[place(r["expected_low"])], line[place(r["expected_high"])] = "[", "]"
        line[place(r["realised"])] = "*"
        lines.append(f"{r['model'][:32]:32} {r['rule'][:28]:28} {''.join(line)}".rstrip())
    return lines


def try_case(case):
    """Findings that share a remedy share its gain: what they promise of it is added up."""
    quiet = wait_for_quiet()
    tries = {}
    for finding in diagnose(case, case["requests"]):
        for what, path, variant in remedies(finding, case):
            tries.setdefault((what, finding["objective"]), (path, variant, []))[2].append(finding)
    for (what, objective), (path, variant, findings) in tries.items():
        realised, low, high, pairs = measure(case, path, variant, objective)
        expected = [sum(finding[name] for finding in findings) for name in ("gain_low", "gain_high")]
        yield {"half": case["half"], "model": case["name"], "rule": " + ".join(finding["rule"] for finding in findings), "remedy": what,
               "objective": objective, "expected_low": expected[0], "expected_high": expected[1], "realised": realised, "realised_low": low,
               "realised_high": high, "pairs": pairs, "quiet": quiet, "holds": expected[0] <= realised <= expected[1],
               "overlaps": low <= expected[1] and high >= expected[0]}


def main():
    rows = []
    only = os.environ.get("GAINS_ONLY", "")
    for case in [*zoo(), *holdout_models.cases()]:
        if only not in f"{case['half']} {case['name']}":
            continue
        common.progress(case["name"])
        rows += try_case(case)
    common.progress("")
    as_percent = lambda low, high: f"{100 * low:.1f} to {100 * high:.1f} %"
    common.table(["model", "half", "finding", "remedy", "of", "expected", "realised (95 %)", "held", "overlaps"],
                 [[r["model"], r["half"], r["rule"], r["remedy"], r["objective"], as_percent(r["expected_low"], r["expected_high"]),
                   f"{100 * r['realised']:.1f} % ({as_percent(r['realised_low'], r['realised_high'])})", "yes" if r["holds"] else "no",
                   "yes" if r["overlaps"] else "no"] for r in rows])
    lines = scatter(rows)
    print("", *lines, "", sep="\n")
    figures = {}
    for half in ("tuned", "holdout"):
        of = [r for r in rows if r["half"] == half]
        figures[half] = {"held": sum(r["holds"] for r in of), "of": len(of)}
        print(f"{half}: the expected interval holds the realised gain in {figures[half]['held']} of {len(of)} "
              f"({100 * figures[half]['held'] / max(1, len(of)):.0f} %); the two intervals overlap in {sum(r['overlaps'] for r in of)}; "
              f"the expected ones are {100 * statistics.median([r['expected_high'] - r['expected_low'] for r in of] or [0]):.0f} points wide in the middle")
    if not only:
        common.write_results("gains", "./run bench gains", rows, scatter=lines, **figures)
