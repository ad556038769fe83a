"""What a careful user writes for Triton's Python backend: OpenVINO behind dynamic batching. Copied as model.py; parameters come from config.pbtxt."""

import json
import sys

PACKAGES = "@PACKAGES@"
if PACKAGES not in sys.path:
    sys.path.append(PACKAGES)

import numpy as np  # noqa: E402
import openvino as ov  # noqa: E402
import triton_python_backend_utils as triton  # noqa: E402


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        said = {name: value["string_value"] for name, value in config["parameters"].items()}
        core = ov.Core()
        compiled = core.compile_model(said["path"], "CPU", {"INFERENCE_NUM_THREADS": int(said["threads"]), "NUM_STREAMS": 1})
        self.request = compiled.create_infer_request()
        self.inputs = [each["name"] for each in config["input"]]
        self.outputs = [each["name"] for each in config["output"]]

    def execute(self, requests):
        parts = [[triton.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs] for request in requests]
        joined = [np.concatenate(column) if len(parts) > 1 else column[0] for column in zip(*parts)]
        found = self.request.infer(dict(enumerate(joined)), share_inputs=True, share_outputs=True)
        answers, row = [], 0
        for part in parts:
            rows = part[0].shape[0]
            answers.append(triton.InferenceResponse([triton.Tensor(name, found[i][row:row + rows]) for i, name in enumerate(self.outputs)]))
            row += rows
        return answers
