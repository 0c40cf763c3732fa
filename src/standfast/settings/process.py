"""The settings of this process: its own environment, out of which every secret is taken once it has been read.

A variable that stays in `os.environ` is handed to every child and shown by whatever prints an environment. The kernel
keeps the block the process was started with: `/proc/PID/environ` shows it for as long as the process lives, to root
and, unless `runtime/private.py` has closed it, to the same user. A file or a credential has no such copy.
"""

import os
from pathlib import Path

from standfast.model.secret import Secret
from standfast.settings.reading import load
from standfast.settings.shapes import Settings

_taken: dict[str, Secret] = {}
"""Variables that are no longer in `os.environ`: a reload reads the same references again."""


def load_here(file: Path | str) -> Settings:
    """As `load`, with this process's environment. Variables that secrets came from are removed from it, for good."""
    named: list[str] = []
    try:
        return load(file, {**{name: kept.reveal() for name, kept in _taken.items()}, **os.environ}, named.append)
    finally:
        for name in named:
            value = os.environ.pop(name, None)
            if value is not None:
                _taken[name] = Secret(value)
