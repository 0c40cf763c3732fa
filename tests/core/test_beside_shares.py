"""Tests of `core/beside_shares.py`: shares with calls sold against them are one position, and no call is left naked."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from standfast.core.fills import book_fill
from standfast.core.forming import forming
from standfast.core.payoff import outlook_of
from standfast.core.policy import FlatBy, HeldBy, Match, Policy, Rules
from standfast.core.shapes import kind_of
from standfast.core.situation import Sight, Situation
from standfast.core.structures import structure_of
from standfast.model import journal as j
from standfast.model.effects import SubmitOrder
from standfast.model.ids import BrokerOrderId, Holding, PositionId
from standfast.model.order import OrderType, Side
from standfast.model.position import CloseReason
from standfast.model.quote import Quote
from standfast.model.structure import BookedStructure, StructureKind
from tests.core.situations import NEW_YORK, SPY, D, P, adopted, fill, folded, of, quoted, ruled
from tests.core.spreads import ALONE, TOGETHER, SpreadDesk
from tests.core.structures import FRIDAY, TODAY, at

CALL, PUT = at("C", 110, FRIDAY, "SPY"), at("P", 90, FRIDAY, "SPY")
TODAYS = at("C", 110, TODAY, "SPY")
Q, R = PositionId("p2"), PositionId("p3")
STOCK = Policy(name="stock", match=Match(kind="equity"), stop_loss=D("0.05"))
OPTIONS = Policy(name="options", match=Match(kind="option"), held_by=HeldBy.GUARD, stop_loss=D("0.50"))
RULES = ruled(policies=(STOCK, OPTIONS))
PRICES = {SPY: quoted("100.00", "100.02"), CALL: quoted("1.90", "2.00"), PUT: quoted("0.90", "1.00")}


@dataclass(slots=True, kw_only=True)
class Held(SpreadDesk):
    """Activities are read with the lists: that nothing explains what is gone is known at once."""

    good: dict[Holding, Quote] = field(default_factory=dict)

    def situation(self) -> Situation:
        s = replace(SpreadDesk.situation(self), good=self.good)
        return replace(s, snapshot=replace(s.snapshot, activities_asked_after=s.snapshot.positions_asked_after))


def desk(shares: int = 200, calls: int = -2, *more: j.Fact, call: Holding = CALL, **changes: Any) -> Held:
    """Held before: shares bought at 100, calls sold at 2."""
    facts = [adopted(shares, "100", id=P, holding=SPY), adopted(calls, "2.00", id=Q, holding=call), *more]
    book = folded(*facts)
    net = {holding: book.net(holding).low for holding in book.holdings()}
    given: dict[str, Any] = {"contract": TOGETHER, "rules": RULES, "fills_markets": False, "sights": PRICES, **changes}
    return Held(book=book, net=net, fills_leg=_at_market, **given)


def _at_market(effect: SubmitOrder) -> bool:
    return effect.intent.terms.type is OrderType.MARKET


def covered(*args: Any, **changes: Any) -> Held:
    """The same, once it has been recognised."""
    found = desk(*args, **changes)
    found.run()
    assert len(found.book.state.structures) == 1
    return found


def price(at: SpreadDesk, **changes: tuple[str, str]) -> None:
    names: dict[str, Holding] = {"spy": SPY, "call": CALL, "put": PUT}
    at.sights |= {names[name]: quoted(*sides, at=at.now) for name, sides in changes.items()}


def shape(booked: BookedStructure) -> dict[Holding, int]:
    return {leg.holding: leg.ratio for leg in booked.legs}


def naked_calls(at: SpreadDesk) -> Decimal:
    """Sold calls beyond what the shares at the broker deliver."""
    return -at.net.get(CALL, D(0)) - at.net.get(SPY, D(0)) // 100


# --- recognised -----------------------------------------------------------------------------------


def test_shares_with_calls_sold_against_them_are_one_covered_position() -> None:
    at = covered()

    assert shape(at.structure) == {SPY: 100, CALL: -1}
    assert at.structure.units == D(2)
    assert kind_of(structure_of(at.book, at.structure).shape) is StructureKind.COVERED_STOCK
    worst = outlook_of(structure_of(at.book, at.structure)).worst
    assert (worst.amount, worst.at) == (D(-19600), D(0))


def test_shares_beyond_what_the_calls_need_go_on_alone_with_a_stop_of_their_own() -> None:
    at = covered(250)

    (rest,) = (each for each in at.book.state.positions.values() if each.structure is None)
    assert (rest.net, rest.holding) == (D(50), SPY)
    stops = {order.holding: order.quantity for order in at.alive()}
    assert stops == {SPY: D(50)}
    assert sum(each.net for each in at.book.positions_at(SPY)) == D(250)


def test_a_collar_is_one_and_shares_beside_a_bought_put_alone_are_not() -> None:
    at = covered(200, -2, adopted(2, "1.00", id=R, holding=PUT))
    assert shape(at.structure) == {SPY: 100, CALL: -1, PUT: 1}

    apart = folded(adopted(100, "100", id=P, holding=SPY), adopted(1, "1.00", id=R, holding=PUT))
    s = SpreadDesk(book=apart, rules=RULES, sights=PRICES, net={SPY: D(100), PUT: D(1)})
    s.read()
    assert list(forming(s.situation(), apart.holdings())) == []


def test_it_is_judged_by_the_rules_of_its_shares_from_the_net_price() -> None:
    """Bought for 98 net; five per cent of that lost is a share at 94.6 with the call at 1.50."""
    at = covered()
    price(at, spy=("94.70", "94.72"), call=("1.40", "1.50"))
    at.wait(5)
    at.run()
    assert not any(each.closing for each in at.book.state.structures.values())

    price(at, spy=("94.00", "94.02"), call=("1.40", "1.50"))
    at.wait(5)
    at.look()

    assert at.structure.closing is not None
    assert at.structure.closing.reason is CloseReason.STOP_LOSS


def test_a_call_that_nobody_bids_for_does_not_blind_the_stop_of_the_shares() -> None:
    """Shares fall, the call loses its bid and is offered for a while yet: just then the stop is needed."""
    at = covered()
    price(at, spy=("92.00", "92.02"), call=("0", "0.60"))
    at.wait(5)
    at.look()

    assert at.structure.closing is not None


def test_without_any_quote_of_the_call_the_loss_of_the_shares_is_ended_all_the_same() -> None:
    """Nobody quotes the call any more: 1.90 was bid for it last, and less will be while the shares fall."""
    at = unquoted()
    price(at, spy=("95.20", "95.22"))
    at.wait(5)
    at.look()
    assert at.structure.closing is None, "93.30, and the stop is at 93.10"

    price(at, spy=("95.00", "95.02"))
    at.wait(5)
    at.look()
    (closing,) = (each.closing for each in at.book.state.structures.values())
    assert closing is not None
    assert "by the last bid" in closing.detail


def test_without_any_quote_of_the_call_nothing_is_taken_for_a_gain_or_a_loss_when_shares_rise() -> None:
    at = unquoted(rules=ruled(policies=(replace(STOCK, take_profit=D("0.05")), OPTIONS)))
    price(at, spy=("140.00", "140.02"))
    at.wait(5)
    at.look()

    assert at.structure.closing is None


def test_an_offer_far_away_from_every_bid_is_no_loss_of_the_shares() -> None:
    """In the first seconds of a session a call is bid for a cent and offered for ninety, twice in a row."""
    at = covered()
    for _ in range(2):
        at.sights[CALL] = quoted("0.01", "90.00", at=at.now, before=("0.01", "90.00"))
        at.sights[SPY] = quoted("100.00", "100.02", at=at.now, before=("100.00", "100.02"))
        at.wait(5)
        at.look()
    assert at.structure.closing is None

    at.sights[SPY] = quoted("93.00", "93.02", at=at.now, before=("93.00", "93.02"))
    at.wait(1)
    at.look()
    (closing,) = (each.closing for each in at.book.state.structures.values())
    assert closing is not None, "what the shares have lost is seen without it"


def unquoted(**changes: Any) -> Held:
    at = covered(**changes)
    at.good = {CALL: at.sights.pop(CALL).quote}
    return at


# --- closed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("contract", [TOGETHER, ALONE], ids=["as one", "leg by leg"])
def test_no_call_is_ever_left_without_its_shares_by_a_close(contract: Any) -> None:
    at = covered(contract=contract)
    at.act("close", position=at.structure.id, reason="enough")
    worst = D(0)
    for _ in range(60):
        at.look()
        worst = max(worst, naked_calls(at))
        at.wait(1)

    assert worst == 0
    assert at.net == {SPY: D(0), CALL: D(0)}
    assert at.book.state.structures == {}
    if contract is ALONE:
        assert at.done() == [("buy", CALL), ("sell", SPY)]


def test_a_call_bought_back_by_a_bot_leaves_the_shares_as_they_are() -> None:
    at = covered()
    bought_back(at, 2)

    assert at.book.state.structures == {}
    (kept,) = at.book.state.positions.values()
    assert (kept.net, kept.structure, kept.closing) == (D(200), None, None)
    assert at.net[SPY] == D(200)
    assert {order.holding: order.quantity for order in at.alive()} == {SPY: D(200)}
    assert any("guarded alone from now on" in each.text for each in at.book.state.alerts.values())


def test_one_call_of_two_bought_back_leaves_one_unit_and_the_shares_of_the_other() -> None:
    at = covered()
    bought_back(at, 1)

    assert (at.structure.units, shape(at.structure)) == (D(1), {SPY: 100, CALL: -1})
    assert [each.net for each in at.book.state.positions.values() if each.structure is None] == [D(100)]
    assert (at.net[SPY], at.net[CALL]) == (D(200), D(-1))


def bought_back(at: SpreadDesk, quantity: int) -> None:
    traded(at, CALL, Side.BUY, quantity, "1.00")


def traded(at: SpreadDesk, holding: Holding, side: Side, quantity: int, paid: str) -> None:
    """Somebody else's order fills, is booked, and is looked at until the books are still."""
    at.net[holding] += quantity * side.sign
    made = fill("y1", BrokerOrderId("theirs"), side, quantity, paid, holding=holding, at=at.now)
    at.tell(*book_fill(at.book, at.rules, made))
    for _ in range(40):
        at.wait(1)
        at.look()
        at.look()


def test_a_call_is_bought_back_when_a_bot_sells_the_shares_under_it_and_what_is_left_of_them_stays() -> None:
    at = covered()
    traded(at, SPY, Side.SELL, 150, "100")

    assert at.net[CALL] == D(0)
    assert at.net[SPY] == D(50)
    assert [each.net for each in at.book.state.positions.values()] == [D(50)]


def test_of_shares_that_are_more_than_the_calls_need_a_bot_may_sell_the_rest() -> None:
    at = covered(250)
    traded(at, SPY, Side.SELL, 50, "100")

    assert (at.structure.units, at.net[SPY], at.net[CALL]) == (D(2), D(200), D(-2))
    assert not at.done() or ("buy", CALL) not in at.done()


# --- its last day ---------------------------------------------------------------------------------

LAST_HOUR = datetime(2026, 3, 4, 20, 10, tzinfo=UTC)
FLAT = FlatBy(time(15, 10), NEW_YORK)


def expiring() -> SpreadDesk:
    rules: Rules = ruled(policies=(replace(STOCK, expiring_flat_by=FLAT), OPTIONS))
    return covered(call=TODAYS, rules=rules, sights={SPY: PRICES[SPY], TODAYS: Sight(PRICES[CALL].quote)})


def test_on_its_last_day_the_call_is_bought_back_and_nobody_sells_the_shares() -> None:
    at = expiring()
    at.now = LAST_HOUR
    for _ in range(10):
        at.sights = {h: quoted(str(x.quote.bid), str(x.quote.ask), at=at.now) for h, x in at.sights.items()}
        at.wait(1)
        at.look()
        at.look()

    assert at.net == {SPY: D(200), TODAYS: D(0)}
    assert [each.net for each in at.book.state.positions.values()] == [D(200)]
    closed = next(each for each in at.book.state.closed.values() if each.holding == TODAYS)
    assert closed.close_reason is CloseReason.FLAT_BY


def test_shares_that_deliver_a_call_carry_no_pin_risk() -> None:
    at = expiring()
    price(at, spy=("110.00", "110.02"))
    at.now = LAST_HOUR.replace(minute=30)
    at.rules = RULES
    at.sights |= {TODAYS: quoted("0.30", "0.35", at=at.now), SPY: quoted("110.00", "110.02", at=at.now)}
    at.wait(1)
    at.look()

    assert not [fact for fact in of(j.AlertRaised, at.facts) if "assigned" in fact.text]


def test_assigned_it_is_over_at_the_strike() -> None:
    """The call went as it was sold, the shares at 110 each: 2 + 10 a share."""
    at = covered(contract=replace(TOGETHER, tells_movements=False))
    at.net = {SPY: D(0), CALL: D(0)}
    for _ in range(60):
        at.wait(1)
        at.look()
        at.look()

    assert at.book.state.positions == {}
    assert at.book.state.structures == {}
    assert sum(each.pnl for each in at.book.state.closed.values()) == 200 * (2 + 10)
    assert {each.close_reason for each in at.book.state.closed.values()} == {CloseReason.ASSIGNMENT}
