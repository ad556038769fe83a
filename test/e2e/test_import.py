"""What other tools wrote becomes a profile that everything else works on."""

import json
from pathlib import Path

import pytest

import program

SAMPLES = program.ROOT / "test/data/imports"
# A report's totals, without layers: joined with another file, not read alone.
NO_LAYERS = {"openvino_report.csv"}
FILES = sorted(
    path.name for path in SAMPLES.iterdir()
    if path.is_file() and path.suffix not in (".md", ".py") and path.name not in NO_LAYERS)


@pytest.mark.parametrize("name", FILES)
def test_every_sample_becomes_a_profile(name, tmp_path):
    profile = tmp_path / "profile.json"
    done = program.run("import", SAMPLES / name, "-o", profile)
    assert done.returncode == 0, done.stderr
    document = json.loads(profile.read_text())
    timed = [layer for layer in document["layers"] if layer["sum_ns"] > 0]
    assert timed, name
    assert document["requests"]["sum_ns"] > 0
    assert all(layer["name"] for layer in document["layers"])
    # And downstream takes it.
    findings = program.run("diagnose", profile, "--json")
    assert findings.returncode == 0, findings.stderr
    json.loads(findings.stdout)
    for output in ("csv", "collapsed", "pprof"):
        other = program.run("import", SAMPLES / name, "--format", output, "-o", tmp_path / "other")
        assert other.returncode == 0, other.stderr


def test_a_timeline_goes_to_any_viewer(tmp_path):
    perfetto = tmp_path / "trace"
    done = program.run("import", SAMPLES / "pytorch_steps.json.gz", "--format", "perfetto", "-o", perfetto)
    assert done.returncode == 0, done.stderr
    assert b"aten::conv2d" in perfetto.read_bytes()


def test_a_table_has_no_timeline():
    done = program.run("import", SAMPLES / "openvino_detailed_counters.csv", "--format", "chrome")
    assert done.returncode == 2
    assert "this profile has none" in done.stderr and done.stdout == ""


def test_two_files_of_one_run_are_joined(tmp_path):
    done = program.run(
        "import", SAMPLES / "openvino_detailed_counters.csv", SAMPLES / "openvino_report.csv", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["layers"]


@pytest.mark.parametrize("name", FILES)
def test_cut_off_files_end_in_one_clear_error(name, tmp_path):
    whole = (SAMPLES / name).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    done = program.run("import", cut, "--json")
    # A table that lost its last rows is still one; everything else names the file.
    if done.returncode != 0:
        assert done.returncode == 2, done.stderr
        assert done.stdout == "" and done.stderr.count("tachostat: ") == 1
        assert name in done.stderr
    else:
        json.loads(done.stdout)


def test_anonymised_names_are_gone():
    done = program.run("import", SAMPLES / "onnxruntime.json", "--json", "--anonymize")
    assert done.returncode == 0, done.stderr
    assert "r_nchwc" not in done.stdout and "matmul" not in done.stdout
    assert Path(SAMPLES).name not in done.stdout
