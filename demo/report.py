"""The demo's text for people. Pure functions from what was measured to lines."""

import statistics
from collections import Counter

from load import Window


def table(header: list[str], rows: list[list[str]], align: str) -> list[str]:
    """Columns as wide as needed; `align` has "<" or ">" for each."""
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [f"{cell:{side}{width}}" for cell, side, width in zip(row, align, widths, strict=True)]
        lines.append("  " + "   ".join(cells).rstrip())
    return lines


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def heading(text: str) -> list[str]:
    return ["", text]


def speed(rows: dict[str, tuple[Window, float]], base: str, rounds: dict[str, list[Window]], lines: int) -> list[str]:
    """`rows`: label to its pooled window and its share of right characters. `rounds`: one window per round."""
    cells = []
    for label, (window, accuracy) in rows.items():
        cells.append(
            [label, f"{window.throughput:.1f}", f"{window.quantile(0.5):.1f} ms", f"{window.quantile(0.99):.1f} ms",
             str(len(window.milliseconds)), f"{accuracy:.2%}"]
        )  # fmt: skip
    out = table(["", "requests/s", "p50", "p99", "requests", f"characters right ({lines} lines)"], cells, "<>>>>>")
    for label in rows:
        if label != base:
            out.append(f"  {label} ÷ {base}: {ratios(rounds[label], rounds[base])}")
    return out


def ratios(windows: list[Window], base: list[Window]) -> str:
    throughput = [a.throughput / b.throughput for a, b in zip(windows, base, strict=True)]
    median = [a.quantile(0.5) / b.quantile(0.5) for a, b in zip(windows, base, strict=True)]
    return f"throughput {spread(throughput)}, p50 {spread(median)}; median of {len(base)} rounds (least–most)"


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def layers(profile: dict, top: int = 8) -> list[str]:
    """The most expensive layers of a profile page."""
    worst = sorted(profile["layers"], key=lambda layer: -layer["share"])
    requests = max(1, profile["requests"]["count"])
    rows = []
    for layer in worst[:top]:
        efficiency = layer["thread_efficiency"]
        rows.append(
            [cut(layer["name"], 40), layer["type"], f"{layer['sum_ns'] / requests / 1e6:.2f} ms", f"{layer['share']:.1%}",
             "-" if efficiency is None else f"{efficiency:.0%}", layer["kernel"]]
        )  # fmt: skip
    share = sum(layer["share"] for layer in worst[:top])
    out = table(["layer", "type", "each request", "share", "threads busy", "kernel"], rows, "<<>>><")
    return [*out, f"  these {len(rows)} of {len(worst)} layers: {share:.0%} of the time; {requests} requests looked at"]


def findings(found: list[dict]) -> list[str]:
    return [f"  {finding['rule']}: {finding['summary']}" for finding in found] or ["  none"]


def trials(page: dict) -> list[str]:
    out = []
    for trial in page["trials"]:
        out.append(f"  {trial['outcome']:8} {trial['candidate']}")
        out.append(f"           why: {trial['reason']}")
        out.append(f"           {trial['verdict']}")
    # One line for variants that were left out for the same reason.
    reasons = Counter((refusal["proposer"], refusal["reason"]) for refusal in page["refused_untried"])
    for (proposer, reason), count in reasons.items():
        out.append(f"  untried  {proposer}{f', {count} variants' if count > 1 else ''}: {reason}")
    return out or ["  nothing"]


def decisions(log: list[dict], kinds: set[str]) -> list[str]:
    return [f"  {decision_line(decision)}" for decision in log if decision["kind"] in kinds] or ["  none"]


def decision_line(decision: dict) -> str:
    change = decision["to"]
    if decision["from"] and decision["from"] != decision["to"]:
        change = f"{decision['from']} → {decision['to']}"
    return f"{decision['kind']:8} {change}: {decision['reason']}"
