"""An exchange forgets an order that ended without a fill after a day: then it covers nothing any more."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from standfast.core.policy import Foreign, Policy
from standfast.model import journal as j
from standfast.model.breaks import BreakKind
from standfast.model.effects import Effect, QueryOrder
from standfast.model.order import OrderType, Side
from tests.core.situations import D, adopted, position, report, ruled, with_contract
from tests.core.toy_broker import Desk, desk

RULES = ruled(Policy(name="stop", stop_loss=D("0.02")), foreign=Foreign.ADOPT)
CRYPTO: dict[str, Any] = {"reduce_only": True, "oco": False, "reserves_quantity": False}
FORGETS, REMEMBERS = with_contract(**CRYPTO, forgets=True), with_contract(**CRYPTO)
DAY = 86_400


class Answering(Desk):
    """Says of an order that it does not know it: the toy says nothing then."""

    def _query(self, effect: QueryOrder) -> bool:
        if any(effect.broker_id == each.broker_id for each in self.orders.values()) or effect.client_id is None:
            return Desk._query(self, effect)
        self.asked[effect.client_id] = self.now
        self.tell(j.OrderMissing(id=effect.client_id))
        return True


def stopped(contract: Any = FORGETS, *, by_bot: bool = False) -> Desk:
    """Ten, with one stop."""
    plain = desk(*([adopted(10)] if by_bot else position(10)), rules=RULES, contract=contract)
    toy = Answering(**{each.name: getattr(plain, each.name) for each in fields(plain)})
    if by_bot:
        stop = replace(report("b-1", client="bot", side=Side.SELL, type=OrderType.STOP, stop="98"), closes=True)
        toy.orders[stop.broker_id] = stop
    toy.run()
    assert [order.type for order in toy.alive()] == [OrderType.STOP]
    return toy


def lives(toy: Desk, seconds: int) -> None:
    for _ in range(seconds):
        toy.wait(1)
        toy.run()


@pytest.mark.parametrize("by_bot", [False, True], ids=["ours", "the bot's"])
def test_a_stop_that_nobody_knows_any_more_is_placed_anew(*, by_bot: bool) -> None:
    """The guard was away for days, and the stop was cancelled then: it counted as cover for ever."""
    toy = stopped(by_bot=by_bot)
    toy.orders.clear()
    toy.wait(2 * DAY)

    lives(toy, 90)

    assert [(order.type, order.remaining) for order in toy.alive()] == [(OrderType.STOP, D(10))]
    assert BreakKind.GHOST_ORDER not in kinds_of(toy)


def _young(toy: Desk) -> None:
    toy.orders.clear()
    toy.wait(60)


def _listed(toy: Desk) -> None:
    toy.wait(2 * DAY)


def _soon(toy: Desk) -> None:
    toy.orders.clear()
    toy.wait(2 * DAY)


@pytest.mark.parametrize(("meanwhile", "seconds"), [(_young, 90), (_listed, 90), (_soon, 20)])
def test_it_is_not_given_up_sooner(meanwhile: Callable[[Desk], None], seconds: int) -> None:
    """While an exchange would know how it ended, while it is listed, and while an answer may lag."""
    toy = stopped()
    before = len(toy.sent)
    meanwhile(toy)

    lives(toy, seconds)

    assert not _submits(toy.sent[before:])


def test_a_broker_that_remembers_is_asked_on() -> None:
    toy = stopped(REMEMBERS)
    before = len(toy.sent)
    _soon(toy)

    lives(toy, 90)

    assert not _submits(toy.sent[before:])
    assert BreakKind.GHOST_ORDER in kinds_of(toy)
    assert len([each for each in toy.facts if isinstance(each, j.AlertRaised) and "not listed" in each.text]) == 1


def kinds_of(toy: Desk) -> set[BreakKind]:
    return {each.finding.kind for holding in toy.book.holdings() for each in toy.book.breaks_at(holding)}


def _submits(effects: list[Effect]) -> list[str]:
    return [type(each).__name__ for each in effects if type(each).__name__ in ("SubmitOrder", "ReplaceOrder")]
