"""The demo's own parts, without the program: what it draws can be read, and what it prints is right."""

import sys

import numpy as np
import pytest

import program

sys.path.insert(0, str(program.ROOT / "demo"))

import lines  # noqa: E402
import load  # noqa: E402
import ocr  # noqa: E402
import report  # noqa: E402


def test_the_bare_engine_reads_the_rendered_lines(bare_recogniser):
    drawn = lines.render(40)
    characters = ocr.alphabet(ocr.model_path())
    texts = [ocr.read_text(bare_recogniser.infer({ocr.INPUT: line.tensor})[ocr.OUTPUT][0], characters) for line in drawn]
    assert ocr.character_accuracy([line.text for line in drawn], texts) > 0.95


def test_the_same_seed_draws_the_same_lines():
    first, again, other = lines.render(3, seed=5), lines.render(3, seed=5), lines.render(3, seed=6)
    assert all((a.tensor == b.tensor).all() and a.text == b.text for a, b in zip(first, again))
    assert [line.text for line in first] != [line.text for line in other]


def scores(best: list[int]) -> np.ndarray:
    return np.eye(4, dtype=np.float32)[best]


@pytest.mark.parametrize(
    "best, text", [([], ""), ([0, 0], ""), ([1, 1, 0, 1, 2], "aab"), ([3, 0, 3, 3], "  "), ([1, 2, 2, 1], "aba")]
)
def test_repeats_are_joined_and_blanks_left_out(best, text):
    assert ocr.read_text(scores(best), ["", "a", "b", " "]) == text


def test_character_accuracy():
    assert ocr.edit_distance("", "abc") == 3
    assert ocr.edit_distance("kitten", "sitting") == 3
    assert ocr.character_accuracy(["abcd", "xy"], ["abxd", "xyz"]) == pytest.approx(1 - 2 / 6)


def test_report():
    slow = load.Window(seconds=2, milliseconds=[20.0] * 98 + [30.0] * 2)
    fast = load.Window(seconds=2, milliseconds=[10.0] * 200)
    rows = {"f32": (slow, 0.99), "Tachostat": (fast, 0.98)}
    text = "\n".join(report.speed(rows, "f32", {"f32": [slow], "Tachostat": [fast]}, lines=9))
    assert "50.0" in text and "100.0" in text and "99.00%" in text and "98.00%" in text
    assert "throughput 2.00 (2.00–2.00)" in text


def test_report_joins_refusals_with_the_same_reason():
    untried = [{"variant": name, "proposer": "precision", "reason": "no bf16 here"} for name in ("a", "b")]
    text = report.trials({"trials": [], "refused_untried": untried})
    assert text == ["  untried  precision, 2 variants: no bf16 here"]
