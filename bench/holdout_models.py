"""Models that no rule was tuned on: published shapes with seeded weights, and models of wheels. bench/gains.py holds the rules against them."""

import numpy as np
import openvino as ov
from openvino import opset13 as op

import common
from planted_models import save, weights


def convolution(x, channels_in, channels_out, size, stride, seed):
    pad = size // 2
    return op.convolution(x, weights(channels_out, channels_in, size, size, seed=seed), [stride, stride], [pad, pad], [pad, pad], [1, 1])


def depthwise(x, channels, stride, seed):
    return op.group_convolution(x, weights(channels, 1, 1, 3, 3, seed=seed), [stride, stride], [1, 1], [1, 1], [1, 1])


def image(size):
    return op.parameter([-1, 3, size, size], np.float32, name="x")


def ending(y, channels, classes=1000):
    y = op.reduce_mean(y, op.constant(np.array([2, 3])), False)
    return op.softmax(op.matmul(y, weights(channels, classes), False, False), 1)


def mobilenet_v2():
    """Sandler et al., CVPR 2018, table 2."""
    x = image(224)
    seed = iter(range(1000))
    y = op.clamp(convolution(x, 3, 32, 3, 2, next(seed)), 0, 6)
    channels = 32
    for factor, wide, repeats, stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
        for i in range(repeats):
            inner = channels * factor
            z = y if factor == 1 else op.clamp(convolution(y, channels, inner, 1, 1, next(seed)), 0, 6)
            z = op.clamp(depthwise(z, inner, stride if i == 0 else 1, next(seed)), 0, 6)
            z = convolution(z, inner, wide, 1, 1, next(seed))
            y = op.add(y, z) if i > 0 else z
            channels = wide
    y = op.clamp(convolution(y, 320, 1280, 1, 1, next(seed)), 0, 6)
    return save("mobilenet_v2", [ending(y, 1280)], [x])


def resnet_50():
    """He et al., CVPR 2016, table 1."""
    x = image(224)
    seed = iter(range(1000))
    y = op.relu(convolution(x, 3, 64, 7, 2, next(seed)))
    y = op.max_pool(y, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)
    channels = 64
    for inner, repeats, stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
        for i in range(repeats):
            step = stride if i == 0 else 1
            z = op.relu(convolution(y, channels, inner, 1, 1, next(seed)))
            z = op.relu(convolution(z, inner, inner, 3, step, next(seed)))
            z = convolution(z, inner, 4 * inner, 1, 1, next(seed))
            shortcut = convolution(y, channels, 4 * inner, 1, step, next(seed)) if i == 0 else y
            y = op.relu(op.add(shortcut, z))
            channels = 4 * inner
    return save("resnet_50", [ending(y, 2048)], [x])


def squeezenet():
    """Iandola et al., 2016, version 1.1."""
    x = image(224)
    seed = iter(range(1000))
    pool = lambda y: op.max_pool(y, [2, 2], [1, 1], [0, 0], [0, 0], [3, 3]).output(0)
    y = pool(op.relu(convolution(x, 3, 64, 3, 2, next(seed))))
    channels = 64
    for i, (squeezed, wide) in enumerate([(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)]):
        z = op.relu(convolution(y, channels, squeezed, 1, 1, next(seed)))
        y = op.concat([op.relu(convolution(z, squeezed, wide, size, 1, next(seed))) for size in (1, 3)], 1)
        channels = 2 * wide
        if i in (1, 3):
            y = pool(y)
    return save("squeezenet", [ending(y, 512)], [x])


def encoder():
    """Two layers of a transformer's encoder (Vaswani et al., 2017): 128 tokens of 256 numbers, 4 heads."""
    tokens, wide, heads = 128, 256, 4
    x = op.parameter([-1, tokens, wide], np.float32, name="x")
    seed = iter(range(1000))
    shape = lambda *dimensions: op.constant(np.array(dimensions))

    def split(y):
        return op.transpose(op.reshape(op.matmul(y, weights(wide, wide, seed=next(seed)), False, False), shape(0, tokens, heads, wide // heads), True),
                            shape(0, 2, 1, 3))

    def normal(y):
        return op.mvn(y, shape(2), True, 1e-5, "inside_sqrt")

    y = x
    for _ in range(2):
        query, key, value = split(y), split(y), split(y)
        seen = op.softmax(op.multiply(op.matmul(query, key, False, True), op.constant(np.float32(0.125))), 3)
        joined = op.reshape(op.transpose(op.matmul(seen, value, False, False), shape(0, 2, 1, 3)), shape(0, tokens, wide), True)
        y = normal(op.add(y, op.matmul(joined, weights(wide, wide, seed=next(seed)), False, False)))
        inner = op.gelu(op.matmul(y, weights(wide, 4 * wide, seed=next(seed)), False, False), "erf")
        y = normal(op.add(y, op.matmul(inner, weights(4 * wide, wide, seed=next(seed)), False, False)))
    return save("encoder", [y], [x])


def cases():
    few, more, many = 30, 60, 300
    one = {"threads": 1}

    def case(name, path, shapes, requests, variant=None, integers=True):
        return {"name": name, "path": str(path), "shapes": shapes, "variant": variant or {}, "requests": requests, "integers": integers, "half": "holdout"}

    picture, small = {"x": [1, 3, 224, 224]}, {"x": [1, 3, 96, 96]}
    found = [
        case("MobileNetV2", mobilenet_v2(), picture, more),
        case("MobileNetV2, one thread", mobilenet_v2(), picture, more, one),
        case("ResNet-50", resnet_50(), picture, few),
        case("ResNet-50, one thread", resnet_50(), picture, few, one),
        case("SqueezeNet", squeezenet(), picture, more),
        case("encoder", encoder(), {"x": [1, 128, 256]}, more),
        case("encoder, one thread", encoder(), {"x": [1, 128, 256]}, more, one),
    ]
    magika = common.wheel_file("magika/models/standard_v3_3/model.onnx")
    if magika:
        found.append(case("Magika", magika, {"bytes": [1, 2048]}, many))
        found.append(case("Magika, one thread", magika, {"bytes": [1, 2048]}, many, one))
    silero = common.wheel_file("silero_vad/data/silero_vad_openvino_16k.onnx")
    if silero:
        found.append(case("Silero", silero, {"input": [1, 576], "state": [2, 1, 128]}, many, integers=False))
    return found
