"""The server by gRPC against the bare engine's own asynchronous loop, same model, precision, threads and streams.

Both sides get the same number of requests in flight, in alternating windows. The client that sends over gRPC runs on the
same cores as the server, and its cost is in the server's figure; the bare loop has no client.
"""

import statistics

import common
import servers

THREADS, STREAMS = 2, 2
ROUNDS, SECONDS = 12, 1.5
CASES = [
    ("recogniser", common.recogniser, "x=1,3,48,320", 4),
    ("recogniser", common.recogniser, "x=1,3,48,320", 1),
    ("direction classifier", lambda: common.rapidocr_model("ch_ppocr_mobile_v2.0_cls_mobile"), "x=1,3,48,192", 4),
    ("identity, 4 KiB", lambda: common.identity_model(1024), "x=1,1024", 1),
    ("identity, 4 KiB", lambda: common.identity_model(1024), "x=1,1024", 8),
    ("identity, 1 MiB", lambda: common.identity_model(262144), "x=1,262144", 1),
]


def measure(path, shapes, in_flight):
    flags = ["--precision", "f32", "--threads", THREADS, "--streams", STREAMS, "--learn", "off"]
    with servers.Server(path, *flags) as server, servers.grpc_load(server, shapes) as through, \
            servers.Load("bare", path, shapes, THREADS, STREAMS) as bare:
        sides = [bare, through]
        for side in sides:
            side.window(0.5, in_flight)
        results = [[], []]
        for round_number in range(ROUNDS):
            order = (0, 1) if round_number % 2 == 0 else (1, 0)
            for i in order:
                results[i].append(sides[i].window(SECONDS, in_flight))
    return results


def main():
    rows = []
    for name, model, shapes, in_flight in CASES:
        common.progress(f"server_overhead: {name}, {in_flight} in flight")
        bare, served = measure(model(), shapes, in_flight)
        rate = [b["requests"] / s["requests"] for b, s in zip(served, bare)]
        added = [(s["p50_ms"] - b["p50_ms"]) for s, b in zip(served, bare)]
        rows.append({
            "model": name, "shapes": shapes, "in_flight": in_flight,
            "bare_per_second": statistics.median(b["requests"] / b["seconds"] for b in bare),
            "served_per_second": statistics.median(s["requests"] / s["seconds"] for s in served),
            "throughput_ratio": statistics.median(rate), "throughput_ratio_interval": common.interval(rate),
            "added_p50_ms": statistics.median(added), "added_p50_interval_ms": common.interval(added),
            "served_p99_ms": statistics.median(s["p99_ms"] for s in served)})
    common.progress("")
    print("The server by gRPC against the bare engine loop")
    common.table(
        ["model", "in flight", "bare /s", "served /s", "ratio", "95 %", "added p50", "95 %", "served p99"],
        [[r["model"], r["in_flight"], f"{r['bare_per_second']:.1f}", f"{r['served_per_second']:.1f}",
          f"{r['throughput_ratio']:.3f}", "{:.3f}–{:.3f}".format(*r["throughput_ratio_interval"]),
          f"{r['added_p50_ms']:.3f} ms", "{:.3f}–{:.3f}".format(*r["added_p50_interval_ms"]),
          f"{r['served_p99_ms']:.3f} ms"] for r in rows])
    common.write_results("server_overhead", "./run bench server_overhead", rows)
