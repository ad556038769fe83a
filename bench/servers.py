"""Runs servers and load generators as child processes, so that a benchmark can interleave them."""

import contextlib
import json
import signal
import subprocess
import urllib.request

import common


class Server:
    """A `tachostat serve` on free ports; stops by SIGTERM and is waited for."""

    def __init__(self, model, *flags):
        command = [common.TACHOSTAT, "--log", "warn", "serve", model, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0",
                   "--json", *map(str, flags)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: the server did not start: exit code {self.process.wait()}")
        self.ready = json.loads(line)

    def page(self, path):
        url = f"http://{self.ready['http']}/tachostat/v1/models/{self.ready['model']}{path}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Load:
    """One bench/load process; window() runs one measurement."""

    def __init__(self, *words):
        self.process = subprocess.Popen([common.BUILD / "bench/load", *map(str, words)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def window(self, seconds, in_flight):
        self.process.stdin.write(f"{seconds} {in_flight}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("bench: a load generator ended early")
        result = json.loads(line)
        if result["failed"]:
            raise SystemExit(f"bench: {result['failed']} requests failed")
        return result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.wait(timeout=60)


def grpc_load(server, shapes):
    return Load("grpc", server.ready["grpc"], server.ready["model"], shapes)
