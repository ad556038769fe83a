"""Models as each peer quantises them by its documentation: made once, in a process of their own with a time limit, into bench/work/zoo_int8.

What could not be made is kept too, with the reason; remove its folder to try again. Run by itself (`zoo_int8.py KIND REQUEST.json`) it is that
process."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import common
import zoo_kept
import zoo_workers

FOLDER = common.WORK / "zoo_int8"
MOST_CALIBRATED, MOST_VALIDATED = 300, 100
MAX_DROP = 0.01
VERSION = 1  # of how it is done here: raise it when the same model would come out otherwise
LONGEST_S = 1800
KEPT = ["model.onnx", "model.xml", "model.bin", "request.json", "log.txt"]  # of a folder


def ort_int8(request, samples):
    """quantize_static by its defaults, after the pre-processing that its documentation asks for."""
    from onnxruntime import quantization
    from onnxruntime.quantization import shape_inference

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.left = iter(samples)

        def get_next(self):
            return next(self.left, None)

    prepared = request["target"] + ".prepared"
    try:
        shape_inference.quant_pre_process(request["case"]["model"], prepared)
    except Exception as error:  # symbolic shapes are optional, its documentation says
        print(f"without symbolic shapes: {error!r}", file=sys.stderr)
        shape_inference.quant_pre_process(request["case"]["model"], prepared, skip_symbolic_shape=True)
    quantization.quantize_static(prepared, request["target"], Reader())


def nncf_default(request, samples):
    import nncf
    import openvino as ov

    model = ov.Core().read_model(request["case"]["model"])
    quantised = nncf.quantize(model, nncf.Dataset(samples[:MOST_CALIBRATED]), subset_size=MOST_CALIBRATED)
    ov.save_model(quantised, request["target"], compress_to_fp16=False)


def nncf_accuracy(request, samples):
    """Validated by the metric of the table: a worker judges what comes out."""
    import nncf
    import openvino as ov

    with zoo_workers.openvino_worker() as judge:
        zoo_workers.open_case(judge, request["case"])
        outputs = request["target"] + ".outputs"

        def validate(compiled, items):
            items = list(items)
            answers = ([compiled(feed)[output] for output in compiled.outputs] for _, feed in items)
            tensors = zoo_workers.write_tensors(outputs, answers)
            judge.ask("score", side="nncf", samples=[sample for sample, _ in items], path=outputs, tensors=tensors)
            scores = judge.ask("finish", side="nncf")["scores"]
            return sum(scores) / len(scores), scores

        # The last ones: as few as can be are calibrated with too.
        validation = nncf.Dataset(list(zip(request["samples"], samples))[-MOST_VALIDATED:], lambda item: item[1])
        quantised = nncf.quantize_with_accuracy_control(
            ov.Core().read_model(request["case"]["model"]), nncf.Dataset(samples[:MOST_CALIBRATED]), validation, validate, max_drop=MAX_DROP,
            drop_type=nncf.DropType.ABSOLUTE, subset_size=MOST_CALIBRATED)
        ov.save_model(quantised, request["target"], compress_to_fp16=False)


KINDS = {"ort int8": (ort_int8, "model.onnx", LONGEST_S), "nncf": (nncf_default, "model.xml", LONGEST_S),
         "nncf accuracy": (nncf_accuracy, "model.xml", int(os.environ.get("ZOO_NNCF_LIMIT_S", 600)))}


def made(kind, case, key, samples_file):
    """{"path", "tuning_s"}, or {"failed", "tuning_s"} with the reason. `samples_file()` writes the search samples: (numbers, path, what they are)."""
    _, file, limit = KINDS[kind]
    folder = FOLDER / f"{case['slug']}_{kind.replace(' ', '_')}_{zoo_kept.short_hash([key, kind, VERSION, limit])}"
    kept = folder / "made.json"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        samples, path, tensors = samples_file()
        request = {"case": case, "target": str(folder / file), "samples": samples, "path": str(path), "tensors": tensors}
        (folder / "request.json").write_text(json.dumps(request))
        result = _run([sys.executable, __file__, kind, folder / "request.json"], folder / "log.txt", limit)
        for scrap in folder.iterdir():
            if scrap.name not in KEPT:
                scrap.unlink()
        kept.write_text(json.dumps(result))
    return {**json.loads(kept.read_text()), "path": str(folder / file)}


def _run(command, log, limit):
    begin = time.monotonic()
    with open(log, "w") as file:
        process = subprocess.Popen([str(word) for word in command], stdout=file, stderr=file, stdin=subprocess.DEVNULL, start_new_session=True,
                                   cwd=log.parent)  # where the peers leave scrap
        try:
            code = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            return {"failed": f"not done in {limit} s", "tuning_s": limit}
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # of its own session: it and the worker that it started
                process.wait()
    seconds = time.monotonic() - begin
    if code == 0:
        return {"tuning_s": seconds}
    said = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return {"failed": said[-1][:200] if said else f"ended with {code}", "tuning_s": seconds}


def main(kind, request_path):
    request = json.loads(pathlib.Path(request_path).read_text())
    tensors = zoo_workers.Tensors(request["path"], request["tensors"])
    KINDS[kind][0](request, [tensors[i] for i in range(len(tensors))])


if __name__ == "__main__":
    main(*sys.argv[1:])
