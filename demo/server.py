"""Starts the built program, asks its pages, and stops it again, whatever happens in between."""

import json
import os
import select
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("TACHOSTAT_BIN", ROOT / "build/release/src/cli/tachostat"))
WORK = ROOT / "demo/work"


class Server:
    """`tachostat serve` on ports that the system chose. A context manager: leaving it stops the process."""

    START_SECONDS = 60
    STOP_SECONDS = 40  # the program itself gives up after 30

    def __init__(self, label: str, model: Path, *flags: str, name: str = "recogniser"):
        self.label = label
        self.log = WORK / f"{label}.log"
        self._command = [str(PROGRAM), "serve", str(model), "--json", "--name", name]
        self._command += ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", *flags]

    def __enter__(self) -> "Server":
        WORK.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C reaches this program only, which then stops the server in order.
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        try:
            ready = json.loads(self._ready_line())
        except BaseException:
            self.stop()
            raise
        self.http, self.grpc, self.model = ready["http"], ready["grpc"], ready["model"]
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def _ready_line(self) -> str:
        pipe = self._process.stdout
        end = time.monotonic() + self.START_SECONDS
        while time.monotonic() < end:
            if select.select([pipe], [], [], 0.2)[0]:
                line = pipe.readline().decode()
                if line:
                    return line
                code = self._process.wait()
                raise RuntimeError(f"server '{self.label}' ended with code {code}:\n{self.log_end()}")
        raise RuntimeError(f"server '{self.label}' was not ready in {self.START_SECONDS} s:\n{self.log_end()}")

    def log_end(self, lines: int = 8) -> str:
        return "\n".join("  " + line for line in self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> int:
        """Ends it by SIGTERM, which answers what was accepted; by force when that takes too long."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(self.STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._process.stdout.close()

    def url(self, page: str = "") -> str:
        return f"http://{self.http}/tachostat/v1/models/{self.model}{page}"

    def text(self, page: str = "") -> str:
        try:
            with urllib.request.urlopen(self.url(page), timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise PageError(f"{self.url(page)}: {error.code} {error.read().decode(errors='replace')}") from error
        except OSError as error:
            raise RuntimeError(f"server '{self.label}': {self.url(page)}: {error}\n{self.log_end()}") from error

    def page(self, page: str = ""):
        return json.loads(self.text(page))

    def page_or_none(self, page: str):
        """None while the server says that it has nothing to show yet."""
        try:
            return self.page(page)
        except PageError:
            return None


class PageError(RuntimeError):
    """The server answered, with an error."""
