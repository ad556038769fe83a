"""Tachostat against its peers on each model of the zoo: latency, throughput, accuracy and the time that tuning took, all in one run.

All systems of a model are loaded at once and measured in turns, in rounds of random order, on the same sample of its data: ONNX Runtime in a process
of its own (zoo_ort.py), the others in another (zoo_worker.cc). Peers are run as their documentation has it: default sessions, performance hints,
quantisation by its defaults, calibrated on the part of the data that `tachostat optimize` searches with. Accuracy is everyone's drop against
OpenVINO in f32 on the part that nothing was made or chosen with, by the optimiser's metric and bound.

ZOO_ONLY=words of models' names, with commas between, ZOO_BUDGET=4m for each search of Tachostat's, ZOO_ROUNDS=24, ZOO_NNCF_LIMIT_S=600. A run that
was interrupted goes on with the models that it had not done; `rm -r bench/work/zoo*` forgets all."""

import os
import re
import statistics
import sys

import common
import zoo_int8
import zoo_kept
import zoo_models
import zoo_rounds
from zoo_stage import LATENCY, THROUGHPUT, Stage, System
from zoo_workers import Died, Refused

SEED = 1  # of the data's parts
ROUNDS = int(os.environ.get("ZOO_ROUNDS", 24))
BUDGET = os.environ.get("ZOO_BUDGET", "4m")
SYSTEMS = ["ort", "ort int8", "openvino f32", "openvino default", "nncf", "nncf accuracy", "tachostat"]
DEFAULTS = ["ort", "openvino default"]
# What Tachostat is held against: the name in the results, and the system; None for the faster default.
RIVALS = {"best_default": None, "nncf": "nncf", "nncf_accuracy": "nncf accuracy"}
VERSION = 1  # of the measuring: raise it when kept rows would come out otherwise


def plain(path, f32=False):
    return {objective: {"model": str(path), "f32": f32, "throughput": objective == THROUGHPUT} for objective in (LATENCY, THROUGHPUT)}


def session(path):
    return {objective: {"model": str(path)} for objective in (LATENCY, THROUGHPUT)}


def tune(stage, case):
    """What every system runs, {name: System}, the seconds that it took to make, and what else is said of Tachostat's choice."""
    opened = stage.opened
    key = [opened["model_hash"], opened["data_hash"], opened["metric"], case["seed"], zoo_kept.versions()]
    systems = {"ort": System("ort", "onnxruntime", session(case["model"])),
               "openvino f32": System("openvino f32", "openvino", plain(case["model"], f32=True)),
               "openvino default": System("openvino default", "openvino", plain(case["model"]))}
    seconds = {name: 0 for name in systems}

    def samples_file():
        return (opened["search"], *stage.write_samples(opened["search"], "search"))

    for kind in zoo_int8.KINDS:
        common.progress(f"{case['name']}: {kind}")
        made = zoo_int8.made(kind, case, key, samples_file)
        seconds[kind] = made["tuning_s"]
        if "failed" in made:
            stage.failed[kind] = made["failed"]
        elif kind == "ort int8":
            systems[kind] = System(kind, "onnxruntime", session(made["path"]))
        else:
            systems[kind] = System(kind, "openvino", plain(made["path"]))
    common.progress(f"{case['name']}: tachostat optimize")
    tuned = zoo_kept.tuned(case, key, BUDGET)
    seconds["tachostat"] = tuned["tuning_s"]
    if "failed" in tuned:
        stage.failed["tachostat"] = tuned["failed"]
        return systems, seconds, {}
    picks = {objective: zoo_kept.chosen(tuned["report"], objective == THROUGHPUT) for objective in (LATENCY, THROUGHPUT)}
    systems["tachostat"] = System("tachostat", "openvino", {objective: {"variant": pick["variant"]} for objective, (pick, _) in picks.items()})
    said = {objective: {"name": pick["name"], "id": pick["id"], "proved": proved, "report": pick["report"]}
            for objective, (pick, proved) in picks.items()}
    return systems, seconds, said


def best_default(loads, objective):
    found = {name: zoo_rounds.middle(loads, name) for name in DEFAULTS}
    found = {name: value for name, value in found.items() if value is not None}
    return (min if objective == LATENCY else max)(found, key=found.get) if found else None


def figures(loads, objective):
    """The members of a row about one objective, and the logs of Tachostat's ratios to its rivals: above 0 where it is faster."""
    row, logs = {}, {}
    what = "speedup" if objective == LATENCY else "throughput_ratio"
    best = best_default(loads, objective)
    row[f"best_default_{objective}"] = best
    for name, system in RIVALS.items():
        rival = system or best
        over, under = (rival, "tachostat") if objective == LATENCY else ("tachostat", rival)
        logs[f"{what}_over_{name}"] = zoo_rounds.logs_of_ratios(loads, over, under)
    for name, of in logs.items():
        ratio = zoo_rounds.geometric_mean([of])
        row[name], row[f"{name}_interval"] = (ratio[0], ratio[1:]) if ratio else (None, None)
    return row, logs


def members(case, speeds, drops, seconds):
    """Of each system, None where there is none."""
    of = lambda found: {name: found(name) for name in SYSTEMS}
    return {"model": case["name"],
            "latency_ms": of(lambda name: zoo_rounds.middle(speeds[LATENCY], name)),
            "throughput": of(lambda name: zoo_rounds.middle(speeds[THROUGHPUT], name)),
            "accuracy_drop": of(lambda name: drops.get(name, {}).get("drop")),
            "accuracy_drop_bound": of(lambda name: drops.get(name, {}).get("bound")),
            "non_finite": of(lambda name: drops.get(name, {}).get("non_finite")),
            "tuning_s": of(seconds.get)}


def measure(stage, case, systems, seconds, said):
    """The model's row, and the logs of its ratios."""
    drops = stage.drops(list(systems.values()))
    speeds = {objective: stage.speeds(list(systems.values()), objective, ROUNDS) for objective in (LATENCY, THROUGHPUT)}
    row = {"metric": stage.opened["metric"], "shapes": stage.opened["shapes"],
           "samples": {part: len(stage.opened[part]) for part in ("search", "selection", "report")},
           "reference_score": statistics.fmean(next(iter(drops.values()))["reference"]) if drops else None,
           **members(case, speeds, drops, seconds), "failed": stage.failed, "tachostat": said, "rounds": ROUNDS, "loads": zoo_rounds.LOADS}
    logs = {}
    for objective, loads in speeds.items():
        found, more = figures(loads, objective)
        row |= found
        logs |= more
    return {**row, "logs": logs}


def row_of(case):
    """The model's row, with the logs of its ratios; a model that cannot be opened has a row that says so."""
    try:
        with Stage(case) as stage:
            systems, seconds, said = tune(stage, case)
            settings = [VERSION, ROUNDS, zoo_rounds.LOADS, zoo_rounds.BLOCK_S, zoo_kept.versions(), common.machine()]
            key = zoo_kept.short_hash([settings, zoo_kept.file_hash(common.BUILD / "bench/zoo_worker"), case, stage.opened, seconds, stage.failed,
                                       [[system.name, system.loads] for system in systems.values()]])
            return zoo_kept.row(case, key, lambda: measure(stage, case, systems, seconds, said))
    except (Died, Refused) as error:
        nothing = {LATENCY: [], THROUGHPUT: []}
        row = members(case, nothing, {}, {}) | {"failed": {name: str(error) for name in SYSTEMS}}
        return row | figures([], LATENCY)[0] | figures([], THROUGHPUT)[0] | {"logs": {}}


def show(rows):
    ratio = lambda row, name: f"{row[name]:.2f}× ({row[f'{name}_interval'][0]:.2f}–{row[f'{name}_interval'][1]:.2f})" if row.get(name) else "–"
    number = lambda value, digits=3: "–" if value is None else f"{value:.{digits}g}" if value < 100 else f"{value:.0f}"
    cell = lambda row, member, name: "failed" if name in row["failed"] else number(row.get(member, {}).get(name))
    for title, member, what in (("Milliseconds of one request", "latency_ms", "speedup"), ("Requests per second", "throughput", "throughput_ratio")):
        print(f"{title}; Tachostat against the faster engine's default, and against NNCF\n")
        names = [f"{what}_over_{rival}" for rival in RIVALS]
        common.table(["model", *SYSTEMS, "over best default", "over nncf", "over nncf accuracy"],
                     [[row["model"], *(cell(row, member, name) for name in SYSTEMS), *(ratio(row, name) for name in names)] for row in rows])
        print()
    percent = lambda row, name: "–" if row.get("accuracy_drop", {}).get(name) is None else \
        f"{100 * row['accuracy_drop'][name]:.2f} (≤ {100 * row['accuracy_drop_bound'][name]:.2f})"
    print("Drop of the metric against f32 on held-out samples, and its 95 % bound, in %\n")
    samples = lambda row: row.get("samples", {}).get("report", "")
    common.table(["model", "metric", "samples", *SYSTEMS],
                 [[row["model"], row.get("metric", ""), samples(row), *(percent(row, name) for name in SYSTEMS)] for row in rows])
    print("\nSeconds to tune\n")
    common.table(["model", *SYSTEMS], [[row["model"], *(cell(row, "tuning_s", name) for name in SYSTEMS)] for row in rows])
    print()
    for row in rows:
        for name, reason in row["failed"].items():
            print(f"{row['model']}, {name} failed: {reason}")
        for objective, said in row.get("tachostat", {}).items():
            if not said["proved"]:
                print(f"{row['model']}: tachostat proved nothing faster for {objective}, so it runs \"{said['name']}\"")


def means(rows):
    """Geometric means over models of each ratio, with intervals."""
    found = {}
    for name in [f"{what}_over_{rival}" for what in ("speedup", "throughput_ratio") for rival in RIVALS]:
        several = [row["logs"][name] for row in rows if name in row["logs"]]
        mean = zoo_rounds.geometric_mean(several)
        if mean:
            found[name], found[f"{name}_interval"] = mean[0], mean[1:]
    return found


def main():
    only = os.environ.get("ZOO_ONLY", "")
    rows = []
    for one in zoo_models.cases(only):
        slug = re.sub("[^A-Za-z0-9]+", "_", one.name).strip("_").lower()
        case = {"name": one.name, "model": str(one.model), "data": str(one.data), "metric": one.metric or "", "seed": SEED, "slug": slug}
        rows.append(row_of(case))
        print(f"done: {one.name}", file=sys.stderr, flush=True)
    common.progress("")
    found = means(rows)
    rows = [{name: value for name, value in row.items() if name != "logs"} for row in rows]
    show(rows)
    for name, value in found.items():
        if not name.endswith("_interval"):
            low, high = found[f"{name}_interval"]
            print(f"geometric mean of {name.replace('_', ' ')}: {value:.3f} ({low:.3f}–{high:.3f})")
    done = {row["model"] for row in rows}
    left_out = [name for name in zoo_models.names() if name not in done]
    common.write_results("zoo", "./run bench zoo", rows, geometric_means=found, budget=BUDGET, left_out=left_out)
