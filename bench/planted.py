"""Does the diagnosis name the bottleneck that was planted, and nothing where there is none? Recorded profiles (planted_profiles.py), and models
that are built here and measured (planted_models.py), for which findings of the family "environment" are left out."""

import json
import tempfile
import pathlib

import common
import holdout_models
import planted_models
import planted_profiles
import quantised


def diagnose(*arguments):
    return common.tachostat("diagnose", "--json", *arguments)[1]["findings"]


def recorded(folder, document, baseline):
    """Findings about a profile that was written."""
    paths = {}
    for name, content in (("profile", document), ("baseline", baseline), ("roofline", planted_profiles.MACHINE)):
        paths[name] = folder / f"{name}.json"
        if content is not None:
            paths[name].write_text(json.dumps(content))
    more = ["--baseline", paths["baseline"]] if baseline is not None else []
    return diagnose(paths["profile"], "--roofline", paths["roofline"], *more)


def row(name, kind, expected, findings):
    rules = [finding["rule"] for finding in findings]
    right = rules[:1] == [expected] if expected else not rules
    gain = f"{100 * findings[0]['gain_low']:.1f}–{100 * findings[0]['gain_high']:.1f} %" if findings else ""
    return {"case": name, "kind": kind, "planted": expected or "nothing", "first": rules[0] if rules else "nothing", "others": rules[1:], "gain": gain, "right": right}


def healthy_models():
    """(name, arguments) of models near the integers' roof on one thread: nothing is left to say of them."""
    arguments = lambda path, shape: [quantised.int8_of(path, shape), "--threads", 1, "--static", "--requests", 40]
    picture = [1, 3, 224, 224]
    return [
        ("dense convolutions in int8", arguments(planted_models.dense(), [1, 128, 56, 56])),
        ("ResNet-50 in int8", arguments(holdout_models.resnet_50(), picture)),
        ("SqueezeNet in int8", arguments(holdout_models.squeezenet(), picture)),
    ]


def of_the_model(findings):
    """Without those of the machine: what its other tenants take is true, and no fault of a model that is measured here."""
    return [finding for finding in findings if finding["family"] != "environment"]


def main():
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for case, rule, document, baseline in planted_profiles.planted():
            rows.append(row(case, "recorded", rule, recorded(folder, document, baseline)))
        for case, document, baseline in planted_profiles.healthy():
            rows.append(row(case, "recorded", None, recorded(folder, document, baseline)))
    for case, rule, arguments in planted_models.cases():
        common.progress(case)
        rows.append(row(case, "measured", rule, of_the_model(diagnose(*arguments))))
    for case, arguments in healthy_models():
        common.progress(case)
        rows.append(row(case, "measured", None, of_the_model(diagnose(*arguments))))
    common.table(["case", "", "planted", "first", "expected gain", "others", ""],
                 [[r["case"], r["kind"], r["planted"], r["first"], r["gain"], ", ".join(r["others"]), "" if r["right"] else "WRONG"] for r in rows])
    with_cause = [r for r in rows if r["planted"] != "nothing"]
    without = [r for r in rows if r["planted"] == "nothing"]
    first = sum(r["right"] for r in with_cause)
    silent = sum(r["right"] for r in without)
    print(f"\nthe planted rule comes first in {first} of {len(with_cause)} ({100 * first / len(with_cause):.0f} %), "
          f"nothing is claimed in {silent} of {len(without)} healthy ones ({100 * silent / len(without):.0f} %)")
    common.write_results("planted", "./run bench planted", rows, first=first, planted=len(with_cause), silent=silent, healthy=len(without))
