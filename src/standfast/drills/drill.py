"""One incident as a value: how it begins, and what happens on a stage."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from standfast.drills.scene import Scene
from standfast.drills.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """`story` is told on a bare stage and on a guarded one, and makes its claims as it goes.

    `replayed`: the same incident on recorded quotes, where it can be played so. It raises UnreadableQuotes or OSError
    for a file that does not have what it needs."""

    name: str
    scene: Scene
    story: Callable[[Stage], Awaitable[None]]
    replayed: Callable[[Path], "Drill"] | None = None
