"""What the zoo's table keeps in bench/work, so that an interrupted run goes on: what `tachostat optimize` chose, and each model's row.

Each is kept with a key over all that it depends on, and made anew when that is another."""

import hashlib
import importlib.metadata
import json
import shutil
import time

import common

ROWS = common.WORK / "zoo_rows"


def short_hash(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def file_hash(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions():
    return {name: importlib.metadata.version(name) for name in ("openvino", "onnxruntime", "nncf")}


def tuned(case, key, budget):
    """{"report", "tuning_s"}, or {"failed", "tuning_s"}. One that failed or was cut short is made anew, so that its time is the whole time."""
    folder = common.WORK / f"zoo_{case['slug']}"
    kept = folder / "zoo.json"
    key = short_hash([key, budget, file_hash(common.TACHOSTAT)])
    if kept.exists():
        state = json.loads(kept.read_text())
        if state["key"] == key:
            return state
    shutil.rmtree(folder, ignore_errors=True)
    begin = time.monotonic()
    metric = ["--metric", case["metric"]] if case["metric"] else []
    try:
        state = {"report": common.tachostat("optimize", case["model"], "--data", case["data"], *metric, "--max-drop", "1%", "--budget", budget,
                                            "--seed", case["seed"], "--json", "-o", folder)[1]}
    except SystemExit as error:
        state = {"failed": str(error).strip().splitlines()[-1][:200]}
    state |= {"key": key, "tuning_s": time.monotonic() - begin}
    if "report" in state:
        kept.write_text(json.dumps(state))
    return state


def chosen(report, saturated):
    """The outcome that `optimize` chooses for latency or, from the same measurements, for throughput: the fastest that is proved accurate and faster
    than the best default; else the best default. And whether something was proved."""
    ratio = "throughput_time_ratio" if saturated else "latency_ratio"
    proved = [one for one in report["outcomes"] if one["verdict"] in ("verified", "chosen") and (one[ratio]["high"] or 1) < 1]
    if proved:
        return min(proved, key=lambda one: one[ratio]["value"]), True
    defaults = [one for one in report["outcomes"] if one["verdict"] == "baseline"]
    return (max(defaults, key=lambda one: one["requests_per_second"]) if saturated else min(defaults, key=lambda one: one["service_ms"])), False


def row(case, key, make):
    """The kept row of this key; else `make()`'s, kept at once."""
    ROWS.mkdir(parents=True, exist_ok=True)
    path = ROWS / f"{case['slug']}.json"
    if path.exists():
        kept = json.loads(path.read_text())
        if kept["key"] == key:
            return kept["row"]
    made = make()
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps({"key": key, "row": made}))
    partial.rename(path)
    return made
