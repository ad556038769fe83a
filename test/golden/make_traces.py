#!/usr/bin/env python3
"""Makes the golden test's inputs: small traces of three imagined models, the same at every run.

Each case is a folder with trace.json (Chrome trace events, docs/design/trace-format.md) and session.json (what the
session of that trace is, and the machine's roofline). Run it again after a change of the format, then the test with
TACHOSTAT_UPDATE_GOLDEN=1, and read the difference.
"""
import json
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
ROOFLINE = {"version": 1, "threads": 2, "peak_f32_flops": 200e9, "single_f32_flops": 100e9, "memory_bandwidth": 25e9,
            "cache_bandwidth": 130e9}
MAIN, HELPER, OTHER = 101, 102, 103  # threads
SESSION = 3


class Trace:
    def __init__(self):
        self.events = [{"ph": "M", "pid": 1, "tid": tid, "name": "thread_name", "args": {"name": name}}
                       for tid, name in ((MAIN, "stream-0"), (HELPER, "worker-1"), (OTHER, "stream-1"))]
        self.timed = []

    def add(self, category, name, thread, begin, end, args):
        self.timed.append((begin, thread, -end, {"ph": "X", "pid": 1, "tid": thread, "ts": begin / 1000,
                                                 "dur": (end - begin) / 1000, "cat": category, "name": name, "args": args}))

    def span(self, kind, name, thread, begin, end, depth):
        self.add(kind, name, thread, begin, end, {"depth": depth})

    def mark(self, session, thread, begin, end, bucket):
        self.add("execution", f"session {session}", thread, begin, end, {"session": session, "bucket": bucket})

    def write(self, path, dropped=0):
        events = self.events + [event for *_, event in sorted(self.timed, key=lambda timed: timed[:3])]
        lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in events)
        head = {"tachostat_format": 1, "dropped_spans": dropped}
        path.write_text(f'{{"displayTimeUnit":"ns","otherData":{json.dumps(head)},"traceEvents":[\n{lines}\n]}}\n')


def layer(name, type_, kernel, us, busy, gflops=-1, gbytes=-1, weights=0.1, originals=None):
    """A layer of `us` microseconds at these rates per second; both threads together are busy `busy` of its time."""
    seconds = us * 1e-6
    moved = gbytes * 1e9 * seconds
    work = {"flops": None if gflops < 0 else round(gflops * 1e9 * seconds),
            "weight_bytes": None if gbytes < 0 else round(weights * moved),
            "input_bytes": None if gbytes < 0 else round((1 - weights) * moved / 2),
            "output_bytes": None if gbytes < 0 else round((1 - weights) * moved / 2)}
    return {"us": us, "busy": busy,
            "info": {"name": name, "originals": originals or [name], "type": type_, "kernel": kernel, "precision": "f32",
                     "layout": "nhwc", "work": work}}


def add_request(trace, noise, layers, begin, bucket, gap_us, request_span=True):
    at = begin + round(gap_us * 500)
    for one in layers:
        length = round(one["us"] * 1000 * noise.uniform(0.97, 1.03))
        name = one["info"]["name"]
        trace.span("layer", name, MAIN, at, at + length, 1)
        if one["busy"] is not None:
            # The request's own thread first, the helper with what is left.
            busy = round(2 * length * one["busy"] * noise.uniform(0.98, 1.02))
            own = min(length, busy)
            trace.span("worker", "parallel_for", MAIN, at, at + own, 2)
            if busy > own:
                trace.span("worker", "parallel_for", HELPER, at + 200, at + 200 + min(busy - own, length - 200), 0)
        at += length
    end = at + round(gap_us * 500)
    if request_span:
        trace.span("request", "inference", MAIN, begin, end, 0)
    trace.mark(SESSION, MAIN, begin - 300, end + 300, bucket)
    return end


def write_case(name, model, variant, layers, bucket, gap_us, static_shapes, extra=None):
    noise = random.Random(name)
    trace = Trace()
    at = 5_000_000_000
    for number in range(12):
        # One request span got lost, as happens when a ring is full.
        begin = at
        at = add_request(trace, noise, layers, at, bucket, gap_us, request_span=number != 5)
        if extra:
            extra(trace, number, begin, at)
        at += 150_000
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    trace.write(folder / "trace.json")
    unused = {"name": "reshape", "originals": ["reshape"], "type": "Reshape", "kernel": "unknown", "precision": "f32",
              "layout": "abc", "work": {"flops": 0, "weight_bytes": 0, "input_bytes": None, "output_bytes": None}}
    session = {"session": SESSION, "model": model, "model_hash": "0" * 64, "variant": variant, "threads": 2, "streams": 1,
               "static_shapes": static_shapes, "roofline": ROOFLINE,
               "layers": [one["info"] for one in layers] + [unused]}
    (folder / "session.json").write_text(json.dumps(session, indent=1, ensure_ascii=False) + "\n")


def disturb(trace, number, begin, end):
    """Nested spans, a model that nobody asked about, and a neighbour that makes workers ambiguous."""
    if number == 2:
        trace.span("layer", "lstm/inner", MAIN, end - 700_000, end - 650_000, 2)
    if number == 4:
        trace.mark(9, OTHER, begin, end, "z[1]")
        trace.span("layer", "stranger", OTHER, begin + 1000, begin + 2000, 1)
    if number == 7:
        trace.span("request", "inference", OTHER, begin - 50_000, end, 0)  # without a mark


def main():
    f32 = {"engine": "openvino", "device": "CPU", "precision": "f32", "threads": 2, "streams": 1, "batch": 1,
           "pinning": False, "shapes": {}}
    write_case("idle_workers", "recogniser", f32, [
        layer("conv1", "Convolution", "brgconv_avx2_f32", 900, 0.88, 60, 5, originals=["conv1", "conv1/relu"]),
        layer("conv2", "Convolution", "brgconv_avx2_f32", 700, 0.86, 64, 5),
        layer("lstm", "LSTMSequence", "ref_any_f32", 1500, 0.51, 21, 3),
        layer("attention/größe", "MatMul", "brgemm_avx2_f32", 600, 0.55, 30, 4),
        layer("softmax", "Softmax", "jit_avx2_f32", 40, None)], "x[1,3,48,320]", 20, True, disturb)
    write_case("memory_bound", "encoder", f32, [
        layer("embed", "Gather", "ref_any_f32", 60, None, 0, 6),
        layer("ffn/up", "FullyConnected", "brgemm_avx2_f32", 1400, 0.9, 9, 18, 0.97),
        layer("ffn/down", "FullyConnected", "brgemm_avx2_f32", 1350, 0.91, 9, 19, 0.97),
        layer("attention", "MatMul", "brgemm_avx2_f32", 500, 0.92, 80, 6)], "ids[1,16]", 25, True)
    write_case("healthy", "classifier", {**f32, "shapes": {"x": [1, 3, 224, 224]}}, [
        layer("stem", "Convolution", "jit_avx2_f32", 800, 0.91, 85, 6),
        layer("body", "Convolution", "brgconv_avx2_f32", 2100, 0.94, 92, 5),
        layer("head", "FullyConnected", "brgemm_avx2_f32", 300, 0.9, 60, 9)], "x[1,3,224,224]", 15, True)
    write_case("open_shapes", "recogniser", f32, [
        layer("conv1", "Convolution", "brgconv_avx2_f32", 900, 0.91, 85, 6),
        layer("conv2", "Convolution", "brgconv_avx2_f32", 700, 0.93, 90, 6)], "x[1,3,48,320]", 260, False)


main()
