"""Bad input on the wire: a clear error each time, and the server goes on serving."""

import contextlib
import json
import socket

import grpc
import numpy as np
import pytest
import tritonclient.grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

INFER = "/v2/models/arith/infer"
MIB = 1 << 20


@pytest.fixture(autouse=True)
def still_serving(arith):
    """After each test: the same process answers a good request, by both wires."""
    yield
    assert arith.process.poll() is None, arith.log()
    answer = arith.request("POST", INFER, json.dumps(good()).encode())
    assert answer.status == 200, answer.body
    sums = {output["name"]: output["data"] for output in answer.json()["outputs"]}
    assert sums["sum"] == [11, 22, 33] and sums["twice"] == [20, 40, 60]
    assert call(arith, message()).raw_output_contents[0] == np.array([11, 22, 33], np.float32).tobytes()


def good() -> dict:
    return {
        "inputs": [
            {"name": "a", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]},
            {"name": "b", "datatype": "INT32", "shape": [1, 3], "data": [10, 20, 30]},
        ],
        "outputs": [{"name": "sum"}, {"name": "twice"}],
    }


def changed(path: list, value) -> dict:
    """The good request with the member at `path` replaced."""
    request = good()
    at = request
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return request


def message() -> service_pb2.ModelInferRequest:
    request = service_pb2.ModelInferRequest(model_name="arith")
    request.inputs.add(name="a", datatype="FP32", shape=[1, 3])
    request.inputs.add(name="b", datatype="INT32", shape=[1, 3])
    request.raw_input_contents.append(np.array([1, 2, 3], np.float32).tobytes())
    request.raw_input_contents.append(np.array([10, 20, 30], np.int32).tobytes())
    return request


def call(server, request: service_pb2.ModelInferRequest):
    with grpc.insecure_channel(server.grpc) as channel:
        return service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=60)


def refused(answer, status: int, *words: str) -> None:
    assert answer.status == status, (answer.status, answer.body[:500])
    text = answer.json()["error"]
    for word in words:
        assert word in text, f"expected '{word}' in: {text}"


# What is wrong, and what the message must name.
WRONG_JSON = {
    "wrong tensor name": (["inputs", 0, "name"], "nobody", ["nobody"]),
    "the same tensor twice": (["inputs", 1, "name"], "a", ["a"]),
    "a missing tensor": (["inputs"], good()["inputs"][:1], ["b"]),
    "no tensor": (["inputs"], [], ["a"]),
    "wrong rank": (["inputs", 0, "shape"], [3], ["a", "[3]"]),
    "wrong dimension": (["inputs", 0], {**good()["inputs"][0], "shape": [1, 4], "data": [1, 2, 3, 4]}, ["a", "[1,4]"]),
    "negative dimension": (["inputs", 0, "shape"], [-1, 3], ["a"]),
    "a shape too large to count": (["inputs", 0, "shape"], [1 << 40, 1 << 40], ["a"]),
    "a shape of text": (["inputs", 0, "shape"], ["1", 3], ["shape"]),
    "wrong type": (["inputs", 0, "datatype"], "INT64", ["a", "INT64"]),
    "unknown type": (["inputs", 0, "datatype"], "FP33", ["FP33"]),
    "too little data": (["inputs", 0, "data"], [1, 2], ["a"]),
    "too much data": (["inputs", 0, "data"], [1, 2, 3, 4], ["a"]),
    "text for a number": (["inputs", 0, "data"], [1, "two", 3], ["a"]),
    "null for a number": (["inputs", 0, "data"], [1, None, 3], ["a"]),
    "a fraction for an integer": (["inputs", 1, "data"], [1.5, 2, 3], ["b"]),
    "an integer out of range": (["inputs", 1, "data"], [1 << 40, 2, 3], ["b"]),
    "inputs are no list": (["inputs"], {"a": 1}, ["inputs"]),
    "unknown output": (["outputs", 0, "name"], "nobody", ["nobody"]),
    "an output without a name": (["outputs", 0], {}, ["name"]),
    "binary data that did not come": (["inputs", 0, "parameters"], {"binary_data_size": 12}, ["a"]),
}


@pytest.mark.parametrize("case", WRONG_JSON)
def test_wrong_request(arith, case):
    path, value, words = WRONG_JSON[case]
    refused(arith.request("POST", INFER, json.dumps(changed(path, value)).encode()), 400, *words)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b'{"inputs": [}', b'{"a":' * 100_000, b"[" * 500_000]
)
def test_invalid_json(arith, body):
    refused(arith.request("POST", INFER, body), 400)


def binary(sizes: list, data: bytes, header_size=None) -> tuple[bytes, dict]:
    request = good()
    for tensor, size in zip(request["inputs"], sizes, strict=True):
        del tensor["data"]
        tensor["parameters"] = {"binary_data_size": size}
    head = json.dumps(request).encode()
    return head + data, {"Inference-Header-Content-Length": str(len(head) if header_size is None else header_size)}


@pytest.mark.parametrize(
    "sizes, data, header_size",
    [
        ([12, 12], bytes(23), None),  # truncated
        ([12, 12], bytes(25), None),  # and the opposite
        ([12, 12], b"", None),
        ([11, 13], bytes(24), None),
        ([-1, 25], bytes(24), None),
        ([1 << 63, 12], bytes(24), None),
        (["12", 12], bytes(24), None),
        ([12, 12], bytes(24), 1 << 30),  # a header longer than the body
        ([12, 12], bytes(24), -1),
        ([12, 12], bytes(24), "many"),
        ([12, 12], bytes(24), 3),
    ],
)
def test_wrong_binary_body(arith, sizes, data, header_size):
    body, headers = binary(sizes, data, header_size)
    refused(arith.request("POST", INFER, body, headers), 400)


def test_unknown_model_and_version(arith):
    body = json.dumps(good()).encode()
    refused(arith.request("POST", "/v2/models/nobody/infer", body), 404, "nobody", "arith")
    refused(arith.request("POST", "/v2/models/arith/versions/9/infer", body), 404, "9")
    refused(arith.request("GET", "/v2/models/nobody"), 404, "nobody")
    refused(arith.request("GET", "/tachostat/v1/models/nobody/decisions"), 404, "nobody")


def test_unknown_path_and_method(arith):
    assert arith.request("GET", "/v2/nothing").status == 404
    assert arith.request("GET", INFER).status in (404, 405)
    assert arith.request("DELETE", "/v2").status in (404, 405)


def test_oversized_body(arith):
    refused(arith.request("POST", INFER, bytes(MIB + 1)), 413)


def test_oversized_body_is_refused_before_it_comes(arith):
    with contextlib.closing(socket.create_connection(arith.http.split(":"), timeout=30)) as wire:
        wire.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n" % INFER.encode())
        assert b" 413 " in wire.recv(4096).split(b"\r\n")[0]


def test_oversized_chunked_body(arith):
    with contextlib.closing(socket.create_connection(arith.http.split(":"), timeout=30)) as wire:
        wire.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" % INFER.encode())
        with contextlib.suppress(OSError):  # the server may close while this is still being sent
            for _ in range(20):
                wire.sendall(b"%x\r\n%s\r\n" % (MIB // 10, bytes(MIB // 10)))
        with contextlib.suppress(ConnectionError):  # its answer may be lost with the connection
            assert b" 413 " in wire.recv(4096).split(b"\r\n")[0]


@pytest.mark.parametrize("sent", [b"\x16\x03\x01 not http\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"G" * 100_000 + b"\r\n\r\n"])
def test_not_http(arith, sent):
    with contextlib.closing(socket.create_connection(arith.http.split(":"), timeout=30)) as wire:
        with contextlib.suppress(ConnectionError):
            wire.sendall(sent)
            first = wire.recv(4096)
            assert first == b"" or b" 4" in first.split(b"\r\n")[0] or b" 505 " in first.split(b"\r\n")[0]


def test_client_goes_away_in_the_middle_of_a_body(arith):
    with contextlib.closing(socket.create_connection(arith.http.split(":"), timeout=30)) as wire:
        wire.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{" % INFER.encode())


def rename(request):
    request.inputs[0].name = "nobody"


def reshape(request):
    request.inputs[0].shape[1] = 4


def retype(request):
    request.inputs[0].datatype = "INT64"


def unknown_type(request):
    request.inputs[0].datatype = "FP33"


def truncate(request):
    request.raw_input_contents[1] = bytes(11)


def drop_contents(request):
    del request.raw_input_contents[1]


def drop_input(request):
    del request.inputs[1], request.raw_input_contents[1]


def both_kinds_of_contents(request):
    request.inputs[0].contents.fp32_contents.extend([1, 2, 3])


def wrong_kind_of_contents(request):
    del request.raw_input_contents[:]
    request.inputs[0].contents.int_contents.extend([1, 2, 3])
    request.inputs[1].contents.int_contents.extend([1, 2, 3])


def negative_dimension(request):
    request.inputs[0].shape[0] = -1


def huge_shape(request):
    request.inputs[0].shape[:] = [1 << 62, 1 << 62]


def unknown_output(request):
    request.outputs.add(name="nobody")


@pytest.mark.parametrize(
    "spoil, words",
    [
        (rename, ["nobody"]),
        (reshape, ["a"]),
        (retype, ["a", "INT64"]),
        (unknown_type, ["FP33"]),
        (truncate, ["b"]),
        (drop_contents, []),
        (drop_input, ["b"]),
        (both_kinds_of_contents, []),
        (wrong_kind_of_contents, ["a"]),
        (negative_dimension, ["a"]),
        (huge_shape, ["a"]),
        (unknown_output, ["nobody"]),
    ],
)
def test_wrong_grpc_request(arith, spoil, words):
    request = message()
    spoil(request)
    with pytest.raises(grpc.RpcError) as error:
        call(arith, request)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT, error.value.details()
    for word in words:
        assert word in error.value.details()


def test_grpc_unknown_model(arith):
    request = message()
    request.model_name = "nobody"
    with pytest.raises(grpc.RpcError) as error:
        call(arith, request)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    assert "nobody" in error.value.details() and "arith" in error.value.details()


def test_grpc_oversized_body(arith):
    request = message()
    request.raw_input_contents[0] = bytes(2 * MIB)
    with pytest.raises(grpc.RpcError) as error:
        call(arith, request)
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_the_client_sees_the_message(arith):
    tensor = tritonclient.grpc.InferInput("nobody", [1, 3], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 3), np.float32))
    with tritonclient.grpc.InferenceServerClient(arith.grpc) as client:
        with pytest.raises(tritonclient.utils.InferenceServerException, match="nobody"):
            client.infer("arith", [tensor])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"p99": 20}', b'{"p99": "20"}', b'{"max_drop": "-1%"}', b'{"x": 1}'])
def test_wrong_targets(arith, body):
    before = arith.page("/targets")
    refused(arith.request("PUT", "/tachostat/v1/models/arith/targets", body), 400)
    assert arith.page("/targets") == before
