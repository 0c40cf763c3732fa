"""Every answer about the ledger's files that is not good is told; only a ledger that is gone ends the guard."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from standfast.model.errors import JournalUnavailable
from standfast.ports import LedgerCared, LedgerRoom
from standfast.runtime.upkeep import CARE, CARE_AGAIN, FIRST_CARE, LOOK, Trouble, Upkeep

START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
GIGABYTE = 1024**3
AMPLE = LedgerRoom(free=80 * GIGABYTE, total=100 * GIGABYTE, has_reserve=True)


class Over(Exception):
    """The time of the test is over."""


@dataclass
class Watch:
    """A clock that ends after so many waits."""

    waits: int = 1
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return START + timedelta(seconds=sum(self.slept))

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) >= self.waits:
            raise Over

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        raise NotImplementedError

    def timer(self, seconds: float) -> AbstractAsyncContextManager[object]:
        raise NotImplementedError

    def later(self, seconds: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        raise NotImplementedError


@dataclass
class Files:
    room: LedgerRoom = field(
        default_factory=lambda: LedgerRoom(free=80 * GIGABYTE, total=100 * GIGABYTE, has_reserve=True)
    )
    cared: LedgerCared = field(default_factory=LedgerCared)
    is_gone: bool = False

    def look(self) -> LedgerRoom:
        if self.is_gone:
            raise JournalUnavailable("standfast.db was deleted or moved away while it was in use")
        return self.room

    async def care(self, at: datetime) -> LedgerCared:
        assert at >= START
        return self.cared


def looked(files: Files) -> list[Trouble]:
    told: list[Trouble] = []

    async def tell(trouble: Trouble) -> None:
        told.append(trouble)

    asyncio.run(Upkeep(files, Watch(), tell).look())
    return told


def test_all_is_well_and_nothing_is_said() -> None:
    assert looked(Files()) == []


@pytest.mark.parametrize(
    ("free", "total", "is_told"),
    [(4 * GIGABYTE, 100 * GIGABYTE, True), (300 * GIGABYTE, 4000 * GIGABYTE, False), (GIGABYTE, 5 * GIGABYTE, False)],
)
def test_little_room_is_told_where_a_tenth_of_the_disk_is_little(free: int, total: int, *, is_told: bool) -> None:
    told = looked(Files(room=LedgerRoom(free=free, total=total, has_reserve=True)))

    assert [(trouble.freezes, "Needed: make room" in trouble.text) for trouble in told] == [("", True)] * is_told


def test_a_full_disk_freezes_openings() -> None:
    (told,) = looked(Files(room=LedgerRoom(free=0, total=GIGABYTE, has_reserve=False)))

    assert (told.key, told.freezes) == ("full/2026010514", "the disk is full")


def test_an_anchor_that_cannot_be_written_is_told() -> None:
    room = replace(AMPLE, trouble="cannot write the anchor")

    assert "cannot write the anchor" in looked(Files(room=room))[0].text


def test_a_ledger_that_is_gone_ends_the_guard() -> None:
    with pytest.raises(JournalUnavailable, match="deleted or moved away"):
        looked(Files(is_gone=True))


@pytest.mark.parametrize(
    ("cared", "freezes", "words"),
    [
        (LedgerCared(damage="a: entry 3 was changed"), "the ledger does not verify", "entry 3 was changed"),
        (LedgerCared(failure="no room"), "", "no fresh backup: no room"),
    ],
)
def test_damage_and_a_missing_backup_are_told(cared: LedgerCared, freezes: str, words: str) -> None:
    told: list[Trouble] = []

    async def tell(trouble: Trouble) -> None:
        told.append(trouble)

    asyncio.run(Upkeep(Files(cared=cared), Watch(), tell).care())

    assert [(trouble.freezes, words in trouble.text) for trouble in told] == [(freezes, True)]


def test_looks_and_care_keep_their_rhythm_and_what_failed_is_tried_again_sooner() -> None:
    async def tell(trouble: Trouble) -> None:
        pass

    def rhythm(cared: LedgerCared, *, care: bool) -> list[float]:
        watch = Watch(waits=3)
        upkeep = Upkeep(Files(cared=cared), watch, tell)
        with pytest.raises(Over):
            asyncio.run(upkeep.run_care() if care else upkeep.run_looks())
        return watch.slept

    assert rhythm(LedgerCared(), care=False) == [LOOK] * 3
    assert rhythm(LedgerCared(), care=True) == [FIRST_CARE, CARE, CARE]
    assert rhythm(LedgerCared(failure="no room"), care=True) == [FIRST_CARE, CARE_AGAIN, CARE_AGAIN]
