"""Recorded profiles with one known bottleneck each, and healthy ones: written, not measured, so that bottlenecks of machines that are not at
hand can be planted too. Numbers are of the kind that such machines show; the planted cause is the only thing out of the ordinary."""

import common

# Eight cores with two threads each, AVX-512 and VNNI.
MACHINE = {
    "version": 1, "threads": 8, "peak_f32_flops": 800e9, "single_f32_flops": 100e9, "memory_bandwidth": 80e9, "cache_bandwidth": 400e9,
    "peak_bf16_flops": None, "peak_f16_flops": None, "peak_int8_ops": 1600e9, "l2_bandwidth": 800e9, "dispatch_ns": 400, "wake_ns": 8000,
    "l2_bytes": 1 << 20, "last_level_bytes": 32 << 20, "cores": 8, "processors": 16,
    "instruction_sets": ["avx2", "avx512f", "avx512_vnni"],
}
RIDGE = 10  # FLOP per byte of that machine, f32
REQUESTS = 200


def time_of(ns, count=REQUESTS):
    """Three values, a little apart, `ns` on average."""
    ns = max(1, int(ns))
    spread = max(1, ns // 50) if ns > 64 else 0
    values = {ns - spread: count // 4, ns + spread: count // 4}
    values[ns] = values.get(ns, 0) + count - 2 * (count // 4)
    buckets = {}
    for value, times in values.items():
        buckets[common.bucket_of(value)] = buckets.get(common.bucket_of(value), 0) + times
    return {"count": count, "min_ns": min(values), "max_ns": max(values), "sum_ns": sum(v * n for v, n in values.items()),
            "buckets": sorted([b, n] for b, n in buckets.items())}


def layer(name, kind, ms, *, flops=None, bytes_=None, weights=0.1, precision="f32", kernel="brgconv_avx512", efficiency=0.92, after=(), inputs=None,
          outputs=None, threads=None, metrics=None, device=None, answers=None, count=REQUESTS, originals=None, slices=None, layout="nChw16c"):
    """`flops` and `bytes_` are rates per second; `after` are indices of the layers it reads, -1 for the model's input."""
    seconds = ms * 1e-3 * REQUESTS / count
    total = None if bytes_ is None else bytes_ * seconds
    one = {"name": name, "originals": originals or [name], "type": kind, "kernel": kernel, "precision": precision, "layout": layout,
           **time_of(ms * 1e6 * REQUESTS / count, count), "share": 0.0, "thread_efficiency": efficiency,
           "flops": None if flops is None else flops * seconds,
           "weight_bytes": None if total is None else total * weights, "input_bytes": None if total is None else total * (1 - weights) / 2,
           "output_bytes": None if total is None else total * (1 - weights) / 2}
    given = inputs or [{"type": precision, "shape": [1, 64, 56, 56]} for _ in after]
    one["inputs"] = [{**tensor, **({"layer": place} if place >= 0 else {"from": "input"})} for tensor, place in zip(given, after)]
    one["outputs"] = outputs or [{"type": precision, "shape": [1, 64, 56, 56]}]
    if threads:
        one["threads"] = {"executions": count, "busy_ns": None, "per_thread_ns": [], "participants": 8, "imbalance": 1.05, "idle_share": 1 - (efficiency or 1),
                          "dispatch_ns": 1000, "start_spread_ns": 500, "tail_ns": 100, **threads}
    for key, value in (("metrics", metrics), ("device", device), ("answers", answers), ("slices", slices)):
        if value:
            one[key] = value
    return one


def fine(name, ms, after=(), cores=8, **more):
    """A convolution that leaves little to be had: right of the ridge, at 45 % of the peak of its cores, busy threads."""
    return layer(name, "Convolution", ms, flops=45e9 * cores, bytes_=1.5e9 * cores, after=after, **more)


def reading(mean, unit="1", n=60, low=None, high=None):
    return {"mean": mean, "low": mean if low is None else low, "high": mean if high is None else high, "n": n, "unit": unit}


def profile(layers, outside_ms=0.1, threads=8, streams=1, static=True, readings=None, slices=None, model="planted", bucket="x[1,3,224,224]"):
    request = sum(one["sum_ns"] / REQUESTS for one in layers) + outside_ms * 1e6
    times = time_of(request)
    for one in layers:
        one["share"] = one["sum_ns"] / times["sum_ns"]
    document = {"version": 1, "model": model, "model_hash": "", "variant": "openvino.CPU f32", "bucket": bucket, "threads": threads,
                "streams": streams, "static_shapes": static, "requests": times,
                "unattributed_ns": max(0, times["sum_ns"] - sum(one["sum_ns"] for one in layers)), "overhead": 0.001, "dropped_spans": 0,
                "layers": layers}
    if readings:
        document["readings"] = readings
    if slices:
        document["slices"] = slices
    return document


def net(*extra, ms=1.0, n=6, **more):
    """A healthy chain of convolutions, `extra` layers at its end."""
    cores = min(8, more.get("threads", 8))
    return profile([fine(f"conv{i}", ms, after=(i - 1,), cores=cores) for i in range(n)] + list(extra), **more)


def served(**changes):
    """What a healthy server reads."""
    base = {"serving/queue": reading(0.4e-3, "s", 500), "serving/compute": reading(6e-3, "s", 500), "serving/decode": reading(0.1e-3, "s", 500),
            "serving/encode": reading(0.05e-3, "s", 500), "serving/batch": reading(1, "1", 500), "serving/batch_limit": reading(1), "serving/in_flight": reading(0.9),
            "serving/busy_share": reading(0.7), "serving/rate": reading(120, "1/s"), "processors/idle_share": reading(0.15),
            "processors/stolen_share": reading(0.001), "processors/others_share": reading(0.03), "process/run_delay_share": reading(0.01),
            "process/minor_faults_per_request": reading(2), "process/major_faults_per_request": reading(0), "cgroup/cpu/throttled": reading(0),
            "pressure/memory/some": reading(0), "frequency/below_nominal": reading(0.02)}
    base.update({name.replace("__", "/"): value for name, value in changes.items()})
    return base


def i8(shape=(1, 64, 56, 56)):
    return {"type": "u8", "shape": list(shape)}


def f32(shape=(1, 64, 56, 56)):
    return {"type": "f32", "shape": list(shape)}


def quantised(n=8, ms=0.5):
    return [layer(f"conv{i}", "Convolution", ms, flops=700e9, bytes_=10e9, precision="u8", kernel="brgconv_avx512_vnni_u8", after=(i - 1,),
                  inputs=[i8()], outputs=[i8()]) for i in range(n)]


def with_steps(saving):
    """Quantised convolutions, each with a step before it."""
    layers = []
    for i in range(6):
        layers.append(layer(f"conv{i}/quantise", "Subgraph", 0.3, flops=1e9, bytes_=30e9, kernel="jit_avx512", after=(len(layers) - 1,), inputs=[f32()], outputs=[i8()]))
        layers.append(layer(f"conv{i}", "Convolution", 2.0 if saving else 0.1, flops=700e9, bytes_=10e9, precision="u8", kernel="brgconv_avx512_vnni_u8",
                            after=(len(layers) - 1,), inputs=[i8()], outputs=[f32()]))
    return layers


def gpu(name, ms, **more):
    return layer(name, "aten::conv2d", ms, kernel="sm90_xmma_fprop", device="GPU 0", efficiency=None, **more)


def slices_of(n, ms, after=None, factor=1.0):
    per = REQUESTS // n
    return [[per, int(per * ms * 1e6 * (factor if after is not None and i >= after else 1.0) * (1 + 0.004 * ((i * 7) % 5 - 2)))] for i in range(n)]


def changed(factor):
    """A profile whose third layer is `factor` times as slow as its baseline."""
    def build(scale):
        layers = [fine(f"conv{i}", 1.0 * (scale if i == 2 else 1), after=(i - 1,), slices=slices_of(20, 1.0 * (scale if i == 2 else 1))) for i in range(12)]
        return profile(layers, slices=slices_of(20, sum(12 * [1.0]) + scale - 1 + 0.1))
    return build(factor), build(1.0)


def planted():
    """(name, rule that must come first, profile, baseline or None)"""
    cases = []

    def add(name, rule, document, baseline=None):
        cases.append((name, rule, document, baseline))

    # compute
    add("dense convolutions at the f32 roof", "compute-bound", profile([layer(f"conv{i}", "Convolution", 1, flops=600e9, bytes_=10e9, after=(i - 1,)) for i in range(6)]))
    add("reference kernel", "slow-kernel", net(layer("conv_odd", "Convolution", 3, flops=8e9, bytes_=0.5e9, kernel="ref_any_f32", after=(5,))))
    add("channels that fit no vector", "slow-kernel", net(layer("conv37", "Convolution", 3, flops=70e9, bytes_=2e9, kernel="brgconv_avx512", after=(5,),
        inputs=[f32((1, 37, 112, 112))], outputs=[f32((1, 37, 112, 112))])))
    add("AVX2 kernel on AVX-512", "vector-unit-unused", net(layer("conv_old", "Convolution", 4, flops=210e9, bytes_=8e9, kernel="jit_avx2_f32", after=(5,))))
    add("int8 without VNNI", "vector-unit-unused", profile([layer(f"q{i}", "Convolution", 1, flops=420e9, bytes_=10e9, precision="u8", kernel="jit_avx2_u8", after=(i - 1,),
        inputs=[i8()], outputs=[i8()]) for i in range(6)]))
    add("idle tensor cores", "vector-unit-unused", profile([gpu(f"aten::conv2d_{i}", 0.5, precision="f16", metrics={"sm__pipe_tensor_op_cycles_active.avg.pct_of_peak": 0.2}) for i in range(8)]))
    add("transposed convolution left in f32", "precision-outlier", profile(quantised() + [layer("deconv", "Deconvolution", 2, flops=280e9, bytes_=9e9, after=(7,), outputs=[f32()], inputs=[i8()])]))
    # memory
    add("fully connected, weights from memory", "memory-bound", profile([layer(f"fc{i}", "FullyConnected", 2, flops=30e9, bytes_=62e9, weights=0.97, kernel="brgemm_avx512", after=(i - 1,)) for i in range(4)]))
    add("batch of 32 beyond the cache", "cache-thrashing", profile([layer(f"conv{i}", "Pooling", 2, flops=6e9, bytes_=60e9, weights=0, kernel="jit_avx512", after=(i - 1,),
        inputs=[f32((32, 64, 112, 112))], outputs=[f32((32, 64, 112, 112))]) for i in range(4)], bucket="x[32,3,224,224]"))
    add("transposes between layers", "reorders", profile([one for i in range(4) for one in
        (fine(f"conv{i}", 1, after=(2 * i - 1,)), layer(f"transpose{i}", "Transpose", 0.5, flops=0, bytes_=30e9, weights=0, kernel="jit_avx512", after=(2 * i,)))]))
    add("element-wise chain", "unfused-chain", net(*[layer(f"mul{i}", ("Multiply", "Add", "Sigmoid", "Multiply")[i], 0.8, flops=2e9, bytes_=24e9, weights=0, kernel="jit_avx512", after=(5 + i,)) for i in range(4)]))
    add("slices copied", "output-copies", net(*[layer(f"slice{i}", "StridedSlice", 0.6, flops=0, bytes_=25e9, weights=0, kernel="jit_avx512", after=(5,)) for i in range(3)]))
    add("more memory than the budget", "over-memory-budget", net(readings=served(memory__held=reading(3e9, "By"), memory__budget=reading(2e9, "By"))))
    add("weights paged in", "paging", net(readings=served(process__major_faults_per_request=reading(1.4))))
    add("buffers allocated in each request", "request-allocations", net(readings=served(process__minor_faults_per_request=reading(1500))))
    # quantisation
    add("steps that cost more than they save", "standalone-quantise", profile(with_steps(False) + [fine("conv_end", 2.0, after=(11,), inputs=[f32()])]))
    branch = quantised(4, 1.0)
    branch += [fine("side", 0.4, after=(1,)), layer("concat", "Concatenation", 0.1, flops=0, bytes_=20e9, kernel="unknown", after=(3, 4), inputs=[i8(), f32()], outputs=[f32()])]
    branch += [fine("after1", 1.5, after=(5,)), fine("after2", 0.5, after=(6,))]
    add("one branch left in f32", "int8-broken-by-branch", profile(branch))
    add("ranges looked for in each request", "dynamic-quantisation", profile([one for i in range(4) for one in (
        layer(f"range{i}", "DynamicQuantizeLinear", 0.7, flops=1e9, bytes_=20e9, kernel="", after=()), layer(f"matmul{i}", "MatMulInteger", 1, flops=650e9, bytes_=9e9, precision="u8", kernel="mlas", after=()))]))
    slow8 = [layer(f"dw{i}", "Convolution", 1.6, flops=40e9, bytes_=6e9, precision="u8", kernel="brgconv_avx512_vnni_dw_u8", after=(i - 1,), inputs=[i8()], outputs=[i8()]) for i in range(5)]
    add("int8 slower than f32 was", "int8-slower", profile(slow8), profile([layer(f"dw{i}", "Convolution", 1.0, flops=64e9, bytes_=25e9, kernel="brgconv_avx512_dw", after=(i - 1,)) for i in range(5)]))
    # parallelism
    add("a recurrence on one thread", "idle-workers", net(layer("lstm", "LSTMSequence", 6, flops=60e9, bytes_=4e9, kernel="jit_avx512", efficiency=0.14, after=(5,))))
    add("nine pieces for eight threads", "imbalance", profile([fine(f"conv{i}", 1, after=(i - 1,), efficiency=0.75, threads={"imbalance": 1.8, "idle_share": 0.25}) for i in range(6)]))
    add("hundreds of tiny layers", "small-layers", profile([layer(f"fc{i}", "FullyConnected", 0.006, flops=50e9, bytes_=8e9, kernel="brgemm_avx512", efficiency=0.75, after=(i - 1,)) for i in range(400)]))
    add("sleeping workers woken for each layer", "dispatch-cost", profile([fine(f"conv{i}", 0.06, after=(i - 1,), efficiency=0.75, threads={"dispatch_ns": 9000, "start_spread_ns": 7000}) for i in range(60)]))
    add("eight streams for one client", "streams-idle", net(threads=1, streams=8, readings=served(serving__in_flight=reading(1.0))))
    add("32 threads on 16 processors", "oversubscription", net(threads=8, streams=4, readings=served(process__run_delay_share=reading(0.35), serving__in_flight=reading(4), processors__idle_share=reading(0.01))))
    add("pinned beside another process", "pinning-collision", net(readings=served(process__run_delay_share=reading(0.4), processors__idle_share=reading(0.5))))
    add("two threads on each core", "hyper-threads", profile([layer(f"conv{i}", "Convolution", 1, flops=370e9, bytes_=12e9, after=(i - 1,)) for i in range(6)], threads=16))
    # serving
    add("batches of one of eight", "underfilled-batches", net(readings=served(serving__batch=reading(1.2), serving__batch_limit=reading(8), serving__in_flight=reading(7))))
    add("padded to the longest", "padding", net(readings=served(serving__padded_share=reading(0.45))))
    add("a full queue", "queueing", net(readings=served(serving__queue=reading(40e-3, "s", 500), serving__busy_share=reading(0.99), serving__in_flight=reading(8))))
    add("tensors as text", "serialisation", net(readings=served(serving__decode=reading(9e-3, "s", 500), serving__encode=reading(3e-3, "s", 500), serving__json_share=reading(1))))
    add("a client that waits", "client-bound", net(readings=served(serving__rate=reading(30, "1/s"), target__rate=reading(100, "1/s"), serving__busy_share=reading(0.18), serving__in_flight=reading(0.2))))
    add("a new shape each time", "cold-shapes", net(static=False, outside_ms=0.05, readings=served(serving__cold_share=reading(0.3), serving__cold_factor=reading(40), serving__shapes=reading(60))))
    add("shapes worked out in each request", "dynamic-shapes", net(static=False, outside_ms=1.6))
    # transfer
    add("inputs copied to the device", "host-device-copies", profile([gpu(f"aten::conv2d_{i}", 0.5) for i in range(6)] + [layer("Memcpy HtoD", "Memcpy HtoD", 2, kernel="", efficiency=None, device="GPU 0")]))
    add("half of it on the network", "network-share", net(readings={"remote/network": reading(3.1e-3, "s", 200)}))
    add("a result fetched after each layer", "synchronisation-gaps", profile([gpu(f"aten::conv2d_{i}", 0.5) for i in range(6)], outside_ms=2,
        readings={"device/idle_share": reading(0.4), "device/host_wait_share": reading(0.5), "device/kernels": reading(40), "device/kernel_time": reading(80e-6, "s")}))
    add("hundreds of tiny kernels", "launch-bound", profile([gpu(f"aten::conv2d_{i}", 0.5) for i in range(6)], outside_ms=3,
        readings={"device/idle_share": reading(0.55), "device/host_wait_share": reading(0.02), "device/kernels": reading(700), "device/kernel_time": reading(4e-6, "s")}))
    # environment
    add("a quota of two processors", "cpu-quota", net(readings=served(cgroup__cpu__throttled=reading(0.3), cgroup__cpu__quota=reading(2))))
    add("too hot", "thermal-throttling", net(readings={**served(frequency__below_nominal=reading(0.35)), "throttle/core/time": reading(0.4)}))
    add("at the power limit", "power-throttling", net(readings={**served(frequency__below_nominal=reading(0.25)), "rapl/package-0": reading(64.6, "W"), "rapl/package-0/limit": reading(65, "W")}))
    add("governor powersave", "low-frequency", net(readings=served(frequency__below_nominal=reading(0.45))))
    add("a busy guest beside this one", "noisy-neighbour", net(readings=served(processors__stolen_share=reading(0.2), process__run_delay_share=reading(0.22), processors__idle_share=reading(0.05))))
    add("too little memory", "memory-pressure", net(readings=served(pressure__memory__some=reading(0.15))))
    add("memory of the other socket", "numa-remote", net(readings={**served(), "numa/node0/local_pages": reading(1e4), "numa/node0/remote_pages": reading(4e4)}))
    # structure
    odd = [fine("conv0", 1, after=(-1,)), layer("to_nchw", "Reorder", 0.5, flops=0, bytes_=20e9, weights=0, kernel="jit_avx512", after=(0,)),
           layer("deform", "DeformableConvolution", 0.8, flops=340e9, bytes_=12e9, after=(1,), layout="nchw"), layer("to_blocked", "Reorder", 0.6, flops=0, bytes_=20e9, weights=0, kernel="jit_avx512", after=(2,)),
           fine("conv1", 1, after=(3,))]
    add("one layer in another layout", "cascade", profile(odd))
    shapes = [layer(f"{kind}{i}", kind, 0.08, flops=0, bytes_=1e6, kernel="ref", efficiency=None, precision="i64", after=(), outputs=[{"type": "i64", "shape": [4]}])
              for i in range(6) for kind in ("ShapeOf", "Gather", "Concat", "Unsqueeze")]
    add("shapes computed by layers", "shape-subgraph", profile([fine(f"conv{i}", 1, after=()) for i in range(3)] + shapes))
    branches = [fine("stem", 0.5, after=(-1,), efficiency=0.9)] + [fine(f"branch{i}", 1, after=(0,), efficiency=0.72) for i in range(4)] + [fine("join", 0.5, after=(1, 2, 3, 4))]
    add("four branches in turn", "branches-in-turn", profile(branches))
    twice = [fine("conv0", 1, after=(-1,))] + [layer(f"softmax{i}", "Softmax", 1.0, flops=8e9, bytes_=20e9, weights=0, kernel="jit_avx512", after=(0,)) for i in range(3)] + [fine("conv1", 1, after=(1, 2, 3))]
    add("the same softmax three times", "duplicate-layers", profile(twice))
    dead = [fine("trunk", 3, after=(-1,)), fine("head", 1, after=(0,), answers=["scores"]), fine("aux1", 1, after=(0,)), fine("aux2", 1, after=(2,), answers=["embedding"])]
    add("an output that nobody reads", "dead-outputs", profile(dead, readings={"output/scores/asked": reading(1, "1", 400), "output/embedding/asked": reading(0, "1", 400)}))
    # change
    add("one layer 30 % slower", "regression", *changed(1.3))
    late = profile([fine(f"conv{i}", 1.0, after=(i - 1,), slices=slices_of(20, 1.0, 12, 1.6)) for i in range(6)], slices=slices_of(20, 6.1, 12, 1.6))
    add("slower since the middle", "slower-since", late)
    old = {"shape/x[1,64]": reading(0.9, "1", 500), "shape/x[1,256]": reading(0.1, "1", 500)}
    new = {"shape/x[1,64]": reading(0.2, "1", 500), "shape/x[1,256]": reading(0.8, "1", 500)}
    add("longer inputs than before", "shape-drift", net(readings=new), net(readings=old))
    add("darker images than before", "value-drift", net(readings={"input/x/mean": reading(0.1, "1", 300), "input/x/deviation": reading(0.2, "1", 300)}),
        net(readings={"input/x/mean": reading(0.45, "1", 300), "input/x/deviation": reading(0.25, "1", 300)}))
    return cases


def healthy():
    """(name, profile, baseline or None): nothing here is worth a word."""
    same, base = changed(1.0)
    return [
        ("a chain of convolutions", net(), None),
        ("int8 near its roof", profile([layer(f"q{i}", "Convolution", 1, flops=1000e9, bytes_=10e9, precision="u8", kernel="brgconv_avx512_vnni_u8", after=(i - 1,),
                                              inputs=[i8()], outputs=[i8()]) for i in range(6)]), None),
        ("quantised with steps that pay", profile(with_steps(True)), None),
        ("a served model", net(readings=served()), None),
        ("full batches", net(readings=served(serving__batch=reading(7.4), serving__batch_limit=reading(8), serving__in_flight=reading(9))), None),
        ("streams in use", net(threads=2, streams=4, readings=served(serving__in_flight=reading(3.8))), None),
        ("a busy GPU", profile([gpu(f"aten::conv2d_{i}", 0.5) for i in range(10)], readings={"device/idle_share": reading(0.05), "device/host_wait_share": reading(0.6),
                                                                                            "device/kernels": reading(60), "device/kernel_time": reading(90e-6, "s")}), None),
        ("the same as its baseline", same, base),
        ("open shapes, little between layers", net(static=False, outside_ms=0.1), None),
        ("a small reorder at the border", net(layer("reorder", "Reorder", 0.1, flops=0, bytes_=20e9, kernel="jit_avx512", after=(5,))), None),
        ("a table without work, threads or edges", profile([layer(f"op{i}", "Conv", 1, kernel="", efficiency=None, after=()) for i in range(8)]), None),
        ("branches of little time", profile([fine("stem", 4, after=(-1,)), fine("a", 0.2, after=(0,)), fine("b", 0.2, after=(0,)), fine("join", 2, after=(1, 2))]), None),
    ]
