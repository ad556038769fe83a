"""`tachostat record`: foreign programs, unmodified, whose libraries call ITT or NVTX."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import program

# A chain of matrix products in OpenVINO, run as often as the argument says; 0: for ever.
OPENVINO = """
import sys, numpy as np, openvino as ov
from openvino import opset13 as ops
port = ops.parameter([1, 64], np.float32, name="x")
node = port
for i in range(4):
    node = ops.relu(ops.matmul(node, ops.constant(np.full((64, 64), 0.01, np.float32)), False, False))
model = ov.Core().compile_model(ov.Model([ops.result(node)], [port], "chain"), "CPU", {"INFERENCE_NUM_THREADS": 2})
turns = int(sys.argv[1])
done = 0
print("ready", flush=True)
while turns == 0 or done < turns:
    model([np.zeros((1, 64), np.float32)])
    done += 1
print("done", done, flush=True)
"""

NVTX = """
import os, sys, threading, time, nvtx
def turn():
    with nvtx.annotate("turn"):
        for name in ("conv", "relu"):
            with nvtx.annotate(name, domain="net"):
                time.sleep(0.001)
for i in range(5):
    turn()
thread = threading.Thread(target=turn)
thread.start()
thread.join()
across = nvtx.start_range("across")
nvtx.end_range(across)
nvtx.mark("here")
if os.fork() == 0:
    for i in range(3):
        turn()
    sys.exit(0)
os.wait()
"""


def record(trace, *command, flags=(), **keywords):
    arguments = [program.PROGRAM, "record", "--json", "-o", trace, *flags, "--", *map(str, command)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=program.RUN_SECONDS, check=False, **keywords)
    return done


def summary(done):
    return json.loads(done.stdout.splitlines()[-1])


def spans(trace):
    return [event for event in json.loads(trace.read_text())["traceEvents"] if event["ph"] == "X"]


def counts(trace):
    return Counter((event["cat"], event["name"]) for event in spans(trace))


def script(tmp_path, text):
    path = tmp_path / "program.py"
    path.write_text(text)
    return path


def start(trace, *command):
    """The recorder and its command's process, once the command says that it is ready."""
    recorder = subprocess.Popen(
        [program.PROGRAM, "record", "-o", trace, "--", *map(str, command)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert recorder.stdout.readline() == "ready\n"
    return recorder


def wait_for_spans():
    # Long enough for many inferences, and for the collector's thread to have written some of them.
    time.sleep(1)


def child_of(process):
    return int(open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()[0])


def test_a_program_that_uses_openvino(tmp_path):
    trace = tmp_path / "trace.json"
    done = record(trace, sys.executable, script(tmp_path, OPENVINO), 20)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ready\ndone 20\n")
    told = summary(done)
    assert told["exit_code"] == 0 and told["dropped_spans"] == 0 and told["notes"] == []
    assert any("openvino" in library for library in told["processes"][0]["libraries"])
    kinds = Counter(event["cat"] for event in spans(trace))
    assert kinds["request"] == 20
    assert kinds["layer"] >= 80 and kinds["operator"] >= 80
    requests = [event for event in spans(trace) if event["cat"] == "request"]
    # Where the processor has bf16, weights are converted by layers that run while the model is compiled.
    begin = min(request["ts"] for request in requests)
    for layer in (event for event in spans(trace) if event["cat"] == "layer" and event["ts"] >= begin):
        assert any(
            request["tid"] == layer["tid"] and request["ts"] <= layer["ts"]
            and layer["ts"] + layer["dur"] <= request["ts"] + request["dur"] for request in requests
        )  # fmt: skip


def test_depth(tmp_path):
    trace = tmp_path / "trace.json"
    done = record(trace, sys.executable, script(tmp_path, OPENVINO), 5, flags=("--depth", "layers"))
    assert done.returncode == 0, done.stderr
    assert {event["cat"] for event in spans(trace)} == {"request", "layer"}


def test_a_program_that_uses_nvtx_and_forks(tmp_path):
    trace = tmp_path / "trace.json"
    done = record(trace, sys.executable, script(tmp_path, NVTX))
    assert done.returncode == 0, done.stderr
    assert len(summary(done)["processes"]) == 2
    assert counts(trace) == {
        ("request", "turn"): 9, ("layer", "conv"): 9, ("layer", "relu"): 9, ("other", "across"): 1, ("other", "here"): 1,
    }  # fmt: skip
    names = {
        event["tid"]: event["args"]["name"]
        for event in json.loads(trace.read_text())["traceEvents"] if event["name"] == "thread_name"
    }  # fmt: skip
    pids = {str(process["pid"]) for process in summary(done)["processes"]}
    assert {name.split("/")[1].split()[0] for name in names.values()} == pids
    assert len({event["tid"] for event in spans(trace) if event["name"] == "turn"}) == 3


def test_what_was_before_a_kill_is_there(tmp_path):
    trace = tmp_path / "trace.json"
    recorder = start(trace, sys.executable, script(tmp_path, OPENVINO), 0)
    wait_for_spans()
    os.kill(child_of(recorder), signal.SIGKILL)
    _, errors = recorder.communicate(timeout=program.STOP_SECONDS)
    assert recorder.returncode == 1
    assert "signal 9" in errors and "cut off" in errors
    assert Counter(event["cat"] for event in spans(trace))["request"] > 0


def test_interrupt_goes_to_the_command_and_the_trace_is_written(tmp_path):
    trace = tmp_path / "trace.json"
    recorder = start(trace, sys.executable, script(tmp_path, OPENVINO), 0)
    wait_for_spans()
    recorder.send_signal(signal.SIGINT)
    _, errors = recorder.communicate(timeout=program.STOP_SECONDS)
    assert recorder.returncode == 1
    assert "KeyboardInterrupt" in errors
    assert Counter(event["cat"] for event in spans(trace))["request"] > 0


def test_duration_ends_the_command(tmp_path):
    trace = tmp_path / "trace.json"
    endless = "import nvtx, time\nwhile True:\n    with nvtx.annotate('turn'):\n        time.sleep(0.01)\n"
    done = record(trace, sys.executable, script(tmp_path, endless), flags=("--duration", "8s"))
    assert done.returncode == 0, done.stdout
    assert summary(done)["signal"] == signal.SIGTERM
    assert counts(trace)["layer", "turn"] > 0


def test_a_program_without_instrumented_libraries(tmp_path):
    trace = tmp_path / "trace.json"
    done = record(trace, "sh", "-c", "cat; echo out; echo err >&2; exit 7", input="in\n")
    assert done.returncode == 1
    assert done.stdout.startswith("in\nout\n") and done.stderr == "err\n"
    assert summary(done)["exit_code"] == 7
    assert any("no library called ITT or NVTX" in note for note in summary(done)["notes"])
    assert summary(done)["spans"] == 0


def test_bad_commands(tmp_path):
    trace = tmp_path / "trace.json"
    plain = tmp_path / "plain"
    plain.write_text("no program")
    for command, word in [("/no/such/program", "No such file"), (str(plain), "Permission denied")]:
        done = record(trace, command)
        assert done.returncode == 2 and word in done.stderr and done.stdout == ""
    assert program.run("record").returncode == 2
    assert program.run("record", "--duration", "5", "--", "true").returncode == 2
    done = program.run("record", "-o", "/proc/nobody/file", "--", "true")
    assert done.returncode == 2 and "/proc/nobody/file" in done.stderr


def test_every_format_of_a_profile(tmp_path):
    text = tmp_path / "profile.txt"
    done = record(text, sys.executable, script(tmp_path, OPENVINO), 20, flags=("--format", "text"))
    assert done.returncode == 0, done.stderr
    assert "20 requests looked at" in text.read_text() and "MatMul" in text.read_text()
    as_json = tmp_path / "profile.json"
    done = record(as_json, sys.executable, script(tmp_path, NVTX), flags=("--format", "json"))
    assert done.returncode == 0, done.stderr
    profile = json.loads(as_json.read_text())
    assert profile["requests"]["count"] == 9
    assert {(layer["name"], layer["count"]) for layer in profile["layers"]} == {("conv", 9), ("relu", 9)}


def test_a_tachostat_inside_keeps_its_own_spans(tmp_path, arith_model):
    trace = tmp_path / "trace.json"
    done = record(
        trace, program.PROGRAM, "profile", arith_model, "--requests", 10, "--json", "--shape", "a[4,3]", "--shape", "b[4,3]"
    )
    profile = json.loads(done.stdout.splitlines()[0])
    assert profile["requests"]["count"] == 10
