"""A real Triton (the nvidia-pytriton wheel carries the server) with its Python backend and OpenVINO, as a child process on free ports."""

import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import common

HERE = pathlib.Path(__file__).resolve().parent
SECONDS_TO_START = 90


def wheel():
    found = common.wheel_file("pytriton/tritonserver/bin/tritonserver")
    return pathlib.Path(found).parent.parent if found else None


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def config(name, ports, threads, instances, batch, delay_us, timeout_us):
    """Dynamic batching on. What has waited too long to be answered in time is rejected: without that, everything is late as soon as there is a queue."""
    tensors = lambda kind, each: "\n".join(
        f'{kind} {{ name: "{port["name"]}" data_type: TYPE_FP32 dims: [{", ".join(map(str, port["shape"][1:]))}] }}' for port in each)
    return f"""
name: "{name}"
backend: "python"
max_batch_size: {batch}
{tensors("input", ports["inputs"])}
{tensors("output", ports["outputs"])}
instance_group {{ count: {instances} kind: KIND_CPU }}
dynamic_batching {{
  max_queue_delay_microseconds: {delay_us}
  default_queue_policy {{ timeout_action: REJECT default_timeout_microseconds: {timeout_us} allow_timeout_override: false }}
}}
parameters {{ key: "path" value {{ string_value: "{ports["path"]}" }} }}
parameters {{ key: "threads" value {{ string_value: "{threads}" }} }}
"""


class Triton:
    """`ports`: path, and inputs and outputs with name and shape (axis 0 is the batch)."""

    def __init__(self, name, ports, threads, instances, batch, delay_us, timeout_us):
        root = wheel() or sys.exit("bench: no nvidia-pytriton in .venv: ./run bench installs it")
        packages = root.parent.parent
        self.folder = common.WORK / "triton" / f"{name}_{instances}x{threads}_b{batch}"
        shutil.rmtree(self.folder, ignore_errors=True)
        version = self.folder / "models" / name / "1"
        version.mkdir(parents=True)
        (version.parent / "config.pbtxt").write_text(config(name, ports, threads, instances, batch, delay_us, timeout_us))
        model = (HERE / "triton_model.py").read_text().replace("@PACKAGES@", str(packages))
        (version / "model.py").write_text(model)
        backends = self.folder / "backends"
        shutil.copytree(root / "backends", backends)
        stubs = root / "python_backend_stubs" / f"{sys.version_info.major}.{sys.version_info.minor}"
        shutil.copytree(stubs, backends / "python", dirs_exist_ok=True)
        self.http, self.grpc, self.name = free_port(), free_port(), name
        libraries = packages / "nvidia_pytriton.libs"
        self.log = open(self.folder / "log.txt", "w")
        self.process = subprocess.Popen(
            [root / "bin/tritonserver", f"--model-repository={version.parent.parent}", f"--backend-directory={backends}",
             f"--http-port={self.http}", f"--grpc-port={self.grpc}", "--http-address=127.0.0.1", "--grpc-address=127.0.0.1", "--allow-metrics=false"],
            stdout=self.log, stderr=subprocess.STDOUT, env={"LD_LIBRARY_PATH": str(libraries), "PATH": "/usr/bin:/bin"})
        self.wait()

    def wait(self):
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit(f"bench: Triton ended early: see {self.folder / 'log.txt'}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.http}/v2/health/ready", timeout=1)
                return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise SystemExit(f"bench: Triton was not ready in {SECONDS_TO_START} s: see {self.folder / 'log.txt'}")

    @property
    def address(self):
        return f"127.0.0.1:{self.grpc}"

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=60)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
