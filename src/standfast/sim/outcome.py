"""What became of one plan: everything a summary or a bug report needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one plan."""

    seed: int
    hours: float
    """Simulated."""
    effects: int
    kills: int
    faults: Mapping[int, int]
    """How often each kind of the catalogue struck."""
    orders: int
    deeds: Mapping[str, int] = field(default_factory=dict)
    worst: Mapping[str, float] = field(default_factory=dict)
    sometimes: Mapping[str, int] = field(default_factory=dict)
    states: frozenset[str] = frozenset()
    violation: tuple[str, str] | None = None
    """Id and text of the promise that was broken; id `error` when the run itself failed."""
    healthy: float = 0.0
    """Simulated hours, summed over instruments and divided by their number, in which the bounds' clock ran."""
    at: float = 0.0
    """Seconds since the start at which it ended."""
    digest: str = ""
    timeline: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        return self.violation is None
