"""The same rules on other tools' profiles: ONNX Runtime's own profile of two models, and an XPlane trace where JAX is installed. Prints what
`tachostat diagnose` makes of each."""

import glob
import pathlib
import subprocess
import tempfile

import common

REQUESTS = 40


def onnxruntime_profile(path, feed, folder):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(folder / pathlib.Path(path).stem)
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    for _ in range(REQUESTS):
        session.run(None, feed)
    return session.end_profiling()


def dynamic_int8(path, folder):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target = folder / "recogniser_dynamic.onnx"
    quantize_dynamic(path, target, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Conv"])
    return target


def xplane(folder):
    """Convolutions in the order that PyTorch has, in JAX; nothing when JAX is not installed."""
    try:
        import jax
    except ImportError:
        return None
    key = jax.random.PRNGKey(0)
    w = [jax.random.normal(jax.random.fold_in(key, i), (32, 32, 3, 3)) * 0.05 for i in range(4)]

    @jax.jit
    def net(x):
        for one in w:
            x = jax.nn.relu(jax.lax.conv_general_dilated(x, one, (1, 1), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW")))
        return x

    x = jax.random.normal(key, (1, 32, 56, 56))
    net(x).block_until_ready()
    with jax.profiler.trace(str(folder / "jax")):
        for _ in range(REQUESTS):
            net(x).block_until_ready()
    return glob.glob(str(folder / "jax/**/*.xplane.pb"), recursive=True)[0]


def diagnose(path, folder):
    profile = folder / "profile.json"
    subprocess.run([common.TACHOSTAT, "import", path, "--format", "json", "-o", profile], check=True, capture_output=True)
    return subprocess.run([common.TACHOSTAT, "diagnose", profile], check=True, capture_output=True, text=True).stdout


def main():
    import numpy as np

    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        random = np.random.default_rng(0)
        line = {"x": random.random((1, 3, 48, 320), np.float32)}
        image = {"x": random.random((1, 3, 320, 320), np.float32)}
        traces = [("ONNX Runtime, OCR detector", onnxruntime_profile(common.rapidocr_model("PP-OCRv6_det_small"), image, folder)),
                  ("ONNX Runtime, recogniser in dynamic int8", onnxruntime_profile(dynamic_int8(common.recogniser(), folder), line, folder)),
                  ("JAX (XPlane), convolutions in NCHW", xplane(folder))]
        for what, path in traces:
            if path is None:
                print(f"{what}: not installed\n")
                continue
            text = diagnose(path, folder)
            print(f"{what}\n\n{text}")
            rows.append({"trace": what, "findings": text.splitlines()})
    common.write_results("foreign", "./run bench foreign", rows)
