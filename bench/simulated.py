"""What the governor does in virtual time: each policy beside the best fixed variant and beside what no schedule can exceed; how often it switches
when nothing has changed; whether candidates that are no better are ever promoted; how soon it is back inside the target after a change; how long a
thousand machines take. SIMULATED_SEEDS=1000 for the rare events, SIMULATED_POLICY_SEEDS=20 for the policies."""

import os
import time
import tomllib

import common

SCENARIOS = common.ROOT / "bench/scenarios"
RARE = int(os.environ.get("SIMULATED_SEEDS", 1000))
SEEDS = int(os.environ.get("SIMULATED_POLICY_SEEDS", 20))
LOADS = ["steady", "bursts", "ramp"]
POLICIES = ["ladder", "predictive", "bandit"]


def variants(name):
    scenario = tomllib.loads((SCENARIOS / f"{name}.toml").read_text())
    return [variant["name"] for variant in scenario["model"][0]["variant"]]


def simulate(name, *flags):
    return common.tachostat("simulate", "--json", SCENARIOS / f"{name}.toml", *flags)[1]


def policies():
    rows = []
    for name in LOADS:
        fixed = {variant: simulate(name, "--seeds", SEEDS, "--policy", "fixed", "--start", variant)["models"][0] for variant in variants(name)}
        best = max(fixed, key=lambda variant: fixed[variant]["in_time"])
        for policy in POLICIES:
            model = simulate(name, "--seeds", SEEDS, "--policy", policy)["models"][0]
            rows.append({"case": name, "policy": policy, "seeds": SEEDS, "attainment": model["attainment"], "of_bound": model["of_bound"],
                         "worst_of_bound": model["worst_of_bound"], "best_fixed": best, "best_fixed_attainment": fixed[best]["attainment"],
                         "over_best_fixed": model["in_time"] / fixed[best]["in_time"], "switches_per_hour": model["switches_per_hour"]})
    common.table(["load", "policy", "in time", "of the bound", "worst seed", "best fixed", "over best fixed", "switches/h"],
                 [[row["case"], row["policy"], f"{row['attainment']:.1%}", f"{row['of_bound']:.3f}", f"{row['worst_of_bound']:.3f}",
                   f"{row['best_fixed']} ({row['best_fixed_attainment']:.1%})", f"{row['over_best_fixed']:.3f}×", f"{row['switches_per_hour']:.0f}"]
                  for row in rows])
    return rows


def changes():
    rows = []
    for name in ("quota", "neighbour", "heat", "failures"):
        model = simulate(name)["models"][0]
        for each in model["recoveries"]:
            rows.append({"case": name, "event": each["event"], "change": each["change"], "recovered_s": each["seconds"], "switches": each["switches"],
                         "lost": model["lost"]})
    print()
    common.table(["case", "event", "change", "in time again after", "switches", "lost"],
                 [[row["case"], row["event"], row["change"], "never" if row["recovered_s"] is None else f"{row['recovered_s']:.1f} s", row["switches"],
                   row["lost"]] for row in rows])
    return rows


def rare():
    rows = []
    for policy in POLICIES:
        begin = time.monotonic()
        report = simulate("stationary", "--seeds", RARE, "--policy", policy)
        model = report["models"][0]
        rows.append({"case": "stationary", "policy": policy, "seeds": RARE, "hours": report["hours"], "switches_per_hour": model["switches_per_hour"],
                     "wall_s": time.monotonic() - begin})
    report = simulate("impostors", "--seeds", RARE)
    model = report["models"][0]
    rows.append({"case": "impostors", "policy": model["policy"], "seeds": RARE, "hours": report["hours"], "promoted": model["promoted"],
                 "seeds_with_promotions": model["seeds_with_promotions"]})
    print()
    common.table(["case", "policy", "seeds", "hours", "switches/h", "promoted"],
                 [[row["case"], row["policy"], row["seeds"], f"{row['hours']:.0f}",
                   f"{row['switches_per_hour']:.4f}" if "switches_per_hour" in row else "–", row.get("promoted", "–")] for row in rows])
    return rows


def fleet():
    begin = time.monotonic()
    report = simulate("fleet")
    row = {"case": "fleet", "nodes": report["nodes"], "seconds": report["seconds"], "requests": report["models"][0]["arrivals"],
           "attainment": report["models"][0]["attainment"], "wall_s": time.monotonic() - begin}
    print(f"\n{row['nodes']} machines for {row['seconds'] / 3600:.2f} hours, {row['requests']} requests: {row['wall_s']:.1f} s")
    return [row]


def main():
    rows = policies() + changes() + rare() + fleet()
    common.write_results("simulated", "./run bench simulated", rows)
