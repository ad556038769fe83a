"""ResNet-50 and MobileNetV2 as ONNX files: published shapes, seeded weights, and the normalisation that training would have left in them.

Plain random weights make every picture look alike after fifty layers. So each network is first run with batch normalisation measured on a few
pictures of its own, and what was measured is folded into weights and biases, as exporters fold a trained network's."""

import common
import numpy as np
import zoo_pictures
from onnx import TensorProto, checker, helper, numpy_helper, save

VERSION = 1  # of the networks: raise it when files of the same name would differ
OPSET, IR_VERSION = 17, 9
MEASURED, MEASURED_SEED = 32, 1004  # pictures that the normalisation is measured on; none of them is in the data
EPSILON = 1e-5


class Network:
    """Nodes and weights as they are added. Without `statistics` (a mean and a variance for each of `normalised`, in order) they are made outputs."""

    def __init__(self, seed, statistics=None):
        self.random, self.statistics = np.random.default_rng(seed), statistics
        self.nodes, self.weights, self.measured, self.folded = [], [], [], 0

    def constant(self, array):
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind, *inputs, **attributes):
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def normalised(self, product, weights, channel_shape, axes):
        """`product(weights, bias)` with a mean and deviation for each channel as training leaves them: near 0 and 1, and not the same."""
        channels = weights.shape[0]
        scale, shift = self.random.uniform(0.5, 1.5, channels), self.random.normal(0, 0.2, channels)
        by_channel = lambda values: self.constant(values.reshape(channel_shape).astype(np.float32))
        if self.statistics:
            mean, variance = self.statistics[2 * self.folded].ravel(), self.statistics[2 * self.folded + 1].ravel()
            self.folded += 1
            factor = scale / np.sqrt(variance + EPSILON)
            weights = weights * factor.reshape([-1] + [1] * (weights.ndim - 1))
            return product(self.constant(weights.astype(np.float32)), self.constant((shift - mean * factor).astype(np.float32)))
        y = product(self.constant(weights.astype(np.float32)), self.constant(np.zeros(channels, np.float32)))
        mean = self.add("ReduceMean", y, axes=axes)
        centred = self.add("Sub", y, mean)
        variance = self.add("ReduceMean", self.add("Mul", centred, centred), axes=axes)
        self.measured += [mean, variance]
        deviation = self.add("Sqrt", self.add("Add", variance, self.constant(np.array(EPSILON, np.float32))))
        return self.add("Add", self.add("Mul", self.add("Div", centred, deviation), by_channel(scale)), by_channel(shift))

    def convolution(self, x, channels_in, channels_out, size, stride=1, groups=1):
        inputs = channels_in // groups * size * size
        weights = self.random.standard_normal((channels_out, channels_in // groups, size, size)) * np.sqrt(2 / inputs)

        def product(w, b):
            return self.add("Conv", x, w, b, kernel_shape=[size, size], strides=[stride, stride], pads=[size // 2] * 4, group=groups)

        return self.normalised(product, weights, (1, -1, 1, 1), [0, 2, 3])

    def classifier(self, x, channels, classes=1000):
        y = self.add("Flatten", self.add("GlobalAveragePool", x))
        weights = self.random.standard_normal((classes, channels)) / np.sqrt(channels)
        return self.normalised(lambda w, b: self.add("Gemm", y, w, b, transB=1), weights, (1, -1), [0])

    def relu(self, x):
        return self.add("Relu", x)

    def relu_6(self, x):
        return self.add("Clip", x, self.constant(np.array(0, np.float32)), self.constant(np.array(6, np.float32)))

    def model(self, name, logits):
        """Of one picture; to measure with, of as many as are measured on."""
        count, outputs = (1, [logits]) if self.statistics else (MEASURED, self.measured)
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [count, 3, zoo_pictures.SIZE, zoo_pictures.SIZE])
        if self.statistics:
            self.nodes.append(helper.make_node("Identity", [logits], ["logits"], "logits"))
            results = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1000])]
        else:
            results = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None) for output in outputs]
        graph = helper.make_graph(self.nodes, name, [given], results, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="tachostat-bench")


def resnet_50(net):
    """He et al., CVPR 2016, table 1; the stride stands in the 3×3, as in today's trained ones."""
    y = net.relu(net.convolution("x", 3, 64, 7, 2))
    y = net.add("MaxPool", y, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for inner, repeats, first in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
        for i in range(repeats):
            stride = first if i == 0 else 1
            z = net.relu(net.convolution(y, channels, inner, 1))
            z = net.relu(net.convolution(z, inner, inner, 3, stride))
            z = net.convolution(z, inner, 4 * inner, 1)
            shortcut = net.convolution(y, channels, 4 * inner, 1, stride) if i == 0 else y
            y = net.relu(net.add("Add", z, shortcut))
            channels = 4 * inner
    return net.classifier(y, channels)


def mobilenet_v2(net):
    """Sandler et al., CVPR 2018, table 2."""
    y = net.relu_6(net.convolution("x", 3, 32, 3, 2))
    channels = 32
    for factor, wide, repeats, first in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
        for i in range(repeats):
            inner = channels * factor
            z = y if factor == 1 else net.relu_6(net.convolution(y, channels, inner, 1))
            z = net.relu_6(net.convolution(z, inner, inner, 3, first if i == 0 else 1, groups=inner))
            z = net.convolution(z, inner, wide, 1)
            y = net.add("Add", y, z) if i > 0 else z
            channels = wide
    return net.classifier(net.relu_6(net.convolution(y, channels, 1280, 1)), 1280)


def _measured(build, seed):
    import onnxruntime

    net = Network(seed)
    model = net.model("measured", build(net))
    pictures = np.stack(list(zoo_pictures.drawn(MEASURED, MEASURED_SEED)))
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": pictures})


def network(build, seed=1):
    """The ONNX file of a network of this module."""

    def make(path):
        net = Network(seed, _measured(build, seed))
        model = net.model(build.__name__, build(net))
        checker.check_model(model)
        save(model, path)

    return common.made_once(f"zoo_{build.__name__}_s{seed}_v{VERSION}.onnx", make)
