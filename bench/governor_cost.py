"""What the governor itself costs with a hundred registered models under traffic: share of one core, by policy."""

import json
import subprocess

import common

MODELS, SECONDS, RUNS = 100, 60, 3


def main():
    rows = []
    for policy in ("ladder", "predictive", "bandit"):
        command = [common.BUILD / "bench/governor_cost", policy, str(MODELS), str(SECONDS)]
        runs = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(RUNS)]
        shares = sorted(run["share_of_a_core"] for run in runs)
        rows.append({**runs[0], "share_of_a_core": shares[len(shares) // 2], "lowest": shares[0], "highest": shares[-1]})
    common.table(["policy", "models", "share of a core", "lowest", "highest"],
                 [[row["policy"], row["models"], f"{row['share_of_a_core']:.2%}", f"{row['lowest']:.2%}", f"{row['highest']:.2%}"] for row in rows])
    common.write_results("governor_cost", "./run bench governor_cost", rows)
