"""The bot's own record, read on its own rhythm beside everything else: what it says, and how it changes.

A read that fails is absent, never empty: what was read last stays, and how long it has been so is known. Nothing here
decides; a difference is a reason to look.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from standfast.core.own_record import differing
from standfast.core.situation import Situation
from standfast.model.errors import RecordUnreadable
from standfast.model.ids import Holding
from standfast.model.order import ZERO
from standfast.model.tracked import RecordRead, Tracked, held_in
from standfast.ports import Clock, Tracker

log = structlog.get_logger("standfast.record")

SOON = 0.25
"""Seconds until a read that failed is tried again: most often somebody was just writing."""
NOBODY_WATCHES = 5.0
"""Seconds between two looks whether there is a record to read, while there is none."""
KEPT = timedelta(days=1)
"""How long what has changed is remembered: far longer than any lag."""


class RecordWatch:
    """Keeps `tracked` as fresh as its tracker allows. Without a tracker there is nothing to see."""

    def __init__(
        self, clock: Clock, situation: Callable[[], Situation], look_at: Callable[[Iterable[Holding]], None]
    ) -> None:
        self.clock = clock
        self.tracked: Tracked | None = None
        self.every = NOBODY_WATCHES
        self._tracker: Tracker | None = None
        self._told: object = None
        self._gone: list[Tracker] = []
        self._situation, self._look_at = situation, look_at

    def watch(self, make: Callable[[], Tracker | None], every: timedelta | None, *, told: object) -> None:
        """Read what `make` gives from now on, unless `told` is as before. Of another record nothing is known."""
        if told == self._told:
            return
        self._told, self._gone = told, [*self._gone, self._tracker] if self._tracker is not None else self._gone
        self._tracker = make()
        self.every = every.total_seconds() if every is not None else NOBODY_WATCHES
        self.tracked = Tracked(label=self._tracker.label) if self._tracker is not None else None

    @property
    def unread_since(self) -> datetime | None:
        """Since when it could not be read, if that is so."""
        return self.tracked.failing_since if self.tracked is not None else None

    async def run(self) -> None:
        """For ever; lets the tracker go when it is cancelled."""
        try:
            while True:
                is_read = await self.read()
                await self._let_go()
                await self.clock.sleep(self.every if is_read else min(SOON, self.every))
        finally:
            self._gone = [*self._gone, self._tracker] if self._tracker is not None else self._gone
            await self._let_go()

    async def _let_go(self) -> None:
        while self._gone:
            await self._gone.pop().close()

    async def read(self) -> bool:
        """One read; False if it failed, which is evidence of nothing."""
        tracker, known = self._tracker, self.tracked
        if tracker is None or known is None:
            return True
        began = self.clock.now()
        try:
            read = await tracker.read()
        except RecordUnreadable as error:
            return self._failed(known, error)
        if tracker is self._tracker:
            self.tracked = _seen(known, read)
            if known.failing_since is not None:
                log.info("the bot's record is read again", record=known.label, after=str(began - known.failing_since))
            self._look_at(differing(self._situation()))
        return True

    def _failed(self, known: Tracked, error: RecordUnreadable) -> bool:
        if known.failing_since is None or not known.why.endswith(str(error)):
            log.warning("the bot's record is not read", record=known.label, why=str(error))
        since = known.failing_since if known.failing_since is not None else self.clock.now()
        self.tracked = replace(known, failing_since=since, why=f"{known.label} {error}")
        self._look_at(())
        return False


def _seen(known: Tracked, read: RecordRead) -> Tracked:
    """What is known after one more read."""
    held = held_in(read.entries)
    shrunk = {at: when for at, when in known.shrunk.items() if read.began - when < KEPT}
    changed = {at: when for at, when in known.changed.items() if read.began - when < KEPT}
    for holding in {*held, *known.held} if known.began is not None else ():
        before, now = known.held.get(holding, ZERO), held.get(holding, ZERO)
        if before == now:
            continue
        if _is_less(before, now):
            shrunk[holding] = read.began
        else:
            shrunk.pop(holding, None)
            changed[holding] = read.began
    return Tracked(label=known.label, held=held, began=read.began, shrunk=shrunk, changed=changed)


def _is_less(before: Decimal | None, now: Decimal | None) -> bool:
    """Whether something of what was recorded is recorded no more."""
    if before is None or now is None:
        return now == ZERO
    return abs(now) < abs(before) if now * before >= 0 else True
