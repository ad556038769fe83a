"""./run bench [NAME…]: runs the benchmarks of this folder, all or by name. Each prints a table and writes
bench/results/NAME.json."""

import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

NAMES = ["profiling_overhead", "server_overhead", "live_against_sweep", "calibration", "import_speed", "compare_aa", "planted",
         "gains", "foreign", "diagnose_speed", "zoo", "race_aa", "simulated", "governor_cost", "goodput"]


def main():
    names = sys.argv[1:] or NAMES
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"bench: no benchmark {', '.join(unknown)}: there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in names:
        importlib.import_module(name).main()
    return 0


sys.exit(main())
