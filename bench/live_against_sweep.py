"""The variant that learning settles on, live, against an exhaustive sweep of what the proposers can choose from.

Each variant of the sweep is served by itself, --learn off, and all are loaded with the same closed loop in interleaved
windows. A learning server, started from the engine's plain f32, gets the same load until it holds. Its choice is then
looked up in the sweep, and measured beside the sweep's best once more.
"""

import contextlib
import itertools
import statistics
import time

import common
import servers

SHAPE = "x[1,3,48,320]"
SHAPES = "x=1,3,48,320"
IN_FLIGHT = 4
ROUNDS, SECONDS = 10, 1.5
LEARN_LIMIT_S = 180


def sweep_variants():
    """Streams and threads that fill the machine, batches, and dynamic or static shapes."""
    threads = common.machine()["cores"]
    streams = [n for n in (1, 2, 4, 8) if n <= threads and threads % n == 0]
    for stream, batch, static in itertools.product(streams, (1, 2, 4), (False, True)):
        if batch > 1 and static:
            continue  # a static bucket has a fixed batch
        yield {"threads": threads, "streams": stream, "batch": batch, "static": static}


def flags_of(variant):
    flags = ["--precision", "f32", "--threads", variant["threads"], "--streams", variant["streams"],
             "--batch", variant["batch"], "--learn", "off"]
    return flags + (["--shape", SHAPE] if variant["static"] else [])


def name_of(variant):
    return "f32 {threads}t {streams}s b{batch}".format(**variant) + (" static" if variant["static"] else "")


def interleave(loads, rounds):
    """Requests per second of each load, by round."""
    rates = {name: [] for name in loads}
    for name, load in loads.items():
        load.window(0.5, IN_FLIGHT)
    for number in range(rounds):
        names = list(loads)
        for name in names[number % len(names):] + names[:number % len(names)]:
            result = loads[name].window(SECONDS, IN_FLIGHT)
            rates[name].append(result["requests"] / result["seconds"])
    return rates


def learn(path):
    with servers.Server(path, "--precision", "f32", "--p99", "1s") as server, servers.grpc_load(server, SHAPES) as load:
        deadline = time.monotonic() + LEARN_LIMIT_S
        held = 0
        while time.monotonic() < deadline and held < 3:
            load.window(2, IN_FLIGHT)
            state = server.page("")
            held = held + 1 if state["phase"] == "holding" else 0
            common.progress(f"live_against_sweep: learning, {state['phase']}, {state['variant']}")
        recipe = next(v["recipe"] for v in server.page("/variants")["variants"] if v["variant"] == state["variant"])
        return state, recipe, server.page("/trials"), server.page("/decisions")


def match(recipe, variants):
    for variant in variants:
        threads = recipe["threads"] or common.machine()["cores"]
        if (threads, recipe["streams"], recipe["batch"], bool(recipe["shapes"])) == (
                variant["threads"], variant["streams"], variant["batch"], variant["static"]):
            return variant
    return None


def main():
    path = common.recogniser()
    state, recipe, trials, decisions = learn(path)
    variants = list(sweep_variants())
    found = match(recipe, variants)
    if found is None:
        raise SystemExit(f"bench: the variant found live is not in the sweep: {recipe}")
    with contextlib.ExitStack() as stack:
        loads = {}
        for variant in variants:
            server = stack.enter_context(servers.Server(path, *flags_of(variant)))
            loads[name_of(variant)] = stack.enter_context(servers.grpc_load(server, SHAPES))
        common.progress(f"live_against_sweep: sweep of {len(loads)} variants")
        rates = interleave(loads, ROUNDS)
        # Against the round's mean, so that a machine that is slow for a while is slow for all.
        means = [statistics.mean(values) for values in zip(*rates.values())]
        relative = {name: statistics.median(r / m for r, m in zip(values, means)) for name, values in rates.items()}
        best = max(relative, key=relative.get)
        pair = {best: loads[best], name_of(found): loads[name_of(found)]}
        again = interleave(pair, 2 * ROUNDS)
    common.progress("")
    ratio = [f / b for f, b in zip(again[name_of(found)], again[best])]
    rows = [{"variant": name, "per_second": statistics.median(rates[name]), "interval": common.interval(rates[name]),
             "relative": relative[name]} for name in sorted(relative, key=relative.get, reverse=True)]
    print(f"Live choice against an exhaustive sweep: recogniser, {IN_FLIGHT} in flight")
    common.table(["variant", "of the mean", "requests/s", "95 %", ""],
                 [[r["variant"], f"{r['relative']:.3f}", f"{r['per_second']:.1f}", "{:.1f}–{:.1f}".format(*r["interval"]),
                   "found live" if r["variant"] == name_of(found) else ""] for r in rows])
    low, high = common.interval(ratio)
    print(f"found live ÷ sweep's best ({best}): {statistics.median(ratio):.3f} (95 % {low:.3f}–{high:.3f}, "
          f"{len(ratio)} pairs)")
    common.write_results("live_against_sweep", "./run bench live_against_sweep", rows, found=name_of(found), best=best,
                         found_over_best=statistics.median(ratio), found_over_best_interval=[low, high],
                         trials=trials, decisions=decisions)
