"""serve --otlp pushes to a collector, and lives without it."""

import http.server
import threading
import time

import numpy as np
import pytest

import models
import program


class Collector:
    """Keeps what is posted to it."""

    def __init__(self):
        kept = self.kept = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/x-protobuf"
                kept.setdefault(self.path, []).append(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def infer(server, times):
    import tritonclient.http

    client = tritonclient.http.InferenceServerClient(server.http)
    image = np.zeros((1, 3, 48, 64), np.float32)
    tensor = tritonclient.http.InferInput("x", image.shape, "FP32")
    tensor.set_data_from_numpy(image)
    for _ in range(times):
        client.infer(server.model, [tensor])
    client.close()


def test_metrics_and_traces_arrive(tmp_path):
    metrics_pb2 = pytest.importorskip("opentelemetry.proto.collector.metrics.v1.metrics_service_pb2")
    trace_pb2 = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    with Collector() as collector:
        flags = ("--otlp", collector.url, "--otlp-interval", "300ms", *models.FLAGS)
        with program.Server(tmp_path, models.recogniser(), "--name", "recogniser", *flags) as server:
            deadline = time.monotonic() + 60
            while not {"/v1/metrics", "/v1/traces"} <= collector.kept.keys():
                assert time.monotonic() < deadline, collector.kept.keys()
                infer(server, 5)
            assert server.stop() == 0
        metrics = metrics_pb2.ExportMetricsServiceRequest.FromString(collector.kept["/v1/metrics"][-1])
        named = {
            metric.name for resource in metrics.resource_metrics for scope in resource.scope_metrics
            for metric in scope.metrics
        }  # fmt: skip
        assert {"tachostat.layer.duration", "tachostat.request.duration"} <= named
        spans = [
            span for body in collector.kept["/v1/traces"]
            for resource in trace_pb2.ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans for span in scope.spans
        ]  # fmt: skip
        assert len(spans) > 100
        assert len({span.span_id for span in spans}) == len(spans)  # each once
        now = time.time_ns()
        assert all(now - 600e9 < span.start_time_unix_nano < now for span in spans)


def test_serves_without_its_collector(tmp_path):
    flags = ("--otlp", "http://127.0.0.1:9", "--otlp-interval", "100ms", "--learn", "off", *models.FLAGS)
    with program.Server(tmp_path, models.recogniser(), *flags) as server:
        infer(server, 20)
        assert server.stop() == 0


def test_refuses_what_is_no_address():
    done = program.run("serve", models.recogniser(), "--otlp", "https://collector")
    assert done.returncode == 2
    assert "https://collector" in done.stderr
