"""S8, S9, S10, S13: a ledger that is not what was committed, an answer that is not true, a secret that is told."""

import asyncio

import pytest

from standfast.model import journal as j
from standfast.model.ids import RequestId
from standfast.model.position import CloseReason
from standfast.sim.disk import at_once
from standfast.sim.watch import Violation
from tests.sim.judged import ACCOUNT, CANARY, HOLDING, POSITION, START, D, Judged


def found(caught: pytest.ExceptionInfo[Violation]) -> str:
    return caught.value.id


def test_s8_an_entry_of_an_older_epoch_and_a_second_guard_in_one_are_found() -> None:
    judged = Judged()
    with pytest.raises(Violation) as caught:
        judged.commit(j.GuardStarted(version="1", mode="repair"))
    assert found(caught) == "S8"
    other = Judged()
    second = at_once(other.store.acquire(ACCOUNT, "one", START))
    other.journal = second
    other.commit(j.GuardStarted(version="1", mode="repair"))
    late = j.Entry(number=second.head + 1, epoch=1, at=START, fact=j.GuardStopped(reason=""))  # type: ignore[arg-type]  # numbers are numbers
    with pytest.raises(Violation) as caught:
        other.checker.committed([late])
    assert found(caught) == "S8"


def test_s9_a_number_left_out_is_found() -> None:
    judged = Judged()
    gap = j.Entry(number=judged.journal.head + 2, epoch=1, at=START, fact=j.GuardStopped(reason=""))  # type: ignore[arg-type]  # numbers are numbers
    with pytest.raises(Violation) as caught:
        judged.checker.committed([gap])
    assert found(caught) == "S9"


def test_s10_an_entry_that_was_committed_and_is_gone_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    del judged.store._accounts[ACCOUNT].commits[-1:]
    with pytest.raises(Violation) as caught:
        asyncio.run(judged.checker.finish())
    assert found(caught) in {"S9", "S10"}


def test_s10_a_close_answered_as_done_that_is_not_is_found() -> None:
    judged = Judged()
    judged.adopt(10)
    request = RequestId("r1")
    judged.commit(j.RequestTaken(request=request, verb="close", arguments={"position": POSITION}, by="operator"))
    asked = j.CloseRequested(
        position=POSITION, reason=CloseReason.OPERATOR, by="operator", detail="", remain=D(0), request=request
    )
    judged.commit(asked)
    with pytest.raises(Violation) as caught:
        judged.commit(j.RequestDone(request=request, ok=True, detail="sent"))
    assert found(caught) == "S10"


def test_s10_what_shall_remain_of_a_close_is_split_with_what_is_held() -> None:
    judged = Judged()
    judged.adopt(10)
    request = RequestId("r1")
    judged.commit(j.RequestTaken(request=request, verb="close", arguments={"position": POSITION}, by="operator"))
    asked = j.CloseRequested(
        position=POSITION, reason=CloseReason.OPERATOR, by="operator", detail="", remain=D(6), request=request
    )
    judged.commit(asked)
    judged.engine.split("AAPL", D(2))
    judged.commit(j.Rescaled(holding=HOLDING, ratio=D(2), movement="m"))
    judged.commit(judged.booked(judged.close(8), POSITION, opens=False))

    judged.commit(j.RequestDone(request=request, ok=True, detail="12 remain"))


def test_s13_a_secret_in_the_journal_or_in_what_people_are_told_is_found() -> None:
    judged = Judged()
    judged.commit(j.GuardStopped(reason=f"it was {CANARY}"))
    with pytest.raises(Violation) as caught:
        asyncio.run(judged.checker.finish())
    assert found(caught) == "S13"
    other = Judged()
    with pytest.raises(Violation) as caught:
        asyncio.run(other.checker.finish(f"key {CANARY} refused"))
    assert found(caught) == "S13"
