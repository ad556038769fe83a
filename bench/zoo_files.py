"""Data for the Magika file-type classifier: files of this machine as the magika package itself reads them, labelled by their extensions.

Which files there are differs from machine to machine, and so does the data; on one machine it is the same for the same seed while they stay."""

import hashlib
import json
import os
import pathlib
import random
import sysconfig

import common
import numpy as np

VERSION = 1  # of the choice of files: raise it when files of the same name would differ
MODEL = "magika/models/standard_v3_3/model.onnx"
# Shared with types outside the model, or with its kinds, but meant as this one on nearly every machine.
PLAIN = {"tsv": "tsv", "s": "asm", "exe": "pebin", "dll": "pebin"}
# Their files are often something else: PEM text in .crt, ELF in .obj, Python's path files, pages in Czech or Portuguese.
UNCLEAR = {"crt", "obj", "pth", "cs", "pt", "sum", "ai", "cat", "l", "p", "v", "pro", "sol", "one", "dm", "pp", "mid", "cl"}


def model():
    return common.wheel_file(MODEL)


def _extensions(classes):
    """Extension to class, for those that mean one type only."""
    types = json.loads(pathlib.Path(common.wheel_file("magika/config/content_types_kb.min.json")).read_text())
    owners = {}
    for name, about in types.items():
        for extension in about["extensions"]:
            owners.setdefault(extension.lower(), set()).add(name)
    clear = {extension: next(iter(names)) for extension, names in owners.items() if len(names) == 1 and extension not in UNCLEAR}
    return {extension: name for extension, name in {**clear, **PLAIN}.items() if name in classes}


def _found(extensions):
    """Paths by class, of files that are no links; each path once."""
    places = {"/usr", *(os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "purelib"))}
    paths = {}
    for place in sorted(places):
        for folder, _, names in os.walk(place):
            for name in names:
                kind = extensions.get(name.rpartition(".")[2].lower()) if "." in name else None
                path = os.path.join(folder, name)
                if kind and not os.path.islink(path):
                    paths.setdefault(kind, set()).add(path)
    return paths


def _chosen(found, features_of, count, seed):
    """(class, features) of `count` files that all differ, taken from each class in turn while it has any."""
    # By hash, so that a file more or less leaves the choice of the others as it was.
    place = lambda path: hashlib.sha256(f"{seed} {path}".encode("utf-8", "surrogateescape")).digest()
    queues = {kind: sorted(found[kind], key=place) for kind in sorted(found)}
    seen = set()
    chosen = []
    while queues and len(chosen) < count:
        for kind in list(queues):
            features = None
            while queues[kind] and (features is None or features in seen):
                features = features_of(queues[kind].pop())
            if features is None or features in seen:
                del queues[kind]
                continue
            seen.add(features)
            chosen.append((kind, features))
    random.Random(seed).shuffle(chosen)
    return chosen[:count]


def files(count=1600, seed=5):
    """Features [N, 2048] (the first and the last bytes of a file) labelled with the model's class."""

    def make(path):
        import magika

        # The package has no public way to a file's features.
        reader = magika.Magika()
        classes = reader._target_labels_space

        def features_of(file):
            """None where the package decides without the model: empty, tiny and unreadable files."""
            features = reader._get_result_or_features_from_path(pathlib.Path(file))[1]
            return features and (*features.beg, *features.end)

        chosen = _chosen(_found(_extensions(classes)), features_of, count, seed)
        np.savez(path, bytes=np.array([features for _, features in chosen], np.int32), labels=np.array([classes.index(kind) for kind, _ in chosen]))

    return common.made_once(f"zoo_files_{count}_s{seed}_v{VERSION}.npz", make)
