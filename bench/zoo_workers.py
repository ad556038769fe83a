"""Programs that answer the zoo's questions, an object a line, and the tensors that they hand each other (tensor_file.h)."""

import json
import math
import subprocess
import sys

import common

ALIGNMENT = 64
TYPES = {"f16": "float16", "f32": "float32", "f64": "float64", "bool": "bool", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
         "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64"}


class Refused(Exception):
    """What was asked for could not be done; the worker goes on."""


class Died(Exception):
    """The worker ended: what it had loaded is gone."""


class Worker:
    """A program of this folder that answers lines."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, do, **more):
        try:
            self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Died(f"its process ended with {self.process.wait()} at '{do}'")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused((answer["error"].strip().splitlines() or ["?"])[0][:300])
        return answer

    def stop(self):
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def openvino_worker():
    return Worker(common.BUILD / "bench/zoo_worker")


def onnxruntime_worker():
    return Worker(sys.executable, common.ROOT / "bench/zoo_ort.py")


def open_case(worker, case):
    """What the worker says of the case's model and data."""
    return worker.ask("open", model=str(case["model"]), data=str(case["data"]), metric=case["metric"] or "", seed=case["seed"])


class Tensors:
    """Samples of a file, each {name: array}, read when they are asked for."""

    def __init__(self, path, described):
        import numpy as np

        self.described, self.places = described, []
        self.bytes = np.memmap(path, np.uint8, "r")
        at = 0
        for sample in described:
            self.places.append(at)
            for tensor in sample:
                at += _padded(_size(tensor))

    def __len__(self):
        return len(self.described)

    def __getitem__(self, index):
        at, arrays = self.places[index], {}
        for tensor in self.described[index]:
            held = self.bytes[at : at + _size(tensor)]
            arrays[tensor["name"]] = held.view(TYPES[tensor["type"]]).reshape(tensor["shape"]).__array__()
            at += _padded(_size(tensor))
        return arrays


def write_tensors(path, samples):
    """Writes samples, each a list of arrays; returns what they are."""
    import numpy as np

    names = {numpy: ours for ours, numpy in TYPES.items()}
    described = []
    with open(path, "wb") as file:
        for sample in samples:
            described.append([{"name": "", "type": names[str(array.dtype)], "shape": list(array.shape)} for array in sample])
            for array in sample:
                file.write(np.ascontiguousarray(array).tobytes())
                file.write(bytes(_padded(array.nbytes) - array.nbytes))
    return described


def _size(tensor):
    import numpy as np

    return math.prod(tensor["shape"]) * np.dtype(TYPES[tensor["type"]]).itemsize


def _padded(size):
    return -(-size // ALIGNMENT) * ALIGNMENT


def serve(handle):
    """A Python worker's loop: `handle(command)` returns the answer."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no answer
    for line in sys.stdin:
        try:
            answer = handle(json.loads(line))
        except Exception as error:  # whatever a library throws, the worker goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
