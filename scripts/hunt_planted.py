"""How many planted bugs fresh seeds find, each within a slice of processor time.

    .venv/bin/python scripts/hunt_planted.py [--from SEED] [--seconds 60] [--hours 0.5] [NAME ...]

A bug counts as found by a seed that breaks a promise with it and holds without it.
"""

import argparse
import secrets
import sys
import time
from itertools import count

from standfast.sim.chaos import play
from standfast.sim.planted.known import PLANTED
from standfast.sim.planted.of_spreads import OF_SPREADS
from standfast.sim.seeds import SPREADS_FROM, plan_of

STRUCTURES = {planted.name for planted in OF_SPREADS}
"""They show in seeds of spreads."""


def hunt(name: str, first: int, hours: float, seconds: float) -> str:
    """A line about one bug: what found it, after how much, or that nothing has."""
    began = time.process_time()
    for seed in count(first):
        plan = plan_of(seed + SPREADS_FROM if name in STRUCTURES else seed, hours=hours)
        with PLANTED[name].switched_on():
            violation = play(plan).violation
        if violation is not None and play(plan).held:
            spent = time.process_time() - began
            said = " ".join(violation[1].split())[-160:]
            return f"{name}: seed {seed}, {seed - first + 1} seeds, {spent:.0f} s: {violation[0]}: {said}"
        if time.process_time() - began > seconds:
            return f"{name}: NOT FOUND in {seed - first + 1} seeds"
    raise AssertionError("seeds do not end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="first", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--hours", type=float, default=0.5)
    parser.add_argument("names", nargs="*", default=sorted(PLANTED))
    asked = parser.parse_args()
    lines = []
    for name in asked.names:
        lines.append(hunt(name, asked.first, asked.hours, asked.seconds))
        _say(lines[-1])
    found = sum("NOT FOUND" not in line for line in lines)
    _say(f"{found} of {len(lines)} found, from seed {asked.first}, {asked.hours:g} h each, {asked.seconds:g} s each")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
