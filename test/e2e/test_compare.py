"""`tachostat compare` on profiles that the built program measured, and on models that it measures."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

import models
import program

SHAPE = ("--shape", "x[1,3,48,64]", *models.FLAGS)
SCHEMA = json.loads((program.ROOT / "docs/schema/compare.schema.json").read_text())


def measure(path):
    done = program.run("profile", models.recogniser(), "--json", "--depth", "layers", "--requests", 20, *SHAPE)
    assert done.returncode == 0, done.stderr
    path.write_text(done.stdout)
    return path


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """Two folders with five runs each, measured in turns."""
    folders = [tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("head")]
    for number in range(5):
        for folder in folders:
            measure(folder / f"{number}.json")
    return folders


def scaled(profile, factor):
    """Every time of a profile, `factor` (a power of two) times as long: bucket numbers move by whole octaves."""
    octaves = factor.bit_length() - 1

    def time(of):
        assert all(bucket >= 32 for bucket, _ in of["buckets"])
        moved = [[bucket + 32 * octaves, count] for bucket, count in of["buckets"]]
        return {**of, "buckets": moved, **{key: of[key] * factor for key in ("sum_ns", "min_ns", "max_ns")}}

    def slices(of):
        return [[count, total * factor] for count, total in of["slices"]]

    layers = [{**time(layer), "slices": slices(layer)} if layer["count"] else layer for layer in profile["layers"]]
    return {
        **profile, "requests": time(profile["requests"]), "layers": layers, "slices": slices(profile),
        "unattributed_ns": profile["unattributed_ns"] * factor,
    }  # fmt: skip


@pytest.fixture(scope="module")
def slow(sides, tmp_path_factory):
    """HEAD's runs, everything eight times as slow."""
    folder = tmp_path_factory.mktemp("slow")
    for path in sides[1].iterdir():
        (folder / path.name).write_text(json.dumps(scaled(json.loads(path.read_text()), 8)))
    return folder


def required_of(schema, document):
    """The members that the schema asks for, down through objects and arrays."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    for name in schema.get("required", []):
        assert name in document, name
    if schema.get("type") == "object":
        for name, part in schema.get("properties", {}).items():
            if name in document:
                required_of(part, document[name])
    if schema.get("type") == "array":
        for item in document:
            required_of(schema.get("items", {}), item)
    if "enum" in schema:
        assert document in schema["enum"]
    if "const" in schema:
        assert document == schema["const"]


def test_a_large_slowdown_fails_with_reports(sides, slow, tmp_path):
    junit, markdown = tmp_path / "report.xml", tmp_path / "report.md"
    done = program.run("compare", sides[0], slow, "--json", "--junit", junit, "--markdown", markdown)
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)
    required_of(SCHEMA, result)
    assert result["regressed"] and result["total"]["change"] == "slower"
    assert result["total"]["absolute"]["ratio"] > 2
    suite = ElementTree.parse(junit).getroot().find("testsuite")
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.get("tests")) == 1 + len(result["layers"])
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures")) > 0
    assert cases[0].get("name") == "total" and cases[0].find("failure").get("message")
    assert "| **total** |" in markdown.read_text()
    text = program.run("compare", sides[0], slow)
    assert text.returncode == 1 and "regression: the total" in text.stdout


def test_the_same_runs_pass(sides):
    done = program.run("compare", sides[0], sides[0], "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert not result["regressed"] and result["total"]["absolute"]["ratio"] == 1
    assert result["differences"] == [] and result["base"]["runs"] == 5


def test_faster_passes(sides, slow):
    done = program.run("compare", slow, sides[0])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "faster" in done.stdout


def test_files_by_flags(sides, slow):
    flags = [part for path in sides[0].iterdir() for part in ("--base", path)]
    flags += [part for path in slow.iterdir() for part in ("--head", path)]
    assert program.run("compare", *flags).returncode == 1


def test_strict_refuses_single_runs_and_other_machines(sides, tmp_path):
    one, other = sides[0] / "0.json", sides[1] / "0.json"
    loose = program.run("compare", one, other, "--fail-over", "500%")
    assert loose.returncode == 0 and "careful: one run on each side" in loose.stdout
    strict = program.run("compare", one, other, "--strict")
    assert strict.returncode == 2 and "one run on each side" in strict.stderr and strict.stdout == ""
    for path in sides[1].iterdir():
        (tmp_path / path.name).write_text(json.dumps({**json.loads(path.read_text()), "machine": "elsewhere"}))
    moved = program.run("compare", sides[0], tmp_path, "--strict")
    assert moved.returncode == 2 and "machine" in moved.stderr


def test_models_are_measured_in_turns(arith_model):
    shapes = ("--shape", "a[4,3]", "--shape", "b[4,3]", *models.FLAGS)
    # A threshold that noise does not pass: this is about measuring, not about how fast it is.
    done = program.run("compare", arith_model, arith_model, "--runs", 3, "--requests", 20, "--fail-over", "5000%",
                       "--json", *shapes)  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["base"]["runs"] == result["head"]["runs"] == 3
    assert result["head"]["requests"] == 60
    assert result["added"] == result["removed"] == []


def test_layers_that_the_engine_numbers_anew_are_matched():
    done = program.run("compare", models.recogniser(), models.recogniser(), "--runs", 1, "--requests", 10, "--json",
                       "--fail-over", "5000%", *SHAPE)  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["added"] == result["removed"] == []
    assert len(result["layers"]) > 10


def test_refusals(sides, tmp_path, arith_model):
    def refused(*arguments):
        done = program.run("compare", *arguments)
        assert done.returncode == 2 and done.stdout == "", done.stderr
        return done.stderr

    profile = sides[0] / "0.json"
    assert "HEAD" in refused(profile)
    assert "3x" in refused(profile, profile, "--fail-over", "3x")
    assert "--alpha" in refused(profile, profile, "--alpha", "70%")
    assert "nobody.json" in refused(profile, tmp_path / "nobody.json")
    assert "*.json" in refused(profile, tmp_path)
    assert "model" in refused(profile, arith_model)
    assert "/proc/nobody" in refused(profile, profile, "--junit", "/proc/nobody/file")
    assert "already" in refused("--base", profile, "--base", profile, "--head", profile)
    (tmp_path / "bad.json").write_text('{"version": 1}')
    assert "bad.json" in refused(profile, tmp_path / "bad.json")
    few = json.loads(profile.read_text())
    few["requests"] = {**few["requests"], "count": 1, "buckets": few["requests"]["buckets"][:1]}
    few["requests"]["buckets"][0][1] = 1
    low = few["requests"]["min_ns"]
    few["requests"].update(max_ns=low, sum_ns=low)
    (tmp_path / "few.json").write_text(json.dumps(few))
    assert "few.json" in (message := refused(profile, tmp_path / "few.json")) and "--requests" in message
