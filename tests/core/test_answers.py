"""Tests of `core/answers.py`: what whoever asked for an opening is told of it when it is over already."""

import pytest

from standfast.model import journal as j
from standfast.model.order import Side
from standfast.model.position import CloseReason
from tests.core.situations import D, P, fill, folded, position, told
from tests.core.test_acts import answered, asked


def gone(reason: CloseReason) -> list[j.Fact]:
    """All of the position sold at 50, and what settles it."""
    out = j.FillBooked(
        fill=fill("f-out", "x-out", Side.SELL, 10, 50),
        allocations=(j.Allocation(position=P, quantity=D(10), opens=False, realised=D(-500)),),
    )
    return [out, j.PositionSettled(position=P, reason=reason, proof="fills add up to 10")]


@pytest.mark.parametrize(
    ("reason", "told_so"),
    [
        (CloseReason.LIQUIDATION, "failed: p1 was opened for 10 at 100 and is gone again (liquidation) at 50: fills"),
        (CloseReason.ROLLBACK, "failed: p1 was opened for 10 at 100 and is gone again (rollback) at 50: fills"),
        (CloseReason.BROKER_EXIT, "done: p1 was opened for 10 at 100 and is gone again (broker_exit) at 50: fills"),
    ],
)
def test_whoever_opened_what_is_gone_already_is_told_so_and_never_that_it_is_open(
    reason: CloseReason, told_so: str
) -> None:
    """Found by a drill: liquidated before its stop was there, an opening was answered `done: open: 0`."""
    book = folded(asked("open", instrument="SPY", quantity="10", key="key of p1"), *position(10))
    flat, settled = gone(reason)

    told(book, flat)
    assert answered(book) is None, "flat, and not settled yet"
    told(book, settled)

    assert str(answered(book)).startswith(told_so)
