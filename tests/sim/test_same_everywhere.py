"""One seed, one run: the same digest in every process, whatever its hash seed and whichever Python runs it.

The runs are those of the swarm, so whatever it can draw is covered: faults, kills, pauses, both orders of service. Each
group is a process of its own; a difference is looked for with `standfast drill fuzz --trace`.
"""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from standfast.sim.seeds import SPREADS_FROM

ROOT = Path(__file__).parents[2]
SEEDS = (*range(9000, 9005), SPREADS_FROM + 3, SPREADS_FROM + 8)
OTHERS = ("3.11", "3.12", "3.13")
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
PLAYS = """
import sys
from standfast.sim import chaos, seeds
for seed in map(int, sys.argv[1:]):
    outcome = chaos.play(seeds.plan_of(seed, hours=0.05))
    print(seed, outcome.digest, outcome.effects, outcome.orders, outcome.at)
"""


def played(python: Path, hash_seed: str) -> list[str]:
    """A line for each seed, from a new process."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT / "src")}
    command = [str(python), "-c", PLAYS, *map(str, SEEDS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@cache
def expected() -> list[str]:
    return played(Path(sys.executable), "0")


def test_the_runs_differ_from_each_other() -> None:
    digests = [line.split()[1] for line in expected()]
    assert len(set(digests)) == len(SEEDS)


@pytest.mark.parametrize("hash_seed", ["1", "random"])
def test_a_run_does_not_depend_on_the_hash_seed(hash_seed: str) -> None:
    assert played(Path(sys.executable), hash_seed) == expected()


@pytest.mark.parametrize("version", OTHERS)
def test_a_run_does_not_depend_on_the_python(version: str) -> None:
    if version == THIS:
        pytest.skip("that is the Python of this run")
    python = ROOT / f".venv-{version}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment of Python {version} here: make matrix makes it")
    assert played(python, "random") == expected()
