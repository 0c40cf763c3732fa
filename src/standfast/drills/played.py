"""What a drill has shown."""

from dataclasses import dataclass
from decimal import Decimal


class NotPlayedThere(ValueError):
    """This drill is not played at that exchange."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that must hold, whether it did, and what shows it."""

    text: str
    holds: bool
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One half of a drill. `held`: every claim about it. `loss`: account currency, never negative."""

    held: bool
    loss: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One incident, played bare and guarded."""

    name: str
    bare: Side
    guarded: Side
    timeline: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """The guard kept what must hold, and there was something to keep it from."""
        return self.guarded.held and not self.bare.held and self.bare.loss > self.guarded.loss
