"""The built program as a test sees it: run to its end, or started as a server and stopped."""

import http.client
import json
import os
import queue
import signal
import subprocess
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("TACHOSTAT_BIN", ROOT / "build/release/src/cli/tachostat"))
# Sanitized builds are slow; these only end a test that hangs.
START_SECONDS = 120
STOP_SECONDS = 60
RUN_SECONDS = 300


def run(*arguments, timeout: float = RUN_SECONDS) -> subprocess.CompletedProcess:
    """The program to its end, with its exit code, stdout and stderr as text."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False)


class Answer:
    """One HTTP answer, read whole."""

    def __init__(self, response: http.client.HTTPResponse):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Server:
    """`tachostat serve` on ports that the system chose. A context manager that leaves no process behind."""

    def __init__(self, folder: Path, model: Path, *flags):
        self._command = [str(PROGRAM), "serve", str(model), "--json"]
        self._command += ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", *map(str, flags)]
        self._log = folder / "server.log"

    def __enter__(self) -> "Server":
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log)
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=lambda: lines.put(self.process.stdout.readline()), daemon=True).start()
        try:
            ready = json.loads(lines.get(timeout=START_SECONDS) or b"null")
            assert ready, f"the server ended with code {self.process.wait()}:\n{self.log()}"
        except BaseException:
            self._end()
            raise
        self.http, self.grpc, self.model, self.pid = (ready[key] for key in ("http", "grpc", "model", "pid"))
        return self

    def __exit__(self, *_) -> None:
        self._end()

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """The exit code of a graceful stop."""
        self.terminate()
        return self.process.wait(STOP_SECONDS)

    def request(self, method: str, path: str, body: bytes | None = None, headers: dict | None = None) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(self.http, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def page(self, page: str = ""):
        answer = self.request("GET", f"/tachostat/v1/models/{self.model}{page}")
        assert answer.status == 200, answer.body
        return answer.json()

    def metric(self, name: str) -> float:
        """A metric's value for this server's model."""
        for line in self.request("GET", "/metrics").body.decode().splitlines():
            if line.startswith(name + "{") and f'model="{self.model}"' in line:
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"/metrics has no {name} for {self.model}")
