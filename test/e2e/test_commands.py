"""The commands that run to their end: profile, diagnose, machine."""

import json
import os

import pytest

import models
import program

NOT_EXECUTED = {"Const", "Input", "Output"}


@pytest.fixture(scope="module")
def profile():
    done = program.run(
        "profile", models.recogniser(), "--json", "--requests", 30, "--shape", "x[1,3,48,320]", *models.FLAGS
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_profile_lists_every_executed_layer(profile, bare_recogniser):
    # The engine numbers the nodes that it makes itself anew in each process; the model's own names are the same.
    def of_model(names):
        return {name for name in names if name in bare_recogniser.layer_names}

    profiled = of_model(name for layer in profile["layers"] for name in [layer["name"], *layer["originals"]])
    executed = of_model(
        name
        for node in bare_recogniser.compiled.get_runtime_model().get_ops()
        if node.get_rt_info()["layerType"].value not in NOT_EXECUTED
        for name in node.get_rt_info()["originalLayersNames"].value.split(",")
    )
    assert len(executed) > 100
    assert executed - profiled == set()
    # Where time is spent, nothing is nameless.
    spent = [layer for layer in profile["layers"] if layer["count"] > 0]
    assert len(spent) > 50
    assert all(layer["type"] and layer["kernel"] for layer in spent)


def test_profile_names_layers_as_the_model_does(profile):
    import openvino

    of_model = {node.get_friendly_name() for node in openvino.Core().read_model(models.recogniser()).get_ops()}
    convolutions = [layer for layer in profile["layers"] if layer["type"] == "Convolution"]
    assert len(convolutions) > 10
    for layer in convolutions:
        assert set(layer["originals"]) & of_model, layer["name"]
        assert layer["kernel"] and layer["precision"] == "f32"


@pytest.mark.skipif("TSAN_OPTIONS" in os.environ, reason="ThreadSanitizer slows our part of a request, not the engine's")
def test_profile_layers_add_up_to_the_request(profile):
    assert profile["requests"]["count"] == 30
    if "ASAN_OPTIONS" not in os.environ:  # its allocator does not tell
        assert profile["readings"]["memory/held"]["mean"] > 1e6
    assert profile["readings"]["processors/allowed"]["mean"] >= 1
    layers = sum(layer["sum_ns"] for layer in profile["layers"])
    request = profile["requests"]["sum_ns"]
    assert abs(layers / request - 1) < 0.05
    assert layers + profile["unattributed_ns"] == pytest.approx(request, rel=0.001)


def test_profile_for_people():
    done = program.run(
        "profile", models.recogniser(), "--requests", 10, "--top", 5, "--shape", "x[1,3,48,64]", *models.FLAGS
    )
    assert done.returncode == 0, done.stderr
    assert "Convolution" in done.stdout


def test_profile_writes_a_chrome_trace(tmp_path, arith_model):
    trace = tmp_path / "trace.json"
    done = program.run(
        "profile", arith_model, "--requests", 10, "--format", "chrome", "-o", trace, "--shape", "a[4,3]", "--shape",
        "b[4,3]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    events = json.loads(trace.read_text())["traceEvents"]
    complete = [event for event in events if event["ph"] == "X"]
    assert len(complete) >= 10
    for event in complete:
        assert event["dur"] >= 0 and event["ts"] >= 0 and event["name"] and "tid" in event and "pid" in event
    assert any(event["ph"] == "M" and event["name"] == "thread_name" for event in events)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--shape", "x[1,3,48"], ["x[1,3,48"]),
        (["--shape", "nobody[1,3]"], ["nobody"]),
        (["--shape", "x[1,3,47,320]"], ["x"]),
        (["--requests", "0"], ["--requests"]),
        (["--format", "nonsense"], ["--format"]),
        (["-o", "/proc/nobody/file"], ["/proc/nobody/file"]),
    ],
)
def test_profile_refuses(arguments, words):
    done = program.run("profile", models.recogniser(), *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


def test_diagnose_reads_a_profile(tmp_path, profile):
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(profile))
    done = program.run("diagnose", path, "--json")
    assert done.returncode == 0, done.stderr
    for finding in json.loads(done.stdout)["findings"]:
        assert finding["rule"] and finding["summary"]


def test_diagnose_with_a_baseline_says_what_became_slower(tmp_path, profile):
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps(profile))
    same = program.run("diagnose", baseline, "--baseline", baseline, "--json")
    assert same.returncode == 0, same.stderr
    # Not "slower-since": that rule needs no baseline, and a busy machine may well slow down while it is profiled.
    against_baseline = {"regression", "shape-drift", "value-drift"}
    assert not against_baseline & {finding["rule"] for finding in json.loads(same.stdout)["findings"]}
    missing = program.run("diagnose", baseline, "--baseline", tmp_path / "none.json")
    assert missing.returncode == 2 and "none.json" in missing.stderr


def test_diagnose_holds_no_roofline_against_another_machine(tmp_path, profile):
    foreign = tmp_path / "foreign.json"
    foreign.write_text(json.dumps({**profile, "machine": "another"}))
    silent = program.run("diagnose", foreign, "--json")
    assert silent.returncode == 0 and "--roofline" in silent.stderr
    rules = {finding["rule"] for finding in json.loads(silent.stdout)["findings"]}
    assert not rules & {"compute-bound", "memory-bound"}
    roofline = tmp_path / "roofline.json"
    peaks = {"peak_f32_flops": 1e9, "single_f32_flops": 5e8, "memory_bandwidth": 1e10, "cache_bandwidth": 1e11}
    roofline.write_text(json.dumps({"version": 1, "threads": 2, **peaks}))
    told = program.run("diagnose", foreign, "--roofline", roofline, "--json")
    assert "compute-bound" in {finding["rule"] for finding in json.loads(told.stdout)["findings"]}


def test_diagnose_lists_its_rules():
    done = program.run("diagnose", "--rules")
    assert done.returncode == 0 and "### `compute-bound`" in done.stdout
    assert program.run("diagnose").returncode == 2


def test_diagnose_refuses_what_is_no_profile(tmp_path):
    path = tmp_path / "profile.json"
    path.write_text('{"version": 1}')
    done = program.run("diagnose", path, "--json")
    assert done.returncode == 2 and done.stdout == ""
    assert "profile.json" in done.stderr


def test_machine():
    done = program.run("machine", "--json")
    assert done.returncode == 0, done.stderr
    machine = json.loads(done.stdout)
    assert machine["engines"][0]["name"] == "openvino"
    assert "f32" in machine["engines"][0]["native_precisions"]
    assert machine["roofline"]["peak_f32_flops"] > 1e8
    assert machine["spans"].startswith("available"), machine["spans"]
    # Each sensor works, or says why not.
    sensors = {sensor["name"]: sensor for sensor in machine["sensors"]}
    assert {"rapl", "cgroup", "pressure", "thermal", "nvidia", "perf"} <= sensors.keys()
    assert all(sensor["available"] or sensor["reason"] for sensor in sensors.values())
    assert machine["topology"]["threads"] >= 1
    text = program.run("machine").stdout
    assert "openvino" in text and "rapl" in text
    assert {"name": "sse4_2", "present": True} in machine["instruction_sets"] or os.uname().machine != "x86_64"


def test_a_calibration_is_kept_for_this_machine_and_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = json.loads(program.run("machine", "--json").stdout)
    assert before["calibration"] is None
    done = program.run("machine", "--calibrate", "--json")
    assert done.returncode == 0, done.stderr
    taken = json.loads(done.stdout)["calibration"]
    assert {figure["group"] for figure in taken["figures"]} == {"clock", "compute", "bandwidth", "latency"}
    kept = tmp_path / "tachostat" / "calibration.json"
    assert json.loads(kept.read_text())["taken"] == taken["taken"]
    again = json.loads(program.run("machine", "--json").stdout)
    assert again["calibration"]["taken"] == taken["taken"]
    f32 = [figure["median"] for figure in taken["figures"] if figure["what"] == "f32"]
    assert again["roofline"]["peak_f32_flops"] in f32

    other = json.loads(kept.read_text())
    other["fingerprint"]["processor"] = "another"
    kept.write_text(json.dumps(other))
    assert json.loads(program.run("machine", "--json").stdout)["calibration"] is None
    assert "another" in program.run("machine").stdout
    kept.write_text("{")
    assert program.run("machine").returncode == 0
