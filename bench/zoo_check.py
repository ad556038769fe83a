"""Checks the zoo: OpenVINO and ONNX Runtime give the same for each model, labels are what the models mostly say, answers differ from sample to
sample, and the sentence encoder is what NumPy makes of the same weights."""

import sys

import common
import numpy as np
import zoo_encoder
import zoo_models
import zoo_sentences

COMPARED, LOOKED_AT = 3, 40


def samples(case, count):
    """The first as requests, and their labels."""
    loaded = np.load(case.data, mmap_mode="r")
    arrays = {next(iter(case.shapes)): loaded} if case.data.endswith(".npy") else {name: loaded[name] for name in loaded.files}
    widened = lambda array: array.astype(np.float32) if array.dtype == np.float16 else array
    requests = [{name: widened(arrays[name][i]).reshape(shape) for name, shape in case.shapes.items()} for i in range(count)]
    return requests, arrays.get("labels", [])[:count]


def by_onnx_runtime(case, requests):
    import onnxruntime

    session = onnxruntime.InferenceSession(case.model)
    return [session.run(None, request) for request in requests]


def by_openvino(case, requests):
    import openvino

    compiled = openvino.Core().compile_model(case.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return [[np.array(compiled(request)[port]) for port in compiled.outputs] for request in requests]


def difference(one, other):
    """The largest, in shares of the largest number where that is over 1."""
    return max(np.abs(a - b).max() / max(1, np.abs(a).max()) for left, right in zip(one, other) for a, b in zip(left, right))


def by_numpy(ids, mask):
    """The sentence encoder again, one sentence at a time and without the padding, from the package's own names."""
    from safetensors.numpy import load_file
    from scipy.special import erf, softmax

    w = load_file(zoo_encoder.file("model.safetensors"))
    dense = lambda x, name: x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def normal(x, name):
        x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-12)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    count = int(mask.sum())
    names = ("word", "position", "token_type")
    x = sum(w[f"embeddings.{name}_embeddings.weight"][at] for name, at in zip(names, (ids[:count], np.arange(count), np.zeros(count, int))))
    x = normal(x, "embeddings.LayerNorm")
    for layer in (f"encoder.layer.{i}" for i in range(6)):
        q, k, v = (dense(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value"))
        seen = [softmax(q[:, at] @ k[:, at].T / np.sqrt(32), 1) @ v[:, at] for at in (slice(32 * head, 32 * head + 32) for head in range(12))]
        x = normal(x + dense(np.hstack(seen), f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
        y = dense(x, f"{layer}.intermediate.dense")
        x = normal(x + dense(y * (1 + erf(y / np.sqrt(2))) / 2, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def check_encoder(case):
    """The graph against NumPy, and the meaning of a few sentences."""
    given = zoo_sentences.tokens(["A man is eating food.", "Someone has a meal.", "The matrix is inverted."])
    requests = [{name: rows[i : i + 1] for name, rows in given.items()} for i in range(3)]
    said = np.concatenate([one[0] for one in by_onnx_runtime(case, requests)])
    alike, other = said[0] @ said[1], said[0] @ said[2]
    away = np.abs(said - [by_numpy(ids, mask) for ids, mask in zip(given["input_ids"], given["attention_mask"])]).max()
    print(f"sentence encoder: {away:.1g} from NumPy; cosine {alike:.2f} of two sentences that mean the same, {other:.2f} of two that do not")
    return away < 1e-5 and alike > other + 0.3


def answers(case, said, labels):
    """How they differ, or how often they are the label."""
    first = [one[0] for one in said]
    if case.metric == "top1":
        return f"{np.mean([one.argmax() == label for one, label in zip(first, labels)]):.0%} right"
    flat = np.array([one.ravel() for one in first])
    if flat.shape[1] == 1:
        return f"{flat.min():.2f} to {flat.max():.2f}"
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    return f"cosine {np.median((unit @ unit.T)[np.triu_indices(len(unit), 1)]):.2f} between samples, {len(set(flat.argmax(1)))} largest"


def main():
    rows, good = [], True
    for case in zoo_models.cases():
        requests, labels = samples(case, LOOKED_AT)
        said = by_onnx_runtime(case, requests)
        away = difference(said[:COMPARED], by_openvino(case, requests[:COMPARED]))
        good &= bool(away < 1e-3)
        rows.append([case.name, f"{away:.1g}", answers(case, said, labels)])
    common.table(["model", "OpenVINO from ONNX Runtime", f"answers to {LOOKED_AT} samples"], rows)
    good &= all([check_encoder(case) for case in zoo_models.cases("MiniLM")])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
