"""Requests answered in time under steady, bursty and growing loads: Tachostat's policies, its best fixed variant, and a real Triton (Python backend with
OpenVINO, dynamic batching, requests rejected that waited too long), on two models, in one run, interleaved. Every system gets the same requests at the
same times with the same deadline. The same loads are simulated from the variants' measured service times, so that live and simulated can be compared.

GOODPUT_ONLY=recogniser, GOODPUT_ROUNDS=2, GOODPUT_SECONDS=15."""

import json
import os
import random
import shutil
import statistics
import subprocess

import common
import servers
import triton_server
import zoo_models

ROUNDS = int(os.environ.get("GOODPUT_ROUNDS", 2))
SECONDS = float(os.environ.get("GOODPUT_SECONDS", 15))
ONLY = os.environ.get("GOODPUT_ONLY", "")
MODELS = ["OCR recogniser", "OCR direction classifier"]
LOADS = ["steady", "bursts", "ramp"]
POLICIES = ["ladder", "predictive", "bandit"]
FIXED = 3  # variants, the fastest and those that carry most
LIMIT_SERVICES, LEAST_LIMIT_MS = 6, 20  # the deadline: so many services of the fastest variant


def poisson(rate_at, most, seconds, seed):
    dice, at, times = random.Random(seed), 0.0, []
    while True:
        at += dice.expovariate(most)
        if at >= seconds:
            return times
        if dice.random() * most <= rate_at(at):
            times.append(at)


def arrivals(load, capacity, seed):
    """Times of requests, against what the best fixed variant can carry."""
    if load == "steady":
        return poisson(lambda at: 0.7 * capacity, 0.7 * capacity, SECONDS, seed)
    if load == "ramp":
        return poisson(lambda at: capacity * (0.1 + 1.3 * at / SECONDS), 1.4 * capacity, SECONDS, seed)
    # Two seconds of every five, as much as one and a half times the capacity.
    return poisson(lambda at: capacity * (1.5 if at % 5 >= 3 else 0.3), 1.5 * capacity, SECONDS, seed)


def optimised(case):
    """The folder of proved variants, made once."""
    folder = common.WORK / f"goodput_{case.name.replace(' ', '_').lower()}"
    if not (folder / "variants").exists():
        shutil.rmtree(folder, ignore_errors=True)
        common.progress(f"goodput: optimising {case.name}")
        common.tachostat("optimize", case.model, "--data", case.data, "--metric", case.metric, "--max-drop", "1%", "--budget", "3m",
                         "--seed", 1, "--json", "-o", folder)
    return folder


def variants(folder):
    found = [(path, json.loads(path.read_text())) for path in sorted((folder / "variants").glob("*.json"))]
    fastest = min(found, key=lambda each: each[1]["service_ms"])
    most = sorted(found, key=lambda each: -each[1]["capacity"])
    chosen = [fastest] + [each for each in most if each[0] != fastest[0]]
    return chosen[:FIXED]


def folder_of(path):
    """A folder with that variant alone."""
    folder = path.parent.parent / f"only_{path.stem}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "variants").mkdir(parents=True)
    shutil.copy(path, folder / "variants")
    return folder


class System:
    def __init__(self, name, address, model, stop, variant=None):
        self.name, self.address, self.model, self.stop, self.variant = name, address, model, stop, variant


def tachostat(name, folder, *flags, variant=None):
    server = servers.Server(folder, "--max-drop", "1%", *flags)
    return System(name, server.ready["grpc"], server.ready["model"], server.stop, variant)


def ports_of(case):
    import openvino as ov

    model = ov.Core().read_model(case.model)
    model.reshape({name: [-1, *shape[1:]] for name, shape in case.shapes.items()})
    # Triton asks every answer to be as declared: -1 where it follows from the input.
    shape = lambda port: [dimension.get_length() if dimension.is_static else -1 for dimension in port.get_partial_shape()]
    ports = lambda each: [{"name": port.get_any_name(), "shape": shape(port)} for port in each]
    return {"path": case.model, "inputs": ports(model.inputs), "outputs": ports(model.outputs)}


def tritons(case, limit_ms, service_ms):
    cores = common.cores()
    wait_ms = max(limit_ms / 4, limit_ms - 2 * service_ms)  # then there is time for a batch
    for instances, threads in ((1, cores), (cores, 1)):
        server = triton_server.Triton("model", ports_of(case), threads, instances, 8, 500, int(wait_ms * 1000))
        yield System(f"triton {instances}×{threads}", server.address, "model", server.stop)


def shapes_of(case):
    return ";".join(f"{name}={','.join(map(str, shape))}" for name, shape in case.shapes.items())


def send(system, case, times, limit_ms):
    command = [common.BUILD / "bench/open_load", system.address, system.model, shapes_of(case), str(limit_ms), str(limit_ms)]
    done = subprocess.run(command, input="\n".join(map(str, times)), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: open_load: {done.stderr}")
    return json.loads(done.stdout)


def closed(system, case, in_flight, seconds=3):
    with servers.Load("grpc", system.address, system.model, shapes_of(case)) as load:
        load.window(0.5, in_flight)
        return load.window(seconds, in_flight)


def scenario(case, systems, policy, start, limit_ms, times, path):
    """The same load in virtual time, from service times that were measured through the server."""
    path.with_suffix(".times").write_text("\n".join(map(str, times)))
    text = [f'name = "{case.name}"', f'duration = "{SECONDS}s"', f"cores = {common.cores()}", "[[model]]", 'name = "model"', f'p99 = "{limit_ms}ms"',
            f'deadline = "{limit_ms}ms"', "shed = true", f'policy = "{policy}"', f'start = "{start}"']
    for system in systems:
        made = system.variant
        text += ["[[model.variant]]", f'name = "{system.label}"', f'service = "{made["service_ms"]}ms"', f'noise = {made["noise"]:.3f}',
                 f'threads = {made["threads"]}', f'streams = {made["streams"]}']
    text += ["[[model.arrivals]]", 'kind = "replay"', f'file = "{path.with_suffix(".times").name}"']
    path.write_text("\n".join(text) + "\n")
    return common.tachostat("simulate", path, "--json")[1]["models"][0]


def measure(case):
    folder = optimised(case)
    systems = []
    try:
        for number, (path, variant) in enumerate(variants(folder)):
            system = tachostat(f"fixed: {path.stem}", folder_of(path), "--learn", "off", "--policy", "fixed", variant={})
            system.label = f"v{number}"
            single = closed(system, case, 1)
            streams = max(1, variant["variant"]["streams"])
            full = closed(system, case, 4 * streams)
            system.capacity = full["requests"] / full["seconds"]
            # Through the server, with all streams busy: what the simulated machine takes for it.
            service_ms = 1e3 * streams / system.capacity
            system.variant = {"service_ms": service_ms, "noise": 0.05 if single["p50_ms"] <= 0 else min(0.5, (single["p99_ms"] / single["p50_ms"] - 1) / 2.3),
                              "threads": max(1, variant["variant"]["threads"]), "streams": streams, "single_ms": single["p50_ms"]}
            systems.append(system)
        fixed = list(systems)
        capacity = max(system.capacity for system in fixed)
        limit_ms = round(max(LEAST_LIMIT_MS, LIMIT_SERVICES * min(system.variant["single_ms"] for system in fixed)), 1)
        for policy in POLICIES:
            systems.append(tachostat(policy, folder, "--learn", "off", "--policy", policy, "--shed", "--p99", f"{limit_ms}ms"))
        systems += tritons(case, limit_ms, min(system.variant["single_ms"] for system in fixed))
        for system in systems[len(fixed):]:
            send(system, case, [4 * i / capacity for i in range(int(capacity / 4))], limit_ms)  # warm
        found = {}
        for number in range(ROUNDS):
            for load in LOADS:
                times = arrivals(load, capacity, number + 1)
                order = list(systems)
                random.Random(number).shuffle(order)
                for system in order:
                    common.progress(f"goodput: {case.name}, {load}, {system.name}, round {number + 1} of {ROUNDS}")
                    found.setdefault((load, system.name), []).append(send(system, case, times, limit_ms))
        common.progress("")
        return rows_of(case, systems, fixed, found, capacity, limit_ms)
    finally:
        for system in systems:
            system.stop()


def share(runs):
    return sum(run["in_time"] for run in runs) / sum(run["sent"] for run in runs)


def rows_of(case, systems, fixed, found, capacity, limit_ms):
    rows = []
    for load in LOADS:
        best = max((system.name for system in fixed), key=lambda name: share(found[load, name]))
        triton = max((system.name for system in systems if system.name.startswith("triton")), key=lambda name: share(found[load, name]))
        for system in systems:
            runs = found[load, system.name]
            ratios = lambda other: [run["in_time"] / max(1, rival["in_time"]) for run, rival in zip(runs, found[load, other])]
            row = {"model": case.name, "load": load, "system": system.name, "limit_ms": limit_ms, "capacity": capacity,
                   "sent_per_second": sum(run["sent"] for run in runs) / (len(runs) * SECONDS), "attainment": share(runs),
                   "goodput": sum(run["in_time"] for run in runs) / (len(runs) * SECONDS), "p99_ms": statistics.median(run["p99_ms"] for run in runs),
                   "unanswered": sum(run["unanswered"] for run in runs), "late_sends": sum(run["late_sends"] for run in runs),
                   "over_best_fixed": statistics.median(ratios(best)), "over_best_fixed_range": [min(ratios(best)), max(ratios(best))],
                   "over_triton": statistics.median(ratios(triton)), "over_triton_range": [min(ratios(triton)), max(ratios(triton))],
                   "best_fixed": best, "best_triton": triton}
            if system in fixed or system.name in POLICIES:
                policy, start = ("fixed", system.label) if system in fixed else (system.name, fixed[0].label)
                simulated = [scenario(case, fixed, policy, start, limit_ms, arrivals(load, capacity, number + 1), common.WORK / "goodput.toml")
                             for number in range(ROUNDS)]
                row["simulated_attainment"] = sum(each["in_time"] for each in simulated) / sum(each["arrivals"] for each in simulated)
                row["of_bound"] = sum(each["in_time"] for each in simulated) / max(1, sum(each["bound_in_time"] for each in simulated))
            rows.append(row)
    return rows


def main():
    rows = []
    for case in zoo_models.cases():
        if case.name in MODELS and ONLY in case.name:
            rows += measure(case)
    between = lambda row, name: f"{row[name]:.2f}× ({row[name + '_range'][0]:.2f}–{row[name + '_range'][1]:.2f})"
    common.table(["model", "load", "sent/s", "system", "in time", "in time/s", "p99", "over best fixed", "over Triton", "simulated"],
                 [[row["model"], row["load"], f"{row['sent_per_second']:.0f}", row["system"], f"{row['attainment']:.1%}", f"{row['goodput']:.1f}",
                   f"{row['p99_ms']:.1f} ms", between(row, "over_best_fixed"), between(row, "over_triton"),
                   f"{row['simulated_attainment']:.1%}" if "simulated_attainment" in row else "–"] for row in rows])
    said = [f"{name}={os.environ[name]}" for name in ("GOODPUT_ONLY", "GOODPUT_ROUNDS", "GOODPUT_SECONDS") if name in os.environ]
    common.write_results("goodput", " ".join([*said, "./run bench goodput"]), rows)
