"""`tachostat simulate`: the governor in virtual time, as a user runs it."""

import json
import time

import pytest

import program
import schemas

SCENARIOS = program.ROOT / "bench/scenarios"


def simulate(name, *flags):
    done = program.run("simulate", SCENARIOS / f"{name}.toml", "--json", *flags)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_the_same_seed_gives_the_same_report():
    one, again, other = (program.run("simulate", SCENARIOS / "bursts.toml", "--json", "--duration", "30s", "--seed", seed).stdout for seed in (5, 5, 6))
    assert one == again
    assert one != other


def test_the_report_has_what_its_schema_asks_for():
    for name in ("quota", "failures"):
        schemas.check(schemas.load("simulation"), simulate(name))


def test_nothing_is_lost_and_nothing_exceeds_the_bound():
    for name in ("steady", "bursts", "ramp", "quota"):
        model = simulate(name)["models"][0]
        assert model["lost"] == 0
        assert 0 < model["of_bound"] <= 1
        assert model["in_time"] <= model["answered"] <= model["arrivals"]


def test_a_minute_of_virtual_time_is_soon_over():
    begin = time.monotonic()
    simulate("steady")
    assert time.monotonic() - begin < 60


def test_changes_of_the_machine_are_in_the_report():
    model = simulate("quota")["models"][0]
    assert [(each["event"], each["change"]) for each in model["recoveries"]] == [("cores 1", "began"), ("cores 1", "ended")]
    assert any(decision["kind"] == "switch" for decision in model["decisions"])


def test_policies_and_start_can_be_given():
    fixed = simulate("bursts", "--policy", "fixed", "--start", "batches", "--duration", "30s")["models"][0]
    assert fixed["policy"] == "fixed"
    assert list(fixed["answered_by"]) == ["batches"]
    assert fixed["switches"] == 0


def test_many_seeds_are_one_report():
    report = simulate("bursts", "--duration", "20s", "--seeds", 4)
    assert report["seeds"] == 4
    assert report["models"][0]["arrivals"] > 0


@pytest.mark.parametrize(
    "text, said",
    [
        ("nodes = 0", "expected a whole number from 1"),
        ("duration = 5", 'expected a duration such as "20ms"'),
        ("[[model]]\nname = 'x'", "at least one [[model.variant]]"),
        ("[[[", "line 1"),
    ],
)
def test_a_bad_scenario_is_explained(tmp_path, text, said):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    done = program.run("simulate", path)
    assert done.returncode == 2
    assert said in done.stderr


def test_unknown_policy_names_those_there_are():
    done = program.run("simulate", SCENARIOS / "bursts.toml", "--policy", "oracle")
    assert done.returncode == 2
    assert "predictive, ladder, bandit, fixed" in done.stderr
