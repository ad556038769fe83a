"""Makes the samples of this folder with the real tools, in an environment that has torch, onnxruntime, onnx, jax[cpu] or tensorflow-cpu:
python make_samples.py pytorch|onnxruntime|jax|tensorflow"""

import glob
import gzip
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def pytorch():
    import torch
    from torch import nn
    from torch.profiler import ProfilerActivity, profile, record_function, schedule

    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
                        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 10)).eval()
    x = torch.randn(1, 3, 32, 32)
    cpu = [ProfilerActivity.CPU]
    with torch.inference_mode():
        net(x)
        steps = str(HERE / "pytorch_steps.json.gz")
        with profile(activities=cpu, record_shapes=True, schedule=schedule(wait=0, warmup=1, active=2),
                     on_trace_ready=lambda p: p.export_chrome_trace(steps)) as p:
            for _ in range(3):
                net(x)
                p.step()
        with profile(activities=cpu, record_shapes=True, profile_memory=True, with_stack=True, with_modules=True) as p:
            with record_function("model_inference"):
                net(x)
        p.export_chrome_trace(str(HERE / "pytorch_stack.json.gz"))


def onnxruntime():
    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    w = numpy_helper.from_array(rng.standard_normal((8, 3, 3, 3)).astype(np.float32), "w")
    m = numpy_helper.from_array(rng.standard_normal((8, 4)).astype(np.float32), "m")
    branch = lambda op: helper.make_graph([helper.make_node(op, ["r"], [f"{op}_y"], name=f"branch_{op}")], op, [],
                                          [helper.make_tensor_value_info(f"{op}_y", TensorProto.FLOAT, None)])
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("If", ["flag"], ["i"], name="choose", then_branch=branch("Exp"), else_branch=branch("Sin")),
        helper.make_node("GlobalAveragePool", ["i"], ["g"], name="pool"),
        helper.make_node("Flatten", ["g"], ["f"], name="flatten"),
        helper.make_node("MatMul", ["f", "m"], ["y"], name="matmul"),
    ]
    graph = helper.make_graph(nodes, "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16]),
                                               helper.make_tensor_value_info("flag", TensorProto.BOOL, [])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])], [w, m])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.enable_profiling = True
        options.profile_file_prefix = f"{folder}/profile"
        session = ort.InferenceSession(model.SerializeToString(), options)
        for flag in (True, True, False):
            session.run(None, {"x": rng.standard_normal((1, 3, 16, 16)).astype(np.float32), "flag": np.array(flag)})
        shutil.copy(session.end_profiling(), HERE / "onnxruntime.json")


def jax():
    import jax
    import jax.numpy as jnp

    @jax.jit
    def net(x, w1, w2):
        h = jax.nn.relu(jax.lax.conv_general_dilated(x, w1, (1, 1), "SAME"))
        return jax.nn.softmax(h.reshape(h.shape[0], -1) @ w2)

    key = jax.random.PRNGKey(0)
    args = [jax.random.normal(key, shape) for shape in ((4, 3, 32, 32), (16, 3, 3, 3), (16 * 32 * 32, 10))]
    net(*args).block_until_ready()
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, profiler_options=options):
            for step in range(3):
                with jax.profiler.StepTraceAnnotation("infer", step_num=step):
                    net(*args).block_until_ready()
        keep_xplane(folder, "jax.xplane.pb.gz")


def tensorflow():
    import tensorflow as tf

    tf.random.set_seed(0)
    layers = tf.keras.layers
    net = tf.keras.Sequential([layers.Input((32, 32, 3)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(10)])
    run = tf.function(lambda x: net(x))
    x = tf.random.normal((1, 32, 32, 3))
    run(x)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for step in range(3):
            with tf.profiler.experimental.Trace("infer", step_num=step, _r=1):
                run(x)
        tf.profiler.experimental.stop()
        keep_xplane(folder, "tensorflow.xplane.pb.gz")


def keep_xplane(folder, name):
    (file,) = glob.glob(f"{folder}/**/*.xplane.pb", recursive=True)
    data = pathlib.Path(file).read_bytes()
    # Paths of the machine are in it: blotted out, at the same length.
    for path in (str(HERE).encode(), str(folder).encode()):
        data = data.replace(path, b"_" * len(path))
    with gzip.GzipFile(HERE / name, "wb", mtime=0) as packed:
        packed.write(data)



for name in sys.argv[1:]:
    {"pytorch": pytorch, "onnxruntime": onnxruntime, "jax": jax, "tensorflow": tensorflow}[name]()
