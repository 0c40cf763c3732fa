"""Options on an index trade for a quarter of an hour after the close that the broker's clock tells of."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from standfast.core.exits import exits
from standfast.core.policy import HeldBy, Policy
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.evidence import MarketClock
from standfast.model.ids import Holding, InstrumentId
from tests.core.situations import SPY, D, folded, of, position, quoted, situation

STOP = Policy(name="stop", held_by=HeldBy.GUARD, stop_loss=Decimal("0.2"))
CLOSE = datetime(2026, 3, 4, 21, 0, tzinfo=UTC)
TODAY, LATER, AM, AM_TOMORROW = (
    Holding(InstrumentId(name))
    for name in ("SPXW260304P03800000", "SPXW260306P03800000", "SPX260306P03800000", "SPX260305P03800000")
)
OPEN_NEXT = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
CLOSED = MarketClock(at=CLOSE, is_open=False, next_open=OPEN_NEXT, next_close=OPEN_NEXT.replace(hour=21, minute=0))


def at(hour: int, minute: int, holding: Holding = LATER) -> Situation:
    now = datetime(2026, 3, 4, hour, minute, tzinfo=UTC)
    book = folded(*position(3, "5.00", holding=holding))
    s = situation(book, policy=STOP, now=now, sights={holding: quoted("3.90", "4.00", at=now)})
    return replace(s, snapshot=replace(s.snapshot, clock=replace(CLOSED, at=now)))


@pytest.mark.parametrize(
    ("hour", "minute", "holding", "trades"),
    [
        (21, 0, LATER, True),
        (21, 14, LATER, True),
        (21, 15, LATER, False),
        (20, 59, LATER, False),  # the broker says closed, and it is no quarter after any close
        (21, 5, TODAY, False),
        (21, 5, SPY, False),
        (21, 5, AM, True),
        (21, 5, AM_TOMORROW, False),
    ],
)
def test_how_long_what_trades(hour: int, minute: int, holding: Holding, *, trades: bool) -> None:
    assert at(hour, minute).trades(holding) is trades


def test_a_spread_trades_when_all_of_it_does() -> None:
    assert at(21, 5).trades(LATER, AM)
    assert not at(21, 5).trades(LATER, TODAY)
    assert not at(21, 5).trades()


def test_a_stop_fires_after_the_close_of_the_exchanges_and_not_after_its_own() -> None:
    s, late = at(21, 5), at(21, 20)

    assert [fact.reason for fact in of(j.CloseRequested, exits(s, s.book.positions_at(LATER)[0]))] == ["stop_loss"]
    assert of(j.CloseRequested, exits(late, late.book.positions_at(LATER)[0])) == []
    assert D("3.90") < D("5.00") * D("0.8")
