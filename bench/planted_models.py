"""Models with one planted bottleneck each, built here and measured by `tachostat diagnose MODEL`; and healthy ones."""

import numpy as np
import openvino as ov
from openvino import opset13 as op

import common
import quantised


def save(name, results, parameters):
    common.WORK.mkdir(parents=True, exist_ok=True)
    path = common.WORK / f"planted_{name}.xml"
    outputs = [one.output(0) if isinstance(one, ov.Node) else one for one in results]
    ov.save_model(ov.Model(outputs, parameters, name), str(path), compress_to_fp16=False)
    return path


def weights(*shape, seed=1):
    return op.constant((np.random.default_rng(seed).standard_normal(shape) * 0.05).astype(np.float32))


def convolution(x, channels_in, channels_out, size=3, seed=1, relu=True):
    pad = size // 2
    y = op.convolution(x, weights(channels_out, channels_in, size, size, seed=seed), [1, 1], [pad, pad], [pad, pad], [1, 1])
    return op.relu(y) if relu else y


def pooled(y):
    return op.max_pool(y, [1, 1], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)


def heavy_weights():
    x = op.parameter([1, 4096], np.float32, name="x")
    y = x
    for i in range(4):
        y = op.relu(op.matmul(y, weights(4096, 4096, seed=i), False, True))
    return save("heavy_weights", [y], [x])


def dense():
    x = op.parameter([1, 128, 56, 56], np.float32, name="x")
    y = x
    for i in range(6):
        y = convolution(y, 128, 128, seed=i)
    return save("dense", [y], [x])


def recurrence():
    x = op.parameter([1, 64, 128], np.float32, name="x")
    hidden = 128
    zeros = op.constant(np.zeros([1, 1, hidden], np.float32))
    y = op.lstm_sequence(x, zeros, zeros, op.constant(np.array([64])), weights(1, 4 * hidden, 128), weights(1, 4 * hidden, hidden, seed=2),
                         op.constant(np.zeros([1, 4 * hidden], np.float32)), hidden, "forward")
    return save("recurrence", [y.output(0)], [x])


def tiny_layers():
    x = op.parameter([1, 8, 16, 16], np.float32, name="x")
    y = x
    for i in range(150):
        y = pooled(y) if i % 2 else convolution(y, 8, 8, size=3, seed=i)
    return save("tiny_layers", [y], [x])


def open_shapes():
    x = op.parameter([-1, 16, -1, -1], np.float32, name="x")
    y = x
    for i in range(60):
        y = convolution(y, 16, 16, size=1, seed=i)
        y = pooled(y)
    return save("open_shapes", [y], [x])


def transposes():
    x = op.parameter([1, 64, 96, 96], np.float32, name="x")
    y = x
    for i in range(6):
        y = convolution(y, 64, 64, size=1, seed=i)
        y = op.transpose(y, op.constant(np.array([0, 1, 3, 2])))
    return save("transposes", [y], [x])


def copies():
    x = op.parameter([1, 4, 128, 128], np.float32, name="x")
    y = convolution(x, 4, 64, size=1)
    for i in range(8):
        y = op.pad(y, op.constant(np.array([0, 0, 1, 1])), op.constant(np.array([0, 0, 1, 1])), "constant", op.constant(np.float32(i)))
    return save("copies", [convolution(y, 64, 4, size=1, seed=2)], [x])


def needless_quantisers():
    """Large tensors are quantised, each for a product of next to nothing."""
    x = op.parameter([1, 64, 112, 112], np.float32, name="x")
    y = convolution(x, 64, 64, size=1)
    answers = []
    for i in range(6):
        y = pooled(y)
        low, high = op.constant(np.float32(0)), op.constant(np.float32(2 + 0.1 * i))
        w = op.fake_quantize(weights(2, 64, 1, 1, seed=i), op.constant(np.float32(-0.2)), op.constant(np.float32(0.2)),
                             op.constant(np.float32(-0.2)), op.constant(np.float32(0.2)), 255)
        answers.append(op.convolution(op.fake_quantize(y, low, high, low, high, 256), w, [1, 1], [0, 0], [0, 0], [1, 1]))
    return save("needless_quantisers", [*answers, pooled(y)], [x])


def cases():
    """(name, rule that must come first or None, arguments of `tachostat diagnose`)"""
    r = ["--requests", 60]
    return [
        ("64 MiB of weights for each request", "memory-bound", [heavy_weights(), *r, "--static"]),
        ("dense convolutions", "compute-bound", [dense(), *r, "--static"]),
        ("an LSTM, which this engine has a reference kernel for", "slow-kernel", [recurrence(), *r, "--static"]),
        ("150 tiny layers", "small-layers", [tiny_layers(), *r, "--static"]),
        ("open shapes, 120 small layers", "dynamic-shapes", [open_shapes(), "--shape", "x[1,16,16,16]", "--threads", 1, *r]),
        ("transposes between convolutions", "reorders", [transposes(), *r, "--static"]),
        ("six pads in a row", "output-copies", [copies(), *r, "--static"]),
        ("quantisers where nothing is multiplied", "standalone-quantise", [needless_quantisers(), *r, "--static"]),
    ]
