"""The loop, live: what the governor does is on the pages, and clients notice nothing but speed."""

import threading
import time

import numpy as np
import pytest
import tritonclient.grpc

import models
import program

# Ends a test that waits for something that never comes; generous, for sanitized builds.
PATIENCE_SECONDS = 240
CLIENTS = 3


class Traffic:
    """Clients in a closed loop that check every answer against the f32 reference."""

    def __init__(self, server: program.Server, bare: models.BareEngine):
        self.errors: list[str] = []
        self.answers = 0
        self._server = server
        self._inputs = [models.text_line(seed) for seed in range(4)]
        self._labels = [bare.infer({"x": x})["fetch_name_0"].argmax(-1) for x in self._inputs]
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(k,)) for k in range(CLIENTS)]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, k: int) -> None:
        try:
            with tritonclient.grpc.InferenceServerClient(self._server.grpc) as client:
                while not self._stop.is_set():
                    self._check(client, k % len(self._inputs))
                    k += 1
        except Exception as error:  # noqa: BLE001 - any failure is the test's to report
            self.errors.append(repr(error))

    def _check(self, client, which: int) -> None:
        tensor = tritonclient.grpc.InferInput("x", self._inputs[which].shape, "FP32")
        tensor.set_data_from_numpy(self._inputs[which])
        scores = client.infer(self._server.model, [tensor]).as_numpy("fetch_name_0")
        same = float(np.mean(scores.argmax(-1) == self._labels[which]))
        with self._lock:
            self.answers += 1
            if not np.isfinite(scores).all() or same < 0.95:
                self.errors.append(f"an answer agrees with f32 on {same:.0%} of its labels only")


def wait_for(what: str, condition, traffic: Traffic | None = None):
    """Polls the pages until `condition` gives something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if traffic is not None:
            assert not traffic.errors, traffic.errors[0]
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come in {PATIENCE_SECONDS} s")


@pytest.fixture(scope="module")
def learned(tmp_path_factory, bare_recogniser):
    """A server that learns, after the end of its first trial; its traffic has stopped."""
    flags = ("--learn", "on", "--name", "recogniser", "--p99", "500ms", *models.FLAGS)
    with program.Server(tmp_path_factory.mktemp("learn"), models.recogniser(), *flags) as server:
        with Traffic(server, bare_recogniser) as traffic:
            wait_for("the end of a trial", lambda: a_trial_has_ended(server), traffic)
            wait_for("a profile", lambda: profile_is_there(server), traffic)
        server.traffic = traffic
        yield server


def a_trial_has_ended(server: program.Server) -> bool:
    kinds = [decision["kind"] for decision in server.page("/decisions")["decisions"]]
    return "trial" in kinds and bool({"proved", "refused"} & set(kinds[kinds.index("trial") :]))


def profile_is_there(server: program.Server) -> bool:
    return server.request("GET", f"/tachostat/v1/models/{server.model}/profile").status == 200


def test_every_answer_was_right(learned):
    assert learned.traffic.errors == []
    assert learned.traffic.answers > 50
    assert learned.metric("nv_inference_request_success") == learned.traffic.answers


def test_every_act_is_a_decision_with_its_reason(learned):
    decisions = learned.page("/decisions")["decisions"]
    assert decisions[0]["kind"] == "start"
    assert "trial" in [decision["kind"] for decision in decisions]
    assert [decision["sequence"] for decision in decisions] == list(range(1, len(decisions) + 1))
    for decision in decisions:
        assert decision["reason"]
        assert decision["to"] or decision["kind"] not in ("start", "trial", "switch")


def test_trials_carry_their_numbers(learned):
    page = learned.page("/trials")
    for trial in page["trials"]:
        assert trial["outcome"] in ("proved", "refused")
        assert trial["base"] != trial["candidate"]
        assert trial["verdict"] and trial["reason"]
    for refusal in page["refused_untried"]:
        assert refusal["variant"] and refusal["reason"]


def test_the_state_names_what_serves(learned):
    state = learned.page()
    assert state["model"] == "recogniser"
    assert state["targets"]["p99"] == "500ms"
    variants = learned.page("/variants")["variants"]
    assert state["variant"] in [variant["variant"] for variant in variants] or state["phase"] == "trial"
    assert state["profiling"]["overhead"] <= state["profiling"]["budget"] * 1.5 + 0.001


def test_profile_and_findings(learned):
    profile = learned.page("/profile")
    assert len(profile["layers"]) > 50
    assert profile["bucket"] == "x[1,3,48,320]"
    for finding in learned.page("/findings")["findings"]:
        assert finding["rule"] and finding["summary"]


def test_the_trace_is_a_chrome_trace(learned):
    events = learned.page("/trace")["traceEvents"]
    assert {"X", "M"} <= {event["ph"] for event in events}


def test_targets_can_be_changed(learned):
    path = "/tachostat/v1/models/recogniser/targets"
    answer = learned.request("PUT", path, b'{"p99": "50ms", "max_drop": "2%"}')
    assert answer.status == 200, answer.body
    assert learned.page("/targets") == {"p99": "50.0ms", "max_drop": "2%"}
    # Recorded by the governor's next step.
    wait_for("the decision", lambda: "target" in [d["kind"] for d in learned.page("/decisions")["decisions"]])
    assert learned.request("PUT", path, b'{"p99": null}').status == 200
    assert learned.page("/targets")["p99"] is None


def test_nothing_is_tried_with_learning_off(recogniser, bare_recogniser):
    with Traffic(recogniser, bare_recogniser) as traffic:
        wait_for("answers", lambda: traffic.answers > 60, traffic)
    assert [decision["kind"] for decision in recogniser.page("/decisions")["decisions"]] == ["start"]
    assert recogniser.page("/trials")["trials"] == []
