"""Models to serve: small ones made here, and the recogniser that comes in a package. And the bare engine's answers."""

import importlib.util
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

TYPES = {
    "f16": np.float16, "f32": np.float32, "f64": np.float64, "bool": np.bool_,
    "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64,
}  # fmt: skip


def _port(shape, numpy_type, name: str):
    port = ops.parameter(shape, numpy_type, name=name)
    port.output(0).get_tensor().set_names({name})
    return port


def _result(node, name: str):
    node.output(0).get_tensor().set_names({name})
    return ops.result(node, name=f"{name}/result")


def save_arith(path: Path) -> Path:
    """sum = a + b and twice = 2 b, over rows of three; a and sum are f32, b and twice are i32."""
    a, b = _port([-1, 3], np.float32, "a"), _port([-1, 3], np.int32, "b")
    total = _result(ops.add(a, ops.convert(b, "f32")), "sum")
    twice = _result(ops.multiply(b, ops.constant(np.int32(2))), "twice")
    ov.save_model(ov.Model([total, twice], [a, b], "arith"), path, compress_to_fp16=False)
    return path


def save_types(path: Path) -> Path:
    """One input and one output of every type: each row twice, side by side."""
    inputs = [_port([-1, 2], numpy_type, f"in_{name}") for name, numpy_type in TYPES.items()]
    outputs = [
        _result(ops.concat([port, port], 1), port.get_friendly_name().replace("in_", "out_")) for port in inputs
    ]
    ov.save_model(ov.Model(outputs, inputs, "types"), path, compress_to_fp16=False)
    return path


def recogniser() -> Path:
    """The text recogniser: input x [?,3,48,?], output fetch_name_0 [?,?,18710]."""
    spec = importlib.util.find_spec("rapidocr")
    assert spec is not None and spec.origin is not None, "the package 'rapidocr' is not installed"
    return Path(spec.origin).parent / "models/PP-OCRv6_rec_small.onnx"


# The variant that the tests serve, as flags of ours and as properties of the engine. Same threads, same sums.
FLAGS = ("--precision", "f32", "--threads", "2", "--streams", "1")
PROPERTIES = {
    "INFERENCE_PRECISION_HINT": "f32",
    "INFERENCE_NUM_THREADS": 2,
    "NUM_STREAMS": 1,
    "ENABLE_CPU_PINNING": False,
}


class BareEngine:
    """The same variant without any of our code: what answers must equal bit for bit."""

    def __init__(self, path: Path):
        model = ov.Core().read_model(path)
        self.layer_names = {node.get_friendly_name() for node in model.get_ops()}
        self.compiled = ov.Core().compile_model(path, "CPU", PROPERTIES)

    def infer(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs = self.compiled(inputs)
        return {port.get_any_name(): np.array(outputs[port]) for port in self.compiled.outputs}


def text_line(seed: int, width: int = 320) -> np.ndarray:
    """An input of the recogniser; values as its preprocessing makes them."""
    return np.random.default_rng(seed).uniform(-1, 1, (1, 3, 48, width)).astype(np.float32)
