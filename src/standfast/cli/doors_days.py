"""What `drill replay` asks of `standfast.drills.days`, and the way in. As `doors`."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast


class DayDue(Protocol):
    @property
    def at(self) -> datetime: ...

    @property
    def reason(self) -> str: ...


class DayKept(Protocol):
    """How one position of a recorded day was kept."""

    @property
    def name(self) -> str: ...

    @property
    def by(self) -> str: ...

    @property
    def opened(self) -> datetime: ...

    @property
    def entry(self) -> Decimal: ...

    @property
    def due(self) -> DayDue: ...

    @property
    def sent(self) -> datetime | None: ...

    @property
    def lag(self) -> float | None:
        """Seconds from what made its exit due to the order."""
        ...

    @property
    def reason(self) -> str: ...

    @property
    def over(self) -> datetime | None: ...

    @property
    def minutes(self) -> int: ...

    @property
    def blind(self) -> int: ...

    @property
    def earned(self) -> Decimal:
        """By the exchange's fills."""
        ...

    @property
    def booked(self) -> Decimal: ...

    @property
    def wrong(self) -> Sequence[str]: ...


class DayNotes(Protocol):
    @property
    def day(self) -> date: ...

    @property
    def earned(self) -> Decimal: ...


class DayJudged(Protocol):
    """One recorded day, played and judged."""

    @property
    def notes(self) -> DayNotes: ...

    @property
    def kept(self) -> Sequence[DayKept]: ...

    @property
    def booked(self) -> Decimal: ...

    @property
    def refused(self) -> Sequence[str]:
        """Openings that the guard refused, and rightly."""
        ...

    @property
    def wrong(self) -> Sequence[str]: ...

    @property
    def held(self) -> bool: ...

    @property
    def minutes(self) -> int: ...


class Days(Protocol):
    """`standfast.drills.days`."""

    def run(
        self,
        path: Path,
        *,
        since: timedelta,
        until: timedelta | None,
        keep: Path | None,
        told: Callable[[DayJudged], None],
    ) -> Sequence[DayJudged]:
        """Play and judge a day, or every day of a folder; `told` hears of each as it ends."""
        ...


def days() -> Days:
    return cast("Days", import_module("standfast.drills.days"))
