"""How long diagnosing profiles of up to 100,000 layers takes."""

import json
import subprocess

import common


def main():
    rows = [json.loads(subprocess.run([common.BUILD / "bench/diagnose_speed", str(n)], check=True, capture_output=True, text=True).stdout)
            for n in (1_000, 10_000, 100_000)]
    common.table(["layers", "findings", "median", "worst of 7"], [[r["layers"], r["findings"], f"{r['median_s']:.3f} s", f"{r['worst_s']:.3f} s"] for r in rows])
    common.write_results("diagnose_speed", "./run bench diagnose_speed", rows)
