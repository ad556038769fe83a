"""Do expected gains come true? For each finding on real models whose remedy can be applied here, it is applied and measured, interleaved with the
model as it was: does the expected interval hold the realised gain?"""

import random
import statistics

import common
import planted_models
import quantised

PAIRS = 5


def tachostat(command, model, flags):
    return common.tachostat(command, "--json", model, *flags)[1]


def cost(document, objective):
    """Nanoseconds of one inference, or of processors (a thread each) for one."""
    requests = document["requests"]
    # The middle of a run: single hiccups of a shared machine are not the model's.
    time = requests["p50_ns"]
    return time * document["threads"] if objective == "throughput" else time


def remedies(finding, model, flags, shape):
    """What can be done here about a finding: (what, model, flags) of each."""
    kinds = {remedy["kind"]: remedy.get("settings", {}) for remedy in finding["remedies"]}
    if "static-shapes" in kinds and "--static" not in flags:
        yield "static shapes", model, [*flags, "--static"]
    if "threads-and-streams" in kinds and finding["objective"] == "throughput":
        yield "a stream for each core", model, [*flags, "--threads", common.cores(), "--streams", common.cores()]
    if "quantise" in kinds and not str(model).endswith("_int8.xml") and shape:
        yield "int8 by NNCF", quantised.int8_of(model, shape), flags


def measure(model, flags, other_model, other_flags, objective, seed):
    """Realised gains of `other`, one of each pair."""
    pick = random.Random(seed)
    gains = []
    for _ in range(PAIRS):
        order = [(0, model, flags), (1, other_model, other_flags)]
        pick.shuffle(order)
        found = {}
        for side, path, arguments in order:
            found[side] = cost(tachostat("profile", path, [*arguments, "--depth", "layers"]), objective)
        gains.append(1 - found[1] / found[0])
    return gains


def zoo():
    """(name, model, flags, shape for calibration)"""
    detector = common.rapidocr_model("PP-OCRv6_det_small")
    classifier = common.rapidocr_model("ch_ppocr_mobile_v2.0_cls_mobile")
    some, more, many = ["--requests", 20], ["--requests", 60], ["--requests", 300]
    return [
        ("recogniser 48×320", common.recogniser(), ["--shape", "x[1,3,48,320]", *more], [1, 3, 48, 320]),
        ("recogniser 48×96", common.recogniser(), ["--shape", "x[1,3,48,96]", *more], None),
        ("detector 640×640", detector, ["--shape", "x[1,3,640,640]", *some], [1, 3, 640, 640]),
        ("detector 224×224", detector, ["--shape", "x[1,3,224,224]", *more], None),
        ("direction classifier", classifier, ["--shape", "x[1,3,48,192]", *many], [1, 3, 48, 192]),
        ("recogniser 48×320, one thread", common.recogniser(), ["--shape", "x[1,3,48,320]", "--threads", 1, *more], [1, 3, 48, 320]),
        ("direction classifier, one thread", classifier, ["--shape", "x[1,3,48,192]", "--threads", 1, *many], [1, 3, 48, 192]),
        ("open shapes", planted_models.open_shapes(), ["--shape", "x[1,16,16,16]", "--threads", 1, *many], None),
        ("tiny layers", planted_models.tiny_layers(), many, None),
        ("dense convolutions", planted_models.dense(), more, [1, 128, 56, 56]),
    ]


def scatter(rows):
    """Expected against realised, a line of text each: `[` low, `]` high, `*` realised, from -20 % to 80 %."""
    width = 60
    place = lambda gain: max(0, min(width - 1, round((gain + 0.2) * width)))
    for r in rows:
        line = [" "] * width
        line[place(0)] = "|"
        for at in range(place(r["expected_low"]), place(r["expected_high"]) + 1):
            line[at] = "-"
        line[place(r["expected_low"])], line[place(r["expected_high"])] = "[", "]"
        line[place(r["realised"])] = "*"
        print(f"{r['model'][:32]:32} {r['rule'][:28]:28} {''.join(line)}")


def main():
    rows = []
    for name, model, flags, shape in zoo():
        common.progress(name)
        # Findings that share a remedy share its gain: what they promise of it is added up.
        tries = {}
        for finding in tachostat("diagnose", model, flags)["findings"]:
            for what, other, changed in remedies(finding, model, flags, shape):
                tries.setdefault((what, finding["objective"]), (other, changed, []))[2].append(finding)
        for (what, objective), (other, changed, findings) in tries.items():
            gains = measure(model, flags, other, changed, objective, seed=len(rows))
            low, high = common.interval(gains)
            realised = statistics.median(gains)
            expected = [sum(finding[name] for finding in findings) for name in ("gain_low", "gain_high")]
            rows.append({"model": name, "rule": " + ".join(finding["rule"] for finding in findings), "remedy": what, "objective": objective,
                         "expected_low": expected[0], "expected_high": expected[1], "realised": realised, "realised_low": low, "realised_high": high,
                         "holds": expected[0] <= realised <= expected[1], "overlaps": low <= expected[1] and high >= expected[0]})
    common.progress("")
    common.table(["model", "finding", "remedy", "of", "expected", "realised (95 %)", "held", "overlaps"],
                 [[r["model"], r["rule"], r["remedy"], r["objective"], f"{100 * r['expected_low']:.1f}–{100 * r['expected_high']:.1f} %",
                   f"{100 * r['realised']:.1f} % ({100 * r['realised_low']:.1f}–{100 * r['realised_high']:.1f})", "yes" if r["holds"] else "no",
                   "yes" if r["overlaps"] else "no"] for r in rows])
    print()
    scatter(rows)
    held = sum(r["holds"] for r in rows)
    print(f"\nthe expected interval holds the realised gain in {held} of {len(rows)} ({100 * held / max(1, len(rows)):.0f} %); "
          f"the two intervals overlap in {sum(r['overlaps'] for r in rows)}")
    common.write_results("gains", "./run bench gains", rows, held=held)
