"""An exit of a bot that is not marked as one that may only reduce is told before it can turn anything around."""

from dataclasses import replace
from typing import Any

import pytest

from standfast.core.turning import may_turn
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.order import OrderReport, OrderState, OrderType, Role, Side
from tests.core.situations import SPY, adopted, folded, of, own_id, report, situation, told, with_contract

MARKS = with_contract(reduce_only=True, oco=False)


def plain(id: str = "b-1", **changes: Any) -> OrderReport:
    shown = report(id, client=f"bot-{id}", side=Side.SELL, type=OrderType.STOP, stop="90")
    return replace(shown, closes=False, **changes)


def alarms(*listed: OrderReport, quantity: int = 10, contract: Any = MARKS) -> list[j.AlertRaised]:
    s = situation(folded(adopted(quantity)), listed=listed, contract=contract)
    return of(j.AlertRaised, list(may_turn(s, SPY)))


@pytest.mark.parametrize("kind", [OrderType.STOP, OrderType.LIMIT])
def test_an_exit_that_may_open_is_told_with_its_id(kind: OrderType) -> None:
    (alarm,) = alarms(plain(type=kind))

    assert (alarm.severity, "bot-b-1" in alarm.text, "reduce-only" in alarm.text) == (Severity.WARNING, True, True)


def test_it_is_told_once_a_day_however_many_there_are() -> None:
    book = folded(adopted(10))
    first, second = plain(), plain("b-2")
    s = situation(book, listed=[first, second], contract=MARKS)

    facts = of(j.AlertRaised, list(may_turn(s, SPY)))
    told(book, *facts)

    assert len(facts) == 1
    assert list(may_turn(situation(book, listed=[second], contract=MARKS), SPY)) == []


@pytest.mark.parametrize(
    "order",
    [
        replace(plain(), closes=True),
        replace(plain(), closes=None),
        plain(side=Side.BUY),
        plain(state=OrderState.CANCELLED),
        plain(type=OrderType.MARKET),
        plain(client_id=own_id(Role.STOP)),
    ],
    ids=["may only reduce", "not told", "with it", "over", "at the market", "ours"],
)
def test_what_cannot_turn_it_around_is_not_told(order: OrderReport) -> None:
    assert alarms(order) == []


def test_nothing_is_told_where_no_order_is_marked_or_nothing_is_held() -> None:
    assert alarms(plain(), contract=with_contract(reduce_only=False)) == []
    s = situation(folded(), listed=[plain()], contract=MARKS)
    assert list(may_turn(s, SPY)) == []
