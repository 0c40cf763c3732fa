"""One kind of read of an account: its rhythm, what asks for the next one, and how the last have gone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from standfast.model.effects import Urgency
from standfast.runtime.bell import Bell


@dataclass(slots=True)
class Kind:
    name: str
    every: Callable[[], timedelta]
    read: Callable[[int], Awaitable[None]]
    wanted: Bell
    urgency: int = Urgency.READ
    """Of the next read: what a decision waits for goes before what is merely kept fresh."""
    is_steady: bool = False
    """Whether one that is merely kept fresh is under way."""
    succeeded_at: datetime | None = None
    failed_since: datetime | None = None
    failure: str = ""
