"""How often `tachostat compare` is wrong, and what it finds.

False alarms: one program is measured RUNS times, in a process each, once with a request on one thread and once on all cores
(which neighbours disturb far more). Disjoint groups of these runs are drawn at random and
compared; every exit 1 is a false alarm. Draws share runs with other draws, so the binomial interval is somewhat too narrow.
Power: the same with one layer's recorded times (and the requests' by the same amount) scaled in HEAD, for the layers with the
largest shares. A real plant: two models of ten equal branches, one branch of HEAD with 10 % more output channels, measured
by `compare` itself; and the same model on both sides.
"""

import json
import os
import random

import common

RUNS, REQUESTS, GROUP, DRAWS, POWER_DRAWS = 60, 1200, 5, 300, 20
LAYERS = 5
SCALES = (1.05, 1.10)
FOLDER = common.WORK / "compare_aa"
THREADS = {"1 thread": 1, "all cores": 0}  # 0: the engine's choice
MODEL, SHAPE = "ch_ppocr_mobile_v2.0_cls_mobile", "x[1,3,48,192]"


def measure(name, threads):
    FOLDER.mkdir(parents=True, exist_ok=True)
    profiles = []
    for number in range(RUNS):
        common.progress(f"compare_aa: {name}, run {number + 1} of {RUNS}")
        _, profile = common.tachostat("profile", common.rapidocr_model(MODEL), "--shape", SHAPE, "--depth", "layers",
                               "--requests", REQUESTS, "--threads", threads, "--json")
        profiles.append(profile)
    return profiles


def save(profile, name):
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(profile))
    return path


def lower(bucket):
    return bucket if bucket < 32 else (32 + bucket % 32) << (bucket // 32 - 1)


def scaled_time(time, factor):
    """The histogram with each bucket's counts spread evenly over the scaled bucket."""
    counts = {}
    for bucket, count in time["buckets"]:
        low, high = lower(bucket) * factor, lower(bucket + 1) * factor
        for i in range(count):
            to = common.bucket_of(low + (i + 0.5) / count * (high - low))
            counts[to] = counts.get(to, 0) + 1
    buckets = sorted(counts.items())
    return {**time, "buckets": buckets, "sum_ns": round(time["sum_ns"] * factor),
            # Members that a reader checks against the buckets.
            "min_ns": max(lower(buckets[0][0]), 1), "max_ns": lower(buckets[-1][0] + 1) - 1}


def scaled(profile, layer, factor):
    """One layer's executions take `factor` times as long, and requests are longer by as much on average."""
    profile = json.loads(json.dumps(profile))
    at = next(i for i, one in enumerate(profile["layers"]) if one["name"] == layer)
    old = profile["layers"][at]
    added = old["sum_ns"] * (factor - 1)
    profile["requests"] = scaled_time(profile["requests"], 1 + added / profile["requests"]["sum_ns"])
    for slices, part in zip(profile["slices"], old["slices"]):
        slices[1] += round(part[1] * (factor - 1))
    profile["layers"][at] = {**scaled_time(old, factor),
                             "slices": [[count, round(total * factor)] for count, total in old["slices"]]}
    return profile


def compare(base, head):
    arguments = [part for path in base for part in ("--base", path)] + [part for path in head for part in ("--head", path)]
    return common.tachostat("compare", *arguments, "--json")


def wilson(hits, n, z=1.96):
    p, squared = hits / n, z * z
    middle = (p + squared / (2 * n)) / (1 + squared / n)
    half = z / (1 + squared / n) * (p * (1 - p) / n + squared / (4 * n * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def rate(case, hits, n, **more):
    return {"case": case, "hits": hits, "n": n, "rate": hits / n, "interval": wilson(hits, n), **more}


def false_alarms(paths, group, seed):
    pick = random.Random(seed)
    hits = totals = faster = 0
    for draw in range(DRAWS):
        common.progress(f"compare_aa: A/A, {group} runs a side, {draw + 1} of {DRAWS}")
        drawn = pick.sample(paths, 2 * group)
        code, result = compare(drawn[:group], drawn[group:])
        hits += code
        totals += result["total"]["change"] == "slower"
        faster += any(row["change"] == "faster" for row in [result["total"], *result["layers"]])
    return rate(f"A/A, {group} run{'s' if group > 1 else ''} a side", hits, DRAWS, by_total=totals, false_improvements=faster)


def power(paths, planted, group, factor, layers, seed):
    pick = random.Random(seed)
    hits = others = n = 0
    for layer in layers:
        for _ in range(POWER_DRAWS):
            common.progress(f"compare_aa: {factor} × {layer}, {group} runs a side")
            drawn = pick.sample(range(len(paths)), 2 * group)
            _, result = compare([paths[i] for i in drawn[:group]], [planted[layer][i] for i in drawn[group:]])
            slower = {row["name"] for row in result["layers"] if row["change"] == "slower"}
            hits += layer in slower
            others += bool(slower - {layer})
            n += 1
    return rate(f"one layer × {factor}, {group} run{'s' if group > 1 else ''} a side", hits, n, other_layers_blamed=others)


def branches(channels):
    """Ten 3×3 convolutions of one input; the fifth has `channels` outputs, the others 80."""
    import numpy as np
    import openvino as ov
    from openvino import opset13 as ops

    path = FOLDER / f"branches_{channels}.xml"
    x = ops.parameter([1, 32, 28, 28], np.float32, name="x")
    random_values = np.random.default_rng(1)
    parts = []
    for number in range(10):
        outputs = channels if number == 4 else 80
        weights = random_values.standard_normal((outputs, 32, 3, 3), dtype=np.float32)
        convolution = ops.convolution(x, weights, [1, 1], [1, 1], [1, 1], [1, 1], name=f"branch{number}")
        parts.append(ops.reduce_mean(convolution, np.array([2, 3]), keep_dims=False, name=f"mean{number}"))
    ov.save_model(ov.Model([ops.concat(parts, 1, name="y")], [x], "branches"), path, compress_to_fp16=False)
    return path


def plant(head, repetitions, case):
    base = branches(80)
    hits, ratios = 0, []
    for seed in range(repetitions):
        common.progress(f"compare_aa: {case}, {seed + 1} of {repetitions}")
        code, result = common.tachostat("compare", base, head, "--runs", GROUP, "--requests", 300, "--seed", seed, "--json")
        rows = {row["name"]: row for row in result["layers"]}
        ratios.append(rows["branch4"]["relative"]["ratio"])
        hits += rows["branch4"]["change"] == "slower" if head != base else code
    return rate(case, hits, repetitions, branch4_ratios=ratios)


def recorded(name, threads):
    """A/A and power on recorded runs."""
    load = os.getloadavg()
    profiles = measure(name, threads)
    prefix = f"threads{threads}_"
    paths = [save(profile, f"{prefix}run{number}") for number, profile in enumerate(profiles)]
    largest = sorted(profiles[0]["layers"], key=lambda layer: -layer["share"])[:LAYERS]
    names = [layer["name"] for layer in largest]
    rows = [false_alarms(paths, GROUP, 1), false_alarms(paths, 1, 2)]
    for factor in SCALES:
        planted = {layer: [save(scaled(profile, layer, factor), f"{prefix}run{number}_{at}_{factor}")
                           for number, profile in enumerate(profiles)] for at, layer in enumerate(names)}
        rows += [power(paths, planted, group, factor, names, 3) for group in (GROUP, 2 * GROUP)]
    for row in rows:
        row.update(threads=name, load_before=load, layers=[{"name": l["name"], "share": l["share"]} for l in largest])
    return rows


def main():
    rows = [row for name, threads in THREADS.items() for row in recorded(name, threads)]
    load = os.getloadavg()
    for head, case in ((88, "two models, a convolution with 10 % more channels"), (80, "the same model twice")):
        rows.append({**plant(branches(head), 10, case), "threads": "all cores", "load_before": load})
    common.progress("")
    print(f"compare: {MODEL}, {RUNS} runs of {REQUESTS} requests; load 1 minute before each on {common.cores()} cores")
    common.table(["case", "threads", "load", "exit 1, or layer found", "of", "rate", "95 %"],
                 [[r["case"], r["threads"], f"{r['load_before'][0]:.1f}", r["hits"], r["n"], f"{r['rate']:.1%}",
                   "{:.1%}–{:.1%}".format(*r["interval"])] for r in rows])
    common.write_results("compare_aa", "./run bench compare_aa", rows, runs=RUNS, requests=REQUESTS)
