"""Every format that a profile is written in, opened by the readers that it is for."""

import base64
import csv
import gzip
import json
import os
import pty
import re
import shutil
import struct
import subprocess

import pytest

import models
import program

FORMATS = {
    "text", "json", "chrome", "perfetto", "pprof", "speedscope", "collapsed", "csv", "otlp-traces", "otlp-metrics",
}  # fmt: skip
KEY = "a key that nobody else has"
GO = shutil.which("go") or shutil.which("/usr/local/go/bin/go")


def export(folder, model, name, *flags):
    path = folder / name
    done = program.run("profile", model, "--requests", 10, "--format", name, "-o", path, *flags, *models.FLAGS)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    flags = ("--shape", "x[1,3,48,64]")
    return {name: export(folder, models.recogniser(), name, *flags) for name in FORMATS}


def test_help_lists_every_format():
    text = program.run("profile", "--help").stdout
    assert FORMATS == set(re.findall(r"^ +([a-z-]+) {2,}\S", text[text.index("how to write it") :], re.M)) & FORMATS


@pytest.mark.skipif(GO is None, reason="Go is not installed")
def test_pprof_in_go_tool_pprof(exports):
    def pprof(*arguments):
        done = subprocess.run(
            [GO, "tool", "pprof", *arguments, exports["pprof"]], capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    top = pprof("-top", "-nodecount=500")
    assert "Type: time" in top
    assert "Convolution" in top
    tags = pprof("-tags")
    assert "kernel: Total" in tags and "precision: Total" in tags and "thread: Total" in tags


def test_chrome_and_perfetto_hold_the_same_slices(exports):
    chrome = json.loads(exports["chrome"].read_text())["traceEvents"]
    slices = [event for event in chrome if event["ph"] == "X" and event["cat"] != "execution"]
    trace = perfetto_trace(exports["perfetto"].read_bytes())
    names, begun, open_slices = {}, [], {}
    flows, ended = set(), set()
    for packet in trace.packet:
        names.update((name.iid, name.name) for name in packet.interned_data.event_names)
        event = packet.track_event
        if event.type == 1:
            begun.append(names[event.name_iid])
            open_slices[event.track_uuid] = open_slices.get(event.track_uuid, 0) + 1
        elif event.type == 2:
            open_slices[event.track_uuid] -= 1
            assert open_slices[event.track_uuid] >= 0
        flows.update(event.flow_ids)
        ended.update(event.terminating_flow_ids)
    # Two runs; each looks at as many requests, and names what it ran alike.
    assert {name for name in begun} == {event["name"] for event in slices}
    assert set(open_slices.values()) == {0}
    assert flows and flows == ended


def perfetto_trace(data: bytes):
    """Decoded with a descriptor made here of the published field numbers, so that no large package is needed."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = {"u": 4, "s": 9, "e": 13, "x": 6, "d": 1}
    messages = {
        "Trace": [("packet", 1, "*TracePacket")],
        "TracePacket": [
            ("timestamp", 8, "u"), ("track_event", 11, "TrackEvent"), ("interned_data", 12, "InternedData"),
            ("track_descriptor", 60, "TrackDescriptor"),
        ],
        "TrackDescriptor": [("uuid", 1, "u"), ("name", 2, "s")],
        "InternedData": [("event_names", 2, "*EventName")],
        "EventName": [("iid", 1, "u"), ("name", 2, "s")],
        "TrackEvent": [
            ("type", 9, "e"), ("name_iid", 10, "u"), ("track_uuid", 11, "u"), ("flow_ids", 47, "*x"),
            ("terminating_flow_ids", 48, "*x"),
        ],
    }  # fmt: skip
    file = descriptor_pb2.FileDescriptorProto(name="perfetto_check.proto", package="check", syntax="proto2")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            added = message.field.add(name=field, number=number, label=3 if kind.startswith("*") else 1)
            kind = kind.lstrip("*")
            if kind in kinds:
                added.type = kinds[kind]
            else:
                added.type, added.type_name = 11, f".check.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("check.Trace")).FromString(data)


def test_speedscope_events_nest(exports):
    document = json.loads(exports["speedscope"].read_text())
    assert document["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = document["shared"]["frames"]
    assert any("onv" in frame["name"] for frame in frames)
    assert document["profiles"]
    for profile in document["profiles"]:
        assert profile["type"] == "evented" and profile["unit"] == "nanoseconds"
        stack, last = [], profile["startValue"]
        for event in profile["events"]:
            assert event["at"] >= last
            last = event["at"]
            if event["type"] == "O":
                stack.append(event["frame"])
            else:
                assert stack.pop() == event["frame"]
        assert not stack and last <= profile["endValue"]
        assert all(0 <= event["frame"] < len(frames) for event in profile["events"])


def test_collapsed_lines_read_as_flame_graphs_do(exports):
    lines = exports["collapsed"].read_text().splitlines()
    assert len(lines) > 50
    for line in lines:
        assert re.fullmatch(r"\S.*(;.+)* [1-9][0-9]*", line), line


def test_csv_has_a_row_per_layer(exports):
    with exports["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    layers = json.loads(exports["json"].read_text())["layers"]
    assert len(rows) == len(layers)
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1, abs=0.2)
    assert all(None not in row and None not in row.values() for row in rows)


def test_otlp_traces_decode(exports):
    trace_service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    spans = []
    for line in exports["otlp-traces"].read_text().splitlines():
        request = decode_otlp(line, trace_service.ExportTraceServiceRequest())
        assert {a.key for a in request.resource_spans[0].resource.attributes} >= {"service.name", "tachostat.model"}
        spans += request.resource_spans[0].scope_spans[0].spans
    roots = {span.span_id: span for span in spans if not span.parent_span_id}
    children = [span for span in spans if span.parent_span_id in roots]
    assert len(roots) == 10 and len(children) > 100
    for span in children:
        root = roots[span.parent_span_id]
        assert span.trace_id == root.trace_id and len(span.trace_id) == 16 and len(span.span_id) == 8
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= root.end_time_unix_nano
    kernels = {a.key for span in children for a in span.attributes}
    assert {"tachostat.layer.kernel", "tachostat.layer.type", "tachostat.layer.precision"} <= kernels
    # Since 2020: times are on the wall clock, not since boot.
    assert all(span.start_time_unix_nano > 1_577_836_800_000_000_000 for span in spans)


def test_otlp_metrics_decode(exports):
    metrics_service = pytest.importorskip("opentelemetry.proto.collector.metrics.v1.metrics_service_pb2")
    request = decode_otlp(exports["otlp-metrics"].read_text(), metrics_service.ExportMetricsServiceRequest())
    metrics = {metric.name: metric for metric in request.resource_metrics[0].scope_metrics[0].metrics}
    whole = metrics["tachostat.request.duration"].histogram.data_points[0]
    assert whole.count == 10 == sum(whole.bucket_counts)
    assert len(whole.bucket_counts) == len(whole.explicit_bounds) + 1
    assert 0 < whole.min <= whole.sum / 10 <= whole.max
    layers = metrics["tachostat.layer.duration"].histogram.data_points
    assert len(layers) > 50
    for point in layers:
        assert point.count == sum(point.bucket_counts)
    shares = metrics["tachostat.layer.share"].gauge.data_points
    assert sum(point.as_double for point in shares) == pytest.approx(1, abs=0.2)


def decode_otlp(line, message):
    """OTLP's JSON differs from protobuf's in that ids are hexadecimal, not base64."""
    from google.protobuf import json_format

    def recoded(value):
        if isinstance(value, dict):
            return {
                key: base64.b64encode(bytes.fromhex(item)).decode()
                if key in ("traceId", "spanId", "parentSpanId")
                else recoded(item)
                for key, item in value.items()
            }
        return [recoded(item) for item in value] if isinstance(value, list) else value

    return json_format.ParseDict(recoded(json.loads(line)), message)


def test_anonymize_hides_every_name(tmp_path, arith_model):
    key = tmp_path / "key"
    key.write_text(KEY + "\n")
    shapes = ("--shape", "a[4,3]", "--shape", "b[4,3]")
    plain = json.loads(export(tmp_path, arith_model, "json", *shapes).read_text())
    hidden_names = {name for layer in plain["layers"] for name in [layer["name"], *layer["originals"]]}
    hidden_names |= {plain["model"], plain["model_hash"]}
    for name in FORMATS:
        path = export(tmp_path, arith_model, name, "--anonymize", "--anonymize-key", key, *shapes)
        data = path.read_bytes()
        if name == "pprof":
            data = gzip.decompress(data)
        for hidden in hidden_names:
            if len(hidden) > 3:  # shorter ones occur in anything
                assert hidden.encode() not in data, (name, hidden)
        assert str(tmp_path).encode() not in data and KEY.encode() not in data
    hidden = json.loads(export(tmp_path, arith_model, "json", "--anonymize-key", key, *shapes).read_text())
    assert re.fullmatch("model-[0-9a-f]{12}", hidden["model"])
    assert re.fullmatch(r"input-[0-9a-f]{12}\[4,3\];input-[0-9a-f]{12}\[4,3\]", hidden["bucket"])
    assert all(re.fullmatch("layer-[0-9a-f]{12}", layer["name"]) for layer in hidden["layers"])
    kernels = {layer["kernel"] for layer in plain["layers"]}
    assert kernels == {layer["kernel"] for layer in hidden["layers"]}


def test_anonymize_makes_a_key_and_says_it_once(arith_model):
    shapes = ("--shape", "a[4,3]", "--shape", "b[4,3]")
    done = program.run("profile", arith_model, "--requests", 10, "--json", "--anonymize", *shapes, *models.FLAGS)
    assert done.returncode == 0, done.stderr
    keys = re.findall("new key ([0-9a-f]{32})", done.stderr)
    assert len(keys) == 1 and keys[0] not in done.stdout
    assert json.loads(done.stdout)["model"].startswith("model-")


def test_short_and_missing_keys_are_refused(tmp_path, arith_model):
    key = tmp_path / "key"
    key.write_text("short\n")
    done = program.run("profile", arith_model, "--anonymize-key", key)
    assert done.returncode == 2 and "5 bytes" in done.stderr and done.stdout == ""
    done = program.run("profile", arith_model, "--anonymize-key", tmp_path / "nobody")
    assert done.returncode == 2 and "nobody" in done.stderr


@pytest.mark.parametrize("name", ["perfetto", "pprof"])
def test_binary_formats_do_not_go_to_a_terminal(arith_model, name):
    master, slave = pty.openpty()
    try:
        done = subprocess.run(
            [program.PROGRAM, "profile", arith_model, "--format", name],
            stdout=slave, stderr=subprocess.PIPE, text=True, timeout=program.RUN_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "binary" in done.stderr and "-o" in done.stderr
    finally:
        os.close(slave)
        os.close(master)


def test_nothing_of_a_request_is_in_a_profile_or_a_trace(tmp_path, arith_model):
    """What was sent, in any of the encodings that it could have, is in nothing that can be fetched or that was logged."""
    number, whole = 1234567.0, 1087654321
    flags = ("--learn", "off", "--probe", "always")
    with program.Server(tmp_path, arith_model, *flags, *models.FLAGS) as server:
        body = {
            "id": "secret-request-id",
            "parameters": {"secret_parameter": "secret-value"},
            "inputs": [
                {"name": "a", "shape": [1, 3], "datatype": "FP32", "data": [number] * 3},
                {"name": "b", "shape": [1, 3], "datatype": "INT32", "data": [whole] * 3},
            ],
        }
        for _ in range(30):
            answer = server.request("POST", f"/v2/models/{server.model}/infer", json.dumps(body).encode())
            assert answer.status == 200, answer.body
        told = b"".join(
            server.request("GET", f"/tachostat/v1/models/{server.model}{page}").body
            for page in ("", "/profile", "/trace", "/findings", "/decisions", "/trials", "/variants")
        )
        told += server.request("GET", "/metrics").body + server.log().encode()
    assert b"traceEvents" in told
    raw = [struct.pack("<f", number) * 2, struct.pack("<i", whole) * 2]
    needles = [b"secret", b"1234567", b"1087654321", *raw]
    needles += [base64.b64encode(value * 3)[4:12] for value in raw] + [value.hex().encode() for value in raw]
    for needle in needles:
        assert needle not in told, needle
