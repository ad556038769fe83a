"""SIGTERM: what was accepted is answered, then the process ends with 0."""

import queue
import signal
import socket
import threading

import pytest
import tritonclient.grpc
import tritonclient.http

import models
import program

WIDE = 1280  # pixels: about 0.1 s of work each, so that several requests are surely waiting when the signal comes


def infer(client_kind, address: str, started: threading.Barrier, answers: queue.Queue) -> None:
    try:
        with client_kind.InferenceServerClient(address) as client:
            assert client.is_server_ready()  # connected
            tensor = client_kind.InferInput("x", [1, 3, 48, WIDE], "FP32")
            tensor.set_data_from_numpy(models.text_line(1, WIDE))
            started.wait()
            answers.put(client.infer("recogniser", [tensor]).as_numpy("fetch_name_0"))
    except Exception as error:  # noqa: BLE001 - any failure is the test's to report
        answers.put(error)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_accepted_requests_are_answered(tmp_path, bare_recogniser, number):
    clients = 8
    expected = bare_recogniser.infer({"x": models.text_line(1, WIDE)})["fetch_name_0"]
    flags = ("--learn", "off", "--name", "recogniser", *models.FLAGS)
    with program.Server(tmp_path, models.recogniser(), *flags) as server:
        answers: queue.Queue = queue.Queue()
        started = threading.Barrier(clients)
        threads = []
        for k in range(clients):
            kind, address = [(tritonclient.grpc, server.grpc), (tritonclient.http, server.http)][k % 2]
            threads.append(threading.Thread(target=infer, args=(kind, address, started, answers)))
            threads[-1].start()
        got = [answers.get(timeout=120)]  # one is answered: the others, sent at the same time, were accepted
        server.process.send_signal(number)
        for thread in threads:
            thread.join(120)
        got += [answers.get_nowait() for _ in range(clients - 1)]
        assert server.process.wait(program.STOP_SECONDS) == 0, server.log()
        for answer in got:
            assert not isinstance(answer, Exception), f"{answer}\n{server.log()}"
            assert answer.tobytes() == expected.tobytes()
        for address in (server.http, server.grpc):
            host, port = address.split(":")
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((host, int(port)), timeout=10)


def test_idle_connections_do_not_hold_it_up(tmp_path, arith_model):
    with program.Server(tmp_path, arith_model, "--learn", "off") as server:
        http_host, http_port = server.http.split(":")
        idle = socket.create_connection((http_host, int(http_port)), timeout=10)
        client = tritonclient.grpc.InferenceServerClient(server.grpc)
        assert client.is_server_ready()
        server.terminate()
        assert server.process.wait(10) == 0, server.log()  # well under the 30 s that requests are given
        client.close()
        idle.close()
