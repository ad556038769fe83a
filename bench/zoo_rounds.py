"""Speed of systems against each other: blocks of all of them in rounds of random order, all loaded anew a few times, and ratios with intervals."""

import math
import random
import statistics
import time

LOADS = 3  # where data lie in memory matters
BLOCK_S, LEAST = 0.3, 3
WARM_BLOCKS = 2
# After a block its runtime's threads spin for a while; they must not disturb the next one's.
PAUSE_S = 0.03
DRAWS = 2000


def one_load(run, systems, rounds, order):
    """A list of {system: figure of its block}. `run(system, seconds)` gives the figure."""
    for _ in range(WARM_BLOCKS):
        for system in systems:
            run(system, BLOCK_S)
    done = []
    for _ in range(rounds):
        order.shuffle(systems)
        figures = {}
        for system in systems:
            time.sleep(PAUSE_S)
            figures[system] = run(system, BLOCK_S)
        done.append(figures)
    return done


def middle(loads, system):
    """Median over all blocks; None where it was not measured."""
    found = [figures[system] for rounds in loads for figures in rounds if system in figures]
    return statistics.median(found) if found else None


def logs_of_ratios(loads, over, under):
    """By load and round: log(figure of `over` / figure of `under` in the same round)."""
    return [[math.log(figures[over] / figures[under]) for figures in rounds if over in figures and under in figures] for rounds in loads]


def _drawn(logs, pick):
    """The mean of loads drawn anew, and of each one's rounds: both differ by chance."""
    return statistics.fmean(one for rounds in pick.choices(logs, k=len(logs)) for one in pick.choices(rounds, k=len(rounds)))


def geometric_mean(several, seed=1):
    """Of ratios of several models, each by load and round: (mean, low, high) with a bootstrap interval of 95 %; None when there are none."""
    several = [[rounds for rounds in logs if rounds] for logs in several]
    several = [logs for logs in several if logs]
    if not several:
        return None
    pick = random.Random(seed)
    value = statistics.fmean(statistics.fmean(one for rounds in logs for one in rounds) for logs in several)
    drawn = sorted(statistics.fmean(_drawn(logs, pick) for logs in several) for _ in range(DRAWS))
    tail = round(0.025 * DRAWS)
    return math.exp(value), math.exp(drawn[tail]), math.exp(drawn[-tail - 1])
