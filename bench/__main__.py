"""`python -m bench [NAME...] [--json FILE]`: measure, show, keep. Exit code 1 when a goal is missed."""

import argparse
import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, table

NAMES = (
    "start",
    "journal",
    "quotes",
    "structures",
    "reconcile",
    "startup",
    "protecting",
    "verifying",
    "storm",
    "simulating",
    "idle",
    "restart",
    "accounts",
)
"""One module each, in the order they run: the short ones first."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {' '.join(NAMES)} (default: all)")
    parser.add_argument("--json", metavar="FILE", help="write every figure to FILE as well")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in NAMES]:
        parser.error(f"no figure is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    found: list[Figure] = []
    for name in options.names or NAMES:
        began = time.perf_counter()
        found += importlib.import_module(f"bench.{name}").figures()
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(found))
    if options.json:
        Path(options.json).write_text(json.dumps(_document(found), indent=2) + "\n", encoding="utf-8")
    return 0 if all(figure.is_held for figure in found) else 1


def _document(figures: Sequence[Figure]) -> dict[str, object]:
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    return {"machine": machine, "figures": [figure.document() for figure in figures]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
