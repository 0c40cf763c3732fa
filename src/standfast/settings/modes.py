"""Who else can read or change what a guard rests on: its settings, its ledger with everything beside it, their folders.

Settings decide where keys are sent. Who writes the ledger can make the guard act; who can write its folder can put
another file in its place. Everything is made with mode 0600; this is for what was copied, restored or opened since.
"""

import glob
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Exposed:
    """One file or folder that others can get at, and the command against it."""

    path: Path
    mode: int
    cure: str

    def __str__(self) -> str:
        return f"{self.path} has mode {self.mode:04o}"


def exposed(config: Path, ledger: Path | None) -> list[Exposed]:
    """What others can get at, settings first. Looks at modes only; a file that is not there is no finding."""
    folders = dict.fromkeys([config.absolute().parent, *([] if ledger is None else [ledger.absolute().parent])])
    found = [each for path in (config, *_of_the_ledger(ledger)) if (each := _judged(path, OTHERS, "chmod 600"))]
    return found + [each for path in folders if (each := _judged(path, OTHERS_WRITE, "chmod go-w"))]


def _of_the_ledger(ledger: Path | None) -> Iterator[Path]:
    """The file, SQLite's own beside it, anchors, ballast and the copies made before migrations."""
    if ledger is not None:
        yield ledger
        yield from sorted(ledger.parent.glob(f"{glob.escape(ledger.name)}[-.]*"))


def _judged(path: Path, bits: int, cure: str) -> Exposed | None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    return Exposed(path, mode, f"{cure} {path}") if mode & bits else None
