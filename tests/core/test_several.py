"""One stop for several positions, where the exchange takes no more of them on a contract."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from standfast.core.acts import take
from standfast.core.cover import cover_of
from standfast.core.gate import Asked, reasons_against
from standfast.core.policy import Policy
from standfast.model import journal as j
from standfast.model.effects import CancelOrder, ReplaceOrder, SubmitOrder
from standfast.model.ids import PositionId, RequestId
from standfast.model.order import ZERO, OrderReport, OrderState, OrderType
from standfast.model.position import CloseReason
from tests.core.situations import (
    SPY,
    D,
    adopted,
    closing_of,
    folded,
    of,
    position,
    quoted,
    report,
    ruled,
    with_contract,
)
from tests.core.toy_broker import Desk, desk

STOP = Policy(name="stop", stop_loss=D("0.02"))
HIGH = {SPY: quoted("150", "150.02")}


def limited(most: int, **changes: Any) -> Any:
    return with_contract(
        reduce_only=True,
        oco=False,
        reserves_quantity=False,
        checks_closing=False,
        fractional_stops=True,
        refuses_wash_trades=False,
        stops_of_instrument=most,
        **changes,
    )


def lot(number: int, price: str | int = 100, quantity: str | int = 10) -> list[j.Fact]:
    return position(quantity, price, id=PositionId(f"p{number}"))


def guarded(*lots: list[j.Fact], most: int = 3, **changes: Any) -> Desk:
    """These are held, and the exchange refuses one stop more than it takes."""
    at = desk(
        *[fact for each in lots for fact in each], rules=ruled(STOP), contract=limited(most), sights=HIGH, **changes
    )

    def refuses(effect: SubmitOrder | ReplaceOrder) -> str:
        is_stop = effect.intent.terms.stop_price is not None
        return "other" if is_stop and len(stops(at)) >= most else ""

    at.refuses = refuses
    at.fills_markets = False
    at.run()
    return at


def stops(at: Desk) -> list[OrderReport]:
    return [order for order in at.alive() if order.type is OrderType.STOP]


def shown(at: Desk) -> list[tuple[int, Decimal]]:
    return sorted((int(order.remaining), order.stop_price or D(0)) for order in stops(at))


def is_covered(at: Desk) -> bool:
    """Whether the book knows every position to be covered for exactly what it holds."""
    s = at.situation()
    return all(cover_of(s, p).stopped == at.book.held(p) for p in at.book.state.positions.values())


def add(at: Desk, *facts: j.Fact) -> None:
    """Something more is opened while the guard runs."""
    at.tell(*facts)
    at.net[SPY] = sum((p.net for p in at.book.state.positions.values()), D(0))
    at.read()


def test_as_many_as_the_exchange_takes_less_one_have_each_their_own() -> None:
    at = guarded(lot(1), lot(2, 110))

    assert shown(at) == [(10, D("98.00")), (10, D("107.80"))]
    assert all(not order.also for order in at.book.state.orders.values())


def test_one_more_shares_with_its_neighbour_at_the_nearer_price() -> None:
    at = guarded(lot(1), lot(2, 110))
    at.sent.clear()

    add(at, *lot(3, 108))
    at.run()

    assert [type(each) for each in at.sent] == [ReplaceOrder], "covered by one request"
    assert shown(at) == [(10, D("98.00")), (20, D("107.80"))], "no later than its own at 105.84"
    assert is_covered(at)


@pytest.mark.parametrize("count", [4, 7, 12, 25])
def test_any_number_is_covered_whole_however_few_stops_may_rest(count: int) -> None:
    at = guarded(*[lot(number, 100 + number) for number in range(count)])
    for _ in range(3):
        at.wait(1)
        at.run()

    assert len(stops(at)) <= 2, "one place is kept for the stop that takes another's place"
    assert sum(order.remaining for order in stops(at)) == 10 * count
    assert is_covered(at)


def test_a_shared_stop_that_fills_closes_all_of_them_and_no_other() -> None:
    at = guarded(lot(1), lot(2, 110), lot(3, 108))
    (shared,) = [order for order in stops(at) if order.remaining == 20]

    at.fill(shared.broker_id, price="107")
    at.run()

    assert sorted(at.book.state.closed) == ["p2", "p3"]
    assert {each.close_reason for each in at.book.state.closed.values()} == {CloseReason.STOP_LOSS}
    assert list(at.book.state.positions) == ["p1"]
    assert shown(at) == [(10, D("98.00"))]


def test_a_part_of_it_takes_from_the_nearest_first_and_the_rest_stays_covered() -> None:
    at = guarded(lot(1), lot(2, 110), lot(3, 108))
    (shared,) = [order for order in stops(at) if order.remaining == 20]

    at.fill(shared.broker_id, D(12), price="107")
    at.run()

    assert list(at.book.state.closed) == ["p2"]
    assert at.book.held(at.book.state.positions[PositionId("p3")]) == 8
    at.wait(1)
    at.run()
    assert is_covered(at)
    assert sum(order.remaining for order in stops(at)) == 18


def test_what_is_read_of_it_before_its_fills_come_is_taken_from_them_in_turn() -> None:
    at = guarded(lot(1), lot(2, 110), lot(3, 108))
    (shared,) = [order for order in stops(at) if order.remaining == 20]
    (known,) = [order for order in at.book.state.orders.values() if order.broker_id == shared.broker_id]

    late = report(
        shared.broker_id, client=known.id, quantity=20, filled=14, type=OrderType.STOP, stop="107.80",
        state=OrderState.WORKING, average_price=D(107),
    )  # fmt: skip
    at.tell(j.OrderObserved(report=late, position=known.position, role=known.role))

    held = {id: at.book.held(each) for id, each in at.book.state.positions.items()}
    assert held == {"p1": 10, "p2": 0, "p3": 6}
    assert at.book.booked(SPY) == 16


def test_when_it_fits_again_each_has_its_own_and_none_is_bare_in_between() -> None:
    at = guarded(lot(1), lot(2, 110), lot(3, 108))
    at.sent.clear()
    at.facts.clear()

    at.tell(closing_of(PositionId("p1")))
    at.run()
    (close,) = [order for order in at.alive() if order.type is OrderType.MARKET]
    at.fill(close.broker_id)
    for _ in range(3):
        at.run()
        at.wait(1)

    assert shown(at) == [(10, D("105.84")), (10, D("107.80"))]
    assert is_covered(at)
    assert of(j.NakedBegan, at.facts) == []


def test_a_position_that_shares_is_closed_alone_and_the_others_stay_covered() -> None:
    at = guarded(lot(1), lot(2, 110), lot(3, 108), lot(4, 111))
    at.facts.clear()
    for id in ("p2", "p4"):
        at.tell(closing_of(PositionId(id)))
        at.run()
        (close,) = [order for order in at.alive() if order.type is OrderType.MARKET]
        assert close.remaining == 10
        at.fill(close.broker_id)
        at.run()

    at.wait(1)
    at.run()
    assert sorted(at.book.state.positions) == ["p1", "p3"]
    assert is_covered(at)
    assert sum(order.remaining for order in stops(at)) == 20
    assert of(j.NakedBegan, at.facts) == []


def test_where_stops_of_others_have_taken_every_place_one_for_several_takes_one_of_ours() -> None:
    at = guarded(lot(1), lot(2, 110), most=4)
    theirs = [report(f"bot-{n}", type=OrderType.STOP, stop="90", client=f"bot-{n}", quantity=1) for n in range(2)]
    at.orders |= {each.broker_id: each for each in theirs}
    at.wait(1)
    at.run()
    own = [order for order in stops(at) if not order.client_id.startswith("bot")]
    assert [order.remaining for order in own] == [10, 10], "each rests, and nothing is to be gained"

    add(at, *lot(3, 108))
    at.run()

    own = [order for order in stops(at) if not order.client_id.startswith("bot")]
    assert [order.remaining for order in own] == [30], "and one place is free again for the next move"
    assert is_covered(at)


def test_an_adopted_position_beyond_the_last_place_is_covered_too() -> None:
    at = guarded(lot(1), lot(2, 110))

    add(at, adopted(5, 109, id=PositionId("a")))
    at.run()

    assert is_covered(at)
    assert len(stops(at)) == 2


def test_the_gate_refuses_only_where_not_even_a_shared_stop_has_a_place() -> None:
    at = guarded(lot(1), lot(2, 110), lot(3, 108))
    theirs = [report(f"bot-{n}", type=OrderType.STOP, stop="90", client=f"bot-{n}", quantity=1) for n in range(3)]
    asked = Asked(holding=SPY, quantity=D(5), strategy="s", key="k", limit=D(150), stop=None, target=None)

    def stopped() -> list[str]:
        at.wait(1)
        return [why for why in reasons_against(at.situation(), asked) if "place is left" in why]

    assert stopped() == []
    at.orders |= {each.broker_id: each for each in theirs}
    assert len(stopped()) == 1


def test_an_operator_who_moves_one_stop_of_several_is_told_with_whom_it_is_shared() -> None:
    at = guarded(lot(1), lot(2, 110), lot(3, 108))
    asked = j.RequestTaken(
        request=RequestId("r1"), verb="protect", arguments={"position": "p3", "stop": "106"}, by="ann"
    )

    at.tell(*take(at.situation(), asked, lambda number: None))
    at.run()

    (done,) = of(j.RequestDone, at.facts)
    assert (done.ok, done.detail) == (True, "p3 stop 107.80 for 10, shared with p2"), "the nearest of both stands"


def test_where_stops_cannot_take_each_others_place_nothing_is_shared() -> None:
    at = desk(*lot(1), *lot(2), *lot(3), rules=ruled(STOP), contract=limited(2, native_replace=False), sights=HIGH)
    at.run()

    assert all(not order.also for order in at.book.state.orders.values())


def test_a_shared_stop_that_somebody_cancels_is_placed_again_after_a_while() -> None:
    at = guarded(lot(1), lot(2, 110), lot(3, 108))
    (shared,) = [order for order in stops(at) if order.remaining == 20]

    at.end(shared.broker_id, OrderState.CANCELLED)
    at.run()
    assert len(stops(at)) == 1
    at.wait(6)
    at.run()

    assert is_covered(at)
    assert of(CancelOrder, at.sent) == []


@dataclass(slots=True, kw_only=True)
class Floor(Desk):
    """Never less rests than is held, but for what was opened a moment ago; and never more stops than may."""

    bare: Decimal = ZERO
    most: int = 0

    def _check(self, effect: object) -> None:
        held = sum((p.net for p in self.book.state.positions.values()), D(0))
        resting = sum(order.remaining for order in stops(self))
        assert resting >= held - self.bare, f"{resting} rest for {held} after {effect}"
        assert len(stops(self)) <= self.most, effect

    def deed(self, draw: Random, number: int) -> None:
        """Something that somebody does, or the market."""
        held = list(self.book.state.positions)
        deed = draw.choice(["open", "open", "close", "part", "stop", "fill", "wait"]) if held else "open"
        if deed == "open":
            self.bare = D(draw.randint(1, 9))
            add(self, *lot(number, draw.randint(90, 130), int(self.bare)))
        elif deed in ("close", "part"):
            id = draw.choice(held)
            less = int(self.book.held(self.book.state.positions[id])) - 1
            self.tell(closing_of(id, remain=less if deed == "part" else 0))
        elif deed == "stop":
            stop = D(draw.randint(60, 140))
            self.tell(j.ProtectionChosen(position=draw.choice(held), stop=stop, target=None, bare=False, by="op"))
        elif deed == "fill":
            fired = max(stops(self), key=lambda order: order.stop_price or D(0))
            self.fill(fired.broker_id, D(draw.randint(1, int(fired.remaining))))


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_opened_closed_moved_and_filled_nobody_is_protected_less_than_before(seed: int) -> None:
    draw = Random(seed)
    most = draw.randint(2, 5)
    at = Floor(book=folded(), rules=ruled(STOP), contract=limited(most), sights=HIGH, fills_markets=False, most=most)
    for number in range(25):
        at.deed(draw, number)
        for _ in range(4):
            at.run()
            for order in [each for each in at.alive() if each.type is OrderType.MARKET]:
                at.fill(order.broker_id)
            at.wait(6)
        at.bare = D(0)
        assert is_covered(at), shown(at)
        assert sum(order.remaining for order in stops(at)) == at.net.get(SPY, 0)
