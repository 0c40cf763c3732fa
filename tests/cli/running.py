"""The command as its users run it: a process of its own, with an environment we know."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """Ours without settings of Standfast, so that a developer's shell changes nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STANDFAST", "PYTHON"))}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **more}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "standfast", *map(str, arguments)]


def standfast(*arguments: str | Path, folder: Path | None = None, **more: str) -> Ran:
    """Run it to its end."""
    ran = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)
