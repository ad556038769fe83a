"""Looking at a running server: profile URL and top; and import of what other tools wrote."""

import json
import subprocess
import threading
import time

import numpy as np
import pytest

import models
import program


class Traffic:
    """Requests one after the other, until the block ends."""

    def __init__(self, server):
        import tritonclient.http

        self.client = tritonclient.http.InferenceServerClient(server.http)
        self.http = tritonclient.http
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        image = np.random.default_rng(1).random((1, 3, 48, 64), dtype=np.float32)
        tensor = self.http.InferInput("x", image.shape, "FP32")
        tensor.set_data_from_numpy(image)
        while not self.stop.is_set():
            self.client.infer("recogniser", [tensor])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.client.close()


@pytest.fixture(scope="module")
def traffic(recogniser):
    with Traffic(recogniser):
        yield recogniser


def url_of(server):
    return f"http://{server.http}"


def test_profile_of_a_running_server(traffic):
    done = program.run("profile", url_of(traffic), "--requests", 20, "--json")
    assert done.returncode == 0, done.stderr
    profile = json.loads(done.stdout)
    assert profile["requests"]["count"] >= 20
    assert len([layer for layer in profile["layers"] if layer["count"] > 0]) > 50
    readings = profile["readings"]
    assert readings["serving/compute"]["mean"] > 0 and readings["serving/compute"]["unit"] == "s"
    assert 0 < readings["serving/busy_share"]["mean"] <= 1
    assert 0 < readings["serving/decode"]["mean"] < 1 and readings["serving/json_share"]["mean"] == 0
    assert readings["shape/x[1,3,48,64]"]["n"] > 0
    # It is as it was: nothing more is seen for whoever asked.
    seen = traffic.page("/profiling")
    assert seen["state"] == "done"
    time.sleep(0.5)
    assert traffic.page("/profiling") == seen
    assert traffic.page()["profiling"]["budget"] == 0.005


def test_layers_depth_has_no_kernels(traffic, tmp_path):
    trace = tmp_path / "trace.json"
    done = program.run(
        "profile", url_of(traffic), "--depth", "layers", "--requests", 10, "--format", "chrome", "-o", trace)
    assert done.returncode == 0, done.stderr
    kinds = {event.get("cat") for event in json.loads(trace.read_text())["traceEvents"]}
    assert "layer" in kinds
    assert "primitive" not in kinds and "worker" not in kinds
    # Our own trace reads back.
    again = program.run("import", trace, "--json")
    assert again.returncode == 0, again.stderr
    assert len(json.loads(again.stdout)["layers"]) > 50


def test_counters_of_layers_or_why_not(traffic):
    """Software events at least, where the kernel lets us; else the reason."""
    done = program.run("profile", url_of(traffic), "--depth", "counters", "--requests", 20, "--json")
    if done.returncode != 0:
        assert "counter" in done.stderr, done.stderr
        return
    layers = [layer for layer in json.loads(done.stdout)["layers"] if layer["count"] > 0]
    counted = [layer for layer in layers if "task_clock" in layer.get("metrics", {})]
    assert len(counted) > len(layers) * 0.9
    # The thread that runs the request cannot have run for longer than the layer took, but for the readings' own time and
    # the interrupts that fall between a reading of the counters and one of the clock: rare, and charged to one layer.
    clocks = {layer["name"]: layer["metrics"]["task_clock"] * 1e9 for layer in counted}
    assert min(clocks.values()) >= 0
    beyond = [layer["name"] for layer in counted if clocks[layer["name"]] >= layer["mean_ns"] * 1.5 + 20_000]
    assert len(beyond) <= 0.05 * len(counted), beyond
    assert sum(clocks.values()) < sum(layer["mean_ns"] for layer in counted) * 1.5 + 20_000


def test_a_client_that_is_killed_leaves_nothing_on(traffic):
    looking = subprocess.Popen(
        [program.PROGRAM, "profile", url_of(traffic), "--requests", "1000000", "--duration", "2s"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while traffic.page("/profiling")["state"] != "running":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    looking.kill()
    looking.wait()
    while traffic.page("/profiling")["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_interrupted_look_shows_what_it_saw(traffic):
    looking = subprocess.Popen(
        [program.PROGRAM, "profile", url_of(traffic), "--requests", "1000000", "--duration", "60s", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while True:  # state and count of one answer: the last look's count may be high already
        seen = traffic.page("/profiling")
        if seen["state"] == "running" and seen["requests"] >= 5:
            break
        assert time.monotonic() < deadline
        time.sleep(0.02)
    looking.send_signal(2)
    out, error = looking.communicate(timeout=30)
    assert looking.returncode == 0, error
    assert json.loads(out)["requests"]["count"] >= 5
    assert traffic.page("/profiling")["state"] == "done"


def test_two_looks_at_once_are_refused(traffic):
    looking = "/tachostat/v1/models/recogniser/profiling"
    assert traffic.request("POST", looking, b'{"requests": 1000000}').status == 200
    second = program.run("profile", url_of(traffic))
    assert second.returncode == 2
    assert "already" in second.stderr
    assert traffic.request("DELETE", looking).status == 200


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"depth": "deep"}', b'{"depth": "off"}', b'{"requests": 0}', b'{"duration": "1h"}', b'{"what": 1}'])
def test_bad_looks_are_refused(recogniser, body):
    answer = recogniser.request("POST", "/tachostat/v1/models/recogniser/profiling", body)
    assert answer.status == 400, answer.body
    assert "profiling" in answer.json()["error"]


def test_top_prints_once_in_a_pipe(traffic):
    deadline = time.monotonic() + 30
    while True:  # until enough requests were looked at
        done = program.run("top", url_of(traffic))
        assert done.returncode == 0, done.stderr
        if "sum of layers" in done.stdout:
            break
        assert time.monotonic() < deadline, done.stdout
        time.sleep(0.2)
    assert "recogniser" in done.stdout and "requests/s" in done.stdout
    document = json.loads(program.run("top", url_of(traffic), "--json").stdout)
    assert document["state"]["model"] == "recogniser"
    assert document["profile"]["layers"]
    assert document["profile"]["readings"]["serving/rate"]["mean"] > 0


@pytest.mark.parametrize("command", ["profile", "top"])
def test_no_server_there(command):
    done = program.run(command, "http://127.0.0.1:9")
    assert done.returncode == 3
    assert "127.0.0.1:9" in done.stderr


def test_unknown_model_of_a_server(recogniser):
    done = program.run("top", url_of(recogniser), "--name", "nobody")
    assert done.returncode == 2
    assert "nobody" in done.stderr


def test_import_names_what_it_cannot_read(tmp_path):
    odd = tmp_path / "odd.bin"
    odd.write_bytes(b"nothing that anyone writes")
    done = program.run("import", odd)
    assert done.returncode == 2 and "odd.bin" in done.stderr
    assert program.run("import", tmp_path / "none").returncode == 2
