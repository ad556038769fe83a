"""Data for the sentence encoder: sentences from the documentation inside pinned packages, so the same on every machine, as the model's tokens."""

import ast
import pathlib
import random
import re

import common
import numpy as np
import zoo_encoder

VERSION = 1  # of the choice of sentences: raise it when files of the same name would differ
PACKAGES = ["networkx", "numpy", "scipy", "sklearn"]
# From a capital letter to a full stop, in words: neither code nor tables.
SENTENCE = r"[A-Z][a-z]*(?:,? [\w'’()-]+)+\.(?= [A-Z]|$)"
PASSAGE = re.compile(rf"{SENTENCE}(?: {SENTENCE})*")
WORDS = range(5, 60)


def _documentation(file):
    """The texts of a Python file's modules, classes and functions."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return filter(None, (ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds)))


def _paragraphs(text):
    for paragraph in re.split(r"\n\s*\n", text):
        if not re.search(r"^\s*(>>>|\.\.)|---|::", paragraph, re.MULTILINE):
            yield " ".join(paragraph.split())


def _passages():
    """What of each paragraph's beginning is whole sentences."""
    found = set()
    for package in PACKAGES:
        folder = pathlib.Path(common.wheel_file(f"{package}/__init__.py")).parent
        for file in sorted(folder.rglob("*.py")):
            for text in _documentation(file):
                found.update(match.group() for match in map(PASSAGE.match, _paragraphs(text)) if match)
    return sorted(passage for passage in found if len(passage.split()) in WORDS)


def tokens(texts):
    """`input_ids` and `attention_mask`, [N, 64] each."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(zoo_encoder.file("tokenizer.json"))
    tokenizer.enable_truncation(zoo_encoder.TOKENS)
    tokenizer.enable_padding(length=zoo_encoder.TOKENS)
    encoded = tokenizer.encode_batch(texts)
    rows = {"input_ids": [one.ids for one in encoded], "attention_mask": [one.attention_mask for one in encoded]}
    return {name: np.array(of, np.int64) for name, of in rows.items()}


def sentences(count=1600, seed=7):
    """Tokens of as many passages of one sentence and more, without labels."""

    def make(path):
        np.savez(path, **tokens(random.Random(seed).sample(_passages(), count)))

    return common.made_once(f"zoo_sentences_{count}_s{seed}_v{VERSION}.npz", make)
