"""What `drill run --seeds` asks of `standfast.drills`. As `doors`."""

from collections.abc import Sequence
from typing import Protocol


class SeedRan(Protocol):
    """One seed of a drill that is played over seeds. Times in seconds, once the exchange showed what was held."""

    @property
    def drawn(self) -> object: ...

    @property
    def holds(self) -> bool: ...

    @property
    def wrong_way(self) -> Sequence[str]: ...

    @property
    def naked(self) -> float: ...

    @property
    def untracked(self) -> float: ...

    @property
    def trouble(self) -> str: ...


class SeedFigures(Protocol):
    """Of all of them: how many orders, and how many seeds."""

    seeds: int
    wrong_way: int
    untracked: int
    naked: int
    longest: float
    longest_promised: float

    @property
    def failed(self) -> Sequence[SeedRan]: ...
