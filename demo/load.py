"""Closed-loop load: a number of clients that each send the next request when the last one is answered.

The clients speak plain gRPC with requests that were written before and leave the answers' bytes unread: reading a
3 MB answer into a message costs this side several milliseconds, which on a small machine are taken from the server.
"""

import itertools
import threading
import time
from dataclasses import dataclass, field

import grpc
import numpy as np
from tritonclient.grpc import service_pb2

METHOD = "/inference.GRPCInferenceService/ModelInfer"
OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),  # a connection for each client
]
ANSWER_SECONDS = 30


def written_request(model: str, name: str, tensor: np.ndarray) -> bytes:
    request = service_pb2.ModelInferRequest(model_name=model)
    request.inputs.add(name=name, datatype="FP32", shape=tensor.shape)
    request.raw_input_contents.append(tensor.tobytes())
    return request.SerializeToString()


@dataclass
class Window:
    """What the clients saw."""

    seconds: float = 0
    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    cpu_seconds: float = 0  # that the clients themselves used

    @property
    def throughput(self) -> float:
        return len(self.milliseconds) / self.seconds

    def quantile(self, q: float) -> float:
        return float(np.quantile(self.milliseconds, q))

    def add(self, other: "Window") -> None:
        self.seconds += other.seconds
        self.cpu_seconds += other.cpu_seconds
        self.milliseconds += other.milliseconds
        self.errors += other.errors


class Clients:
    """Load from the moment of entering until the moment of leaving."""

    def __init__(self, address: str, requests: list[bytes], count: int):
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._window = Window()
        self._begin = time.monotonic()
        self._cpu_begin = time.process_time()
        self._threads = [
            threading.Thread(target=self._run, args=(address, requests, k * len(requests) // count), daemon=True)
            for k in range(count)
        ]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, address: str, requests: list[bytes], first: int) -> None:
        with grpc.insecure_channel(address, options=OPTIONS) as channel:
            infer = channel.unary_unary(METHOD)  # no serialiser: bytes in, bytes out
            for request in itertools.islice(itertools.cycle(requests), first, None):
                if self._stop.is_set():
                    return
                begin = time.monotonic()
                try:
                    infer(request, timeout=ANSWER_SECONDS)
                except grpc.RpcError as error:
                    with self._lock:
                        self._window.errors.append(f"{error.code().name}: {error.details()}")
                    return
                with self._lock:
                    self._window.milliseconds.append((time.monotonic() - begin) * 1e3)

    def take(self) -> Window:
        """What was answered since the last call."""
        with self._lock:
            now, cpu = time.monotonic(), time.process_time()
            window, self._window = self._window, Window()
            window.seconds, self._begin = now - self._begin, now
            window.cpu_seconds, self._cpu_begin = cpu - self._cpu_begin, cpu
        return window


def measure(address: str, requests: list[bytes], clients: int, warmup: float, seconds: float) -> Window:
    with Clients(address, requests, clients) as load:
        time.sleep(warmup)
        warm = load.take()
        time.sleep(seconds)
        window = load.take()
    if errors := warm.errors + window.errors:
        raise RuntimeError(f"{len(errors)} requests to {address} failed, the first with {errors[0]}")
    if not window.milliseconds:
        raise RuntimeError(f"no request to {address} was answered in {seconds} s")
    return window
