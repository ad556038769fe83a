"""The text recogniser as a client sees it: where the model is, what goes in, and how its answer is read."""

import importlib.util
from pathlib import Path

import numpy as np
import openvino

INPUT, OUTPUT = "x", "fetch_name_0"
HEIGHT, WIDTH = 48, 320  # one input line, in pixels
BLANK = 0  # CTC's "no character here"


def model_path() -> Path:
    """The PP-OCRv6 recogniser inside the rapidocr package, of which only the files are used."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package 'rapidocr' is not installed: run deps/install")
    path = Path(spec.origin).parent / "models" / "PP-OCRv6_rec_small.onnx"
    if not path.is_file():
        raise RuntimeError(f"no model at {path}: expected it in the package 'rapidocr'")
    return path


def alphabet(path: Path) -> list[str]:
    """Class number to character, as the model file's own metadata tells it."""
    model = openvino.Core().read_model(path)
    characters = model.get_rt_info(["framework", "character"]).value.split("\n")
    return ["", *characters, " "]


def pixels_to_input(line: np.ndarray) -> np.ndarray:
    """RGB pixels [height, width, 3] of one line to the recogniser's [1, 3, 48, 320]; it was trained on BGR."""
    if line.shape[0] != HEIGHT or line.shape[1] > WIDTH:
        raise ValueError(f"line of {line.shape[1]}x{line.shape[0]}: expected at most {WIDTH}x{HEIGHT}")
    planes = np.zeros((1, 3, HEIGHT, WIDTH), np.float32)
    scaled = (line[:, :, ::-1].astype(np.float32) / 255 - 0.5) / 0.5
    planes[0, :, :, : line.shape[1]] = scaled.transpose(2, 0, 1)
    return planes


def read_text(scores: np.ndarray, characters: list[str]) -> str:
    """Scores [steps, classes] to text: the best class of each step, repeats joined, blanks left out."""
    best = scores.argmax(axis=-1)
    first_of_run = np.ones(len(best), bool)
    first_of_run[1:] = best[1:] != best[:-1]
    return "".join(characters[k] for k in best[first_of_run & (best != BLANK)])


def edit_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]


def character_accuracy(truths: list[str], texts: list[str]) -> float:
    """1 - character error rate over all lines together."""
    wrong = sum(edit_distance(truth, text) for truth, text in zip(truths, texts, strict=True))
    return 1 - wrong / sum(len(truth) for truth in truths)
