"""The whole loop on a real model: serve, watch, diagnose, try, prove, switch; then compare. See README.md."""

import argparse
import os
import re
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

import lines as text_lines
import load
import ocr
import report
from server import PROGRAM, ROOT, WORK, Server

LINES = 100
CLIENTS = 3  # requests in flight: enough that the server always has one waiting
LEARN_SECONDS = 70
ROUNDS = 5
ROUND_SECONDS = 2.0
# The target is what the plain start point has under this load, and room for this machine's noise. So a faster variant
# that costs latency is a miss that the governor must see, and what is won shows as throughput.
TARGET_FACTOR = 1.25

TERMINAL = sys.stdout.isatty()


def progress(text: str) -> None:
    """For someone who watches; nothing in a pipe."""
    if TERMINAL:
        print(f"\r\033[K{text}", flush=True)


def status(text: str) -> None:
    if TERMINAL:
        print(f"\r\033[K{report.cut(text, 110)}", end="", flush=True)


def accuracy(server: Server, lines: list[text_lines.Line], characters: list[str]) -> float:
    """Share of characters read right through the wire, with the unmodified client; a few lines by HTTP as well."""
    texts = []
    with tritonclient.grpc.InferenceServerClient(server.grpc) as client:
        for line in lines:
            tensor = tritonclient.grpc.InferInput(ocr.INPUT, line.tensor.shape, "FP32")
            tensor.set_data_from_numpy(line.tensor)
            scores = client.infer(server.model, [tensor]).as_numpy(ocr.OUTPUT)
            texts.append(ocr.read_text(scores[0], characters))
    with tritonclient.http.InferenceServerClient(server.http) as client:
        for line, text in zip(lines[:5], texts):
            tensor = tritonclient.http.InferInput(ocr.INPUT, line.tensor.shape, "FP32")
            tensor.set_data_from_numpy(line.tensor)
            scores = client.infer(server.model, [tensor]).as_numpy(ocr.OUTPUT)
            if (by_http := ocr.read_text(scores[0], characters)) != text:
                raise RuntimeError(f"server '{server.label}' read '{text}' by gRPC and '{by_http}' by HTTP")
    return ocr.character_accuracy([line.text for line in lines], texts)


class Learning:
    """What the governor did while it was watched."""

    def __init__(self, server: Server):
        self._server = server
        self._holding_since = None
        self.decisions: list[dict] = []
        self.profile = None  # the first one, so of the start point
        self.findings: list[dict] = []
        self.window = load.Window()

    def run(self, requests: list[bytes], seconds: float) -> None:
        begin = time.monotonic()
        with load.Clients(self._server.grpc, requests, CLIENTS) as clients:
            while time.monotonic() < begin + seconds and not self._settled():
                time.sleep(0.5)
                now = clients.take()
                self.window.add(now)
                if self.window.errors:
                    break
                self._look(time.monotonic() - begin, now)
        self.window.errors += clients.take().errors
        status("")
        if self.window.errors:
            raise RuntimeError(f"a request failed while learning: {self.window.errors[0]}")

    def _look(self, elapsed: float, now: load.Window) -> None:
        state = self._server.page()
        log = self._server.page("/decisions")["decisions"]
        for decision in log[len(self.decisions) :]:
            progress(f"  {elapsed:5.1f} s  {report.decision_line(decision)}")
        self.decisions = log
        self.profile = self.profile or self._server.page_or_none("/profile")
        if not self.findings:
            self.findings = self._server.page("/findings")["findings"]
        if state["phase"] != "holding":
            self._holding_since = None
        elif self._holding_since is None:
            self._holding_since = time.monotonic()
        status(f"  {elapsed:5.1f} s  {now.throughput:.0f}/s  {state['phase']}  {state['variant']}")

    def _settled(self) -> bool:
        """Holding for a while after something was tried: what can be learned here was learned."""
        tried = any(decision["kind"] in ("proved", "refused") for decision in self.decisions)
        return tried and self._holding_since is not None and time.monotonic() > self._holding_since + 4


def compare(servers: dict[str, Server], requests: list[bytes]) -> dict[str, list[load.Window]]:
    """Short windows of load on one server after the other, in turns, so that the machine's moods hit all alike."""
    rounds: dict[str, list[load.Window]] = {label: [] for label in servers}
    labels = list(servers)
    for number in range(ROUNDS):
        status(f"  round {number + 1} of {ROUNDS}")
        for label in labels:
            window = load.measure(servers[label].grpc, requests, CLIENTS, 0.4, ROUND_SECONDS)
            rounds[label].append(window)
        labels = labels[1:] + labels[:1]
    status("")
    return rounds


def pooled(windows: list[load.Window]) -> load.Window:
    total = load.Window()
    for window in windows:
        total.add(window)
    return total


def processor() -> str:
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return f"{names[0] if names else 'an unnamed processor'}, {len(os.sched_getaffinity(0))} CPUs"


def target_of(window: load.Window) -> str:
    return f"{TARGET_FACTOR * window.quantile(0.99):.0f}ms"


def run(arguments: argparse.Namespace) -> None:
    begin = time.monotonic()
    model = ocr.model_path()
    characters = ocr.alphabet(model)
    lines = text_lines.render(LINES)
    with ExitStack() as stack:
        progress(f"1. {model.stem} at the plain start point, f32, under {CLIENTS} clients in a closed loop")
        off = ("--learn", "off", "--probe", "off")
        plain = stack.enter_context(Server("f32", model, "--precision", "f32", *off))
        requests = [load.written_request(plain.model, ocr.INPUT, line.tensor) for line in lines]
        before = load.measure(plain.grpc, requests, CLIENTS, 2, 6)
        target = arguments.p99 or target_of(before)
        progress(f"   {before.throughput:.1f} requests/s, p99 {before.quantile(0.99):.1f} ms")

        progress(f"2. Tachostat from the same start point, --p99 {target}: learning on live traffic")
        tuned = stack.enter_context(Server("tachostat", model, "--precision", "f32", "--p99", target))
        learning = Learning(tuned)
        learning.run(requests, LEARN_SECONDS)

        progress("3. The three side by side, in turns")
        default = stack.enter_context(Server("default", model, "--precision", "default", "--streams", "0", *off))
        servers = {"f32": plain, "engine's default": default, "Tachostat": tuned}
        right = {label: accuracy(server, lines, characters) for label, server in servers.items()}
        rounds = compare(servers, requests)
        trace = WORK / "trace.json"
        trace.write_text(tuned.text("/trace"))
        rows = {label: (pooled(rounds[label]), right[label]) for label in servers}
        print_report(learning, rows, rounds, tuned, target, trace, time.monotonic() - begin)
        if arguments.stay:
            stay(tuned)


def print_report(learning: Learning, rows: dict, rounds: dict, tuned: Server, target: str, trace: Path,
                 seconds: float) -> None:  # fmt: skip
    state = tuned.page()
    profiling = state["profiling"]
    best = rows["Tachostat"][0]
    out = report.heading(
        f"PP-OCRv6 recogniser on {processor()}; {CLIENTS} requests in flight, in turns, {ROUNDS} × {ROUND_SECONDS:.0f} s each"
    )
    out += report.speed(rows, "f32", rounds, LINES)
    cost = sum(window.cpu_seconds for window, _ in rows.values()) / sum(window.seconds for window, _ in rows.values())
    out.append(f"  the load generator ran on the same machine and used {cost:.0%} of one core")
    held = best.quantile(0.99) <= float(target.removesuffix("ms"))
    out.append(f"  target p99 ≤ {target}: {'held' if held else 'missed'}, {best.quantile(0.99):.1f} ms as the clients saw it")
    out.append(f"  Tachostat now runs {state['variant']}")
    if learning.profile:
        out += report.heading(f"The layers that mattered, at the start point ({learning.profile['variant']})")
        out += report.layers(learning.profile)
    out += report.heading("Found")
    out += report.findings(learning.findings)
    out += report.heading("Tried, and proved or refused")
    out += report.trials(tuned.page("/trials"))
    out += report.heading("Switched")
    out += report.decisions(tuned.page("/decisions")["decisions"], {"start", "switch", "degraded"})
    answered = len(learning.window.milliseconds)
    out += report.heading("While learning")
    out.append(f"  {answered} requests answered in {learning.window.seconds:.0f} s, none failed; "
               f"profiling cost {profiling['overhead']:.2%} (budget {profiling['budget']:.2%}), "
               f"{profiling['sampled']} of {profiling['requests']} requests looked at")  # fmt: skip
    out += report.heading("Where to look")
    out.append(f"  {trace.relative_to(ROOT)}   Chrome trace of the last looked-at requests, for ui.perfetto.dev")
    out.append(f"  {tuned.url()}   and below it /decisions /trials /variants /findings /profile")
    out.append("  The server stays up with ./run demo --stay.")
    out.append(f"  took {seconds:.0f} s")
    print("\n".join(out), flush=True)


def stay(server: Server) -> None:
    print(f"\nServing on {server.url()} (HTTP {server.http}, gRPC {server.grpc}). Stop with Ctrl-C.", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        progress("Stopping")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="keep the learned server until Ctrl-C")
    parser.add_argument("--p99", help=f"latency target in ms, e.g. 60ms; by default {TARGET_FACTOR} × f32's own p99")
    arguments = parser.parse_args()
    if arguments.p99 and not re.fullmatch(r"\d+(\.\d+)?ms", arguments.p99):
        parser.error(f"--p99 {arguments.p99}: expected milliseconds, e.g. 60ms")
    # Ended from outside: unwind as for Ctrl-C, so that no server is left.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    if not PROGRAM.is_file():
        print(f"demo: no program at {PROGRAM}: run ./run build", file=sys.stderr)
        return 3
    try:
        run(arguments)
    except KeyboardInterrupt:
        print("\ndemo: interrupted", file=sys.stderr)
        return 130
    except (RuntimeError, OSError, InferenceServerException) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
