"""The Open Inference Protocol, spoken by unmodified clients. Every answer must equal the bare engine's, bit for bit."""

import asyncio
import queue

import grpc
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio
from tritonclient.grpc import service_pb2, service_pb2_grpc

import models
import program

PROTOCOL_TYPES = {
    "f16": "FP16", "f32": "FP32", "f64": "FP64", "bool": "BOOL", "i8": "INT8", "i16": "INT16",
    "i32": "INT32", "i64": "INT64", "u8": "UINT8", "u16": "UINT16", "u32": "UINT32", "u64": "UINT64",
}  # fmt: skip
ROWS = {
    "a": np.array([[0.1, -2.5e-30, 3e30], [1 / 3, 0.0, -7.0]], np.float32),
    "b": np.array([[1, -2, 3], [40_000, 0, -1]], np.int32),
}


@pytest.fixture(scope="module")
def bare_arith(arith_model):
    return models.BareEngine(arith_model)


def tensors(client, inputs: dict[str, np.ndarray], **how) -> list:
    made = []
    for name, value in inputs.items():
        protocol_type = PROTOCOL_TYPES[next(key for key, kind in models.TYPES.items() if value.dtype == kind)]
        tensor = client.InferInput(name, value.shape, protocol_type)
        tensor.set_data_from_numpy(value, **how)
        made.append(tensor)
    return made


def assert_same(result, expected: dict[str, np.ndarray]) -> None:
    for name, value in expected.items():
        got = result.as_numpy(name)
        assert got is not None, f"no output {name}"
        assert got.dtype == value.dtype and got.shape == value.shape
        assert got.tobytes() == value.tobytes(), f"output {name} differs"


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_http(arith, bare_arith, binary_in, binary_out):
    with tritonclient.http.InferenceServerClient(arith.http) as client:
        wanted = [tritonclient.http.InferRequestedOutput(name, binary_data=binary_out) for name in ("sum", "twice")]
        result = client.infer(
            "arith", tensors(tritonclient.http, ROWS, binary_data=binary_in), outputs=wanted, request_id="seven"
        )
    assert_same(result, bare_arith.infer(ROWS))
    response = result.get_response()
    assert (response["id"], response["model_name"]) == ("seven", "arith")


def test_http_gives_all_outputs_when_none_is_named(arith, bare_arith):
    with tritonclient.http.InferenceServerClient(arith.http) as client:
        assert_same(client.infer("arith", tensors(tritonclient.http, ROWS)), bare_arith.infer(ROWS))


def test_http_gives_only_the_output_that_is_named(arith):
    with tritonclient.http.InferenceServerClient(arith.http) as client:
        wanted = [tritonclient.http.InferRequestedOutput("twice")]
        result = client.infer("arith", tensors(tritonclient.http, ROWS), outputs=wanted)
    assert [output["name"] for output in result.get_response()["outputs"]] == ["twice"]


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_http_compressed_request_is_read_or_refused_in_words(arith, bare_arith, algorithm):
    with tritonclient.http.InferenceServerClient(arith.http) as client:
        try:
            inputs = tensors(tritonclient.http, ROWS)
            result = client.infer("arith", inputs, request_compression_algorithm=algorithm)
        except tritonclient.utils.InferenceServerException as error:
            assert algorithm in str(error) or "ncoding" in str(error)
        else:
            assert_same(result, bare_arith.infer(ROWS))


def test_http_many_requests_on_one_connection(arith, bare_arith):
    expected = bare_arith.infer(ROWS)
    with tritonclient.http.InferenceServerClient(arith.http, concurrency=1) as client:
        for _ in range(50):
            assert_same(client.infer("arith", tensors(tritonclient.http, ROWS)), expected)


def test_http_aio(arith, bare_arith):
    async def run():
        async with tritonclient.http.aio.InferenceServerClient(arith.http) as client:
            assert await client.is_server_ready()
            calls = [client.infer("arith", tensors(tritonclient.http, ROWS)) for _ in range(8)]
            return await asyncio.gather(*calls)

    for result in asyncio.run(run()):
        assert_same(result, bare_arith.infer(ROWS))


def test_grpc_raw(arith, bare_arith):
    with tritonclient.grpc.InferenceServerClient(arith.grpc) as client:
        result = client.infer("arith", tensors(tritonclient.grpc, ROWS), request_id="eight")
    assert_same(result, bare_arith.infer(ROWS))
    assert result.get_response().id == "eight"
    assert result.get_response().model_name == "arith"


def test_grpc_typed_contents(arith, bare_arith):
    request = service_pb2.ModelInferRequest(model_name="arith")
    a = request.inputs.add(name="a", datatype="FP32", shape=ROWS["a"].shape)
    a.contents.fp32_contents.extend(ROWS["a"].ravel())
    b = request.inputs.add(name="b", datatype="INT32", shape=ROWS["b"].shape)
    b.contents.int_contents.extend(ROWS["b"].ravel())
    with grpc.insecure_channel(arith.grpc) as channel:
        response = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request)
    assert_same(tritonclient.grpc.InferResult(response), bare_arith.infer(ROWS))


def test_grpc_aio(arith, bare_arith):
    async def run():
        async with tritonclient.grpc.aio.InferenceServerClient(arith.grpc) as client:
            assert await client.is_model_ready("arith")
            calls = [client.infer("arith", tensors(tritonclient.grpc, ROWS)) for _ in range(8)]
            return await asyncio.gather(*calls)

    for result in asyncio.run(run()):
        assert_same(result, bare_arith.infer(ROWS))


def test_grpc_stream(arith, bare_arith):
    answers = queue.Queue()
    with tritonclient.grpc.InferenceServerClient(arith.grpc) as client:
        client.start_stream(lambda result, error: answers.put((result, error)))
        for k in range(10):
            client.async_stream_infer("arith", tensors(tritonclient.grpc, ROWS), request_id=str(k))
        got = [answers.get(timeout=60) for _ in range(10)]
        client.stop_stream()
    assert [error for _, error in got if error] == []
    assert sorted(int(result.get_response().id) for result, _ in got) == list(range(10))
    for result, _ in got:
        assert_same(result, bare_arith.infer(ROWS))


def test_grpc_stream_goes_on_after_an_error(arith, bare_arith):
    answers = queue.Queue()
    with tritonclient.grpc.InferenceServerClient(arith.grpc) as client:
        client.start_stream(lambda result, error: answers.put((result, error)))
        client.async_stream_infer("nobody", tensors(tritonclient.grpc, ROWS))
        _, error = answers.get(timeout=60)
        assert "nobody" in str(error)
        client.async_stream_infer("arith", tensors(tritonclient.grpc, ROWS))
        result, error = answers.get(timeout=60)
        client.stop_stream()
    assert error is None
    assert_same(result, bare_arith.infer(ROWS))


@pytest.mark.parametrize("client", [tritonclient.http, tritonclient.grpc])
def test_every_type(client, tmp_path):
    path = models.save_types(tmp_path / "types.xml")
    inputs = {f"in_{name}": np.array([[1, 0], [1, 1]]).astype(kind) for name, kind in models.TYPES.items()}
    with program.Server(tmp_path, path, "--learn", "off", *models.FLAGS) as server:
        address = server.http if client is tritonclient.http else server.grpc
        with client.InferenceServerClient(address) as connected:
            result = connected.infer("types", tensors(client, inputs))
    assert_same(result, {f"out_{name}": np.concatenate([value, value], 1) for name, value in
                         ((key.removeprefix("in_"), value) for key, value in inputs.items())})  # fmt: skip


@pytest.mark.parametrize("width", [320, 168])
def test_recogniser_equals_the_bare_engine(recogniser, bare_recogniser, width):
    inputs = {"x": models.text_line(3, width)}
    expected = bare_recogniser.infer(inputs)
    with tritonclient.grpc.InferenceServerClient(recogniser.grpc) as client:
        assert_same(client.infer("recogniser", tensors(tritonclient.grpc, inputs)), expected)
    with tritonclient.http.InferenceServerClient(recogniser.http) as client:
        assert_same(client.infer("recogniser", tensors(tritonclient.http, inputs)), expected)
        wanted = [tritonclient.http.InferRequestedOutput("fetch_name_0", binary_data=False)]
        as_json = client.infer("recogniser", tensors(tritonclient.http, inputs, binary_data=False), outputs=wanted)
        assert_same(as_json, expected)


def test_http_tells_of_server_and_model(arith):
    with tritonclient.http.InferenceServerClient(arith.http) as client:
        assert client.is_server_live() and client.is_server_ready()
        assert client.is_model_ready("arith") and client.is_model_ready("arith", "1")
        assert not client.is_model_ready("nobody")
        assert client.get_server_metadata()["name"] == "tachostat"
        metadata = client.get_model_metadata("arith")
    assert metadata["name"] == "arith" and metadata["versions"] == ["1"]
    assert metadata["inputs"] == [
        {"name": "a", "datatype": "FP32", "shape": [-1, 3]},
        {"name": "b", "datatype": "INT32", "shape": [-1, 3]},
    ]
    assert {(port["name"], port["datatype"]) for port in metadata["outputs"]} == {("sum", "FP32"), ("twice", "INT32")}


def test_grpc_tells_of_server_and_model(arith):
    with tritonclient.grpc.InferenceServerClient(arith.grpc) as client:
        assert client.is_server_live() and client.is_server_ready()
        assert client.is_model_ready("arith")
        assert client.get_server_metadata().name == "tachostat"
        metadata = client.get_model_metadata("arith", as_json=True)
    assert [(port["name"], port["datatype"]) for port in metadata["inputs"]] == [("a", "FP32"), ("b", "INT32")]


def test_metrics_count_what_was_answered(arith):
    before = arith.metric("nv_inference_request_success")
    with tritonclient.grpc.InferenceServerClient(arith.grpc) as client:
        for _ in range(5):
            client.infer("arith", tensors(tritonclient.grpc, ROWS))
    assert arith.metric("nv_inference_request_success") == before + 5
    assert arith.metric("tachostat_profiling_overhead_ratio") >= 0
    page = arith.request("GET", "/metrics")
    assert page.headers["Content-Type"].startswith("text/plain")
