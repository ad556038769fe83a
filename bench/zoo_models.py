"""The benchmark zoo: real models out of packages and published shapes with seeded weights, each with data that it is judged on.

Nothing is downloaded; what is made goes to bench/work, once. Run by itself it makes all of it; bench/zoo_check.py checks it."""

import os
import pathlib
from dataclasses import dataclass

import common
import zoo_data
import zoo_encoder
import zoo_files
import zoo_networks
import zoo_pictures
import zoo_sentences
import zoo_speech


@dataclass(frozen=True)
class Case:
    name: str
    model: str  # path
    data: str  # path of what `tachostat optimize --data` reads
    metric: str  # for `tachostat optimize --metric`; empty: what suits the data
    shapes: dict  # of one request, by input


def _rapidocr(stem):
    return lambda: common.rapidocr_model(stem)


def _network(build):
    return lambda: zoo_networks.network(build)


PICTURE = {"x": [1, 3, zoo_pictures.SIZE, zoo_pictures.SIZE]}
SOUND = {"input": [1, zoo_speech.CONTEXT + zoo_speech.CHUNK], "state": [2, 1, 128]}
SENTENCE = {"input_ids": [1, zoo_encoder.TOKENS], "attention_mask": [1, zoo_encoder.TOKENS]}
# The name, what makes the model and its data, the metric, the shapes.
ZOO = [
    ("OCR detector", _rapidocr("PP-OCRv6_det_small"), zoo_data.pages, "map", {"x": [1, 3, zoo_data.PAGE, zoo_data.PAGE]}),
    ("OCR recogniser", common.recogniser, zoo_data.recogniser, "text", {"x": [1, 3, 48, 320]}),
    ("OCR direction classifier", _rapidocr("ch_ppocr_mobile_v2.0_cls_mobile"), zoo_data.direction, "top1", {"x": [1, 3, 48, 192]}),
    ("Magika file types", zoo_files.model, zoo_files.files, "top1", {"bytes": [1, 2048]}),
    # Cosine judges the state that it hands on; its only other output is one number, which always points the same way.
    ("Silero voice activity", zoo_speech.model, zoo_speech.chunks, "cosine", SOUND),
    ("MiniLM sentence encoder", zoo_encoder.encoder, zoo_sentences.sentences, "cosine", SENTENCE),
    # Seeded weights know no classes: which of 1000 meaningless ones comes out largest is often nearly a tie, so the whole answer is compared.
    ("ResNet-50, seeded", _network(zoo_networks.resnet_50), zoo_pictures.pictures, "cosine", PICTURE),
    ("MobileNetV2, seeded", _network(zoo_networks.mobilenet_v2), zoo_pictures.pictures, "cosine", PICTURE),
]


def names():
    return [name for name, *_ in ZOO]


def cases(only=""):
    """Those that have one of `only`'s words (with commas between) in their names; what is missing of them is made."""
    words = only.split(",")
    return [Case(name, model(), data(), metric, shapes) for name, model, data, metric, shapes in ZOO if any(word in name for word in words)]


def main():
    import numpy as np

    def samples(path):
        loaded = np.load(path, mmap_mode="r")
        return len(loaded if path.endswith(".npy") else loaded[loaded.files[0]])

    size = lambda path: f"{os.path.getsize(path) / 1e6:.1f} MB"
    made = cases()
    common.table(["model", "its size", "samples", "their size", "metric", "data"],
                 [[case.name, size(case.model), samples(case.data), size(case.data), case.metric, pathlib.Path(case.data).name] for case in made])


if __name__ == "__main__":
    main()
