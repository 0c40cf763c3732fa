"""Look after the ledger's files while it is written: is it still there, is there room, does a copy of it verify.

Every answer that is not good is told, and openings are frozen where books may be wrong or room is short; what is held
goes on being guarded. Only a ledger that is no longer where it was ends the guard: what it would record is lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from standfast.model.errors import JournalDamaged
from standfast.ports import Clock, LedgerFiles, LedgerRoom

log = structlog.get_logger("standfast.upkeep")

LOOK = 5.0
"""Seconds between two looks at the files."""
FIRST_CARE = 5.0
"""Seconds after a start before the ledger is checked as a whole, and copied if its last copy is old."""
CARE = 3600.0
CARE_AGAIN = 600.0
"""Seconds until a round that did not come to its end is tried again."""

LOW_SHARE, LOW_BYTES = 0.10, 5 * 1024**3
"""Less than this share of the disk and less than these bytes: a tenth of a large disk is no reason to wake anybody."""


def remedied(damage: JournalDamaged) -> JournalDamaged:
    """The same, and what to do about it."""
    return JournalDamaged(
        f"{damage}. Keep the file, stop the guard, put a backup in its place (standfast.db.backups has the newest), or "
        "begin anew from what the broker says: standfast journal rebuild --from-broker"
    )


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something people must hear of, once for each `key`; `freezes` says why nothing is opened meanwhile."""

    key: str
    text: str
    freezes: str = ""


Tell = Callable[[Trouble], Awaitable[None]]


class Upkeep:
    """One ledger's. In the machine's own time, whatever speed an account's clock runs at."""

    def __init__(self, files: LedgerFiles, clock: Clock, tell: Tell) -> None:
        self._files, self._clock, self._tell = files, clock, tell

    async def run_looks(self) -> None:
        """Until cancelled. Raises JournalUnavailable when the ledger's file was deleted, moved or replaced."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK)

    async def run_care(self) -> None:
        """Until cancelled."""
        await self._clock.sleep(FIRST_CARE)
        while True:
            is_done = await self.care()
            await self._clock.sleep(CARE if is_done else CARE_AGAIN)

    async def look(self) -> None:
        """One look at the files."""
        room = await asyncio.to_thread(self._files.look)
        hour = f"{self._clock.now():%Y%m%d%H}"
        if not room.has_reserve:
            text = (
                "The disk is full: the ledger's reserve is given up, so that stops and closes can still be recorded. "
                "Openings are frozen. When the reserve is used up the guard ends. Needed: make room, then thaw."
            )
            await self._tell(Trouble(f"full/{hour}", text, freezes="the disk is full"))
        elif _is_low(room):
            text = f"The ledger's disk has {_megabytes(room.free)} of {_megabytes(room.total)} left. Needed: make room."
            await self._tell(Trouble(f"low/{hour}", text))
        if room.trouble:
            await self._tell(Trouble(f"anchor/{hour}", f"The ledger: {room.trouble}. Needed: see why."))

    async def care(self) -> bool:
        """One round of care; False when it could not be done."""
        began = self._clock.monotonic()
        cared = await self._files.care(self._clock.now())
        hour = f"{self._clock.now():%Y%m%d%H}"
        if cared.damage:
            text = (
                f"The ledger does not verify: {cared.damage}. The guard goes on from what it has in memory, openings "
                "are frozen. Needed: keep the file, see `standfast journal verify`, restore a backup or rebuild."
            )
            await self._tell(Trouble(f"damage/{hour}", text, freezes="the ledger does not verify"))
        elif cared.failure:
            await self._tell(Trouble(f"care/{hour}", f"The ledger has no fresh backup: {cared.failure}."))
        else:
            log.info("the ledger verifies", seconds=round(self._clock.monotonic() - began, 3))
        return not cared.failure


def _is_low(room: LedgerRoom) -> bool:
    return room.free < room.total * LOW_SHARE and room.free < LOW_BYTES


def _megabytes(size: int) -> str:
    return f"{size // 1024**2:,} MB"
