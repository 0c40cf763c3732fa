"""Tests of `core/forming.py`: legs that were adopted become the structure they are."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from standfast.core.book import Book
from standfast.core.decide import decide
from standfast.core.exits import exits
from standfast.core.fills import book_fill
from standfast.core.forming import forming
from standfast.core.identity import WHOLE, contradiction
from standfast.core.policy import Foreign, Policy
from standfast.core.results import levels_of
from standfast.core.situation import Situation
from standfast.core.structures import LEG_BY_LEG
from standfast.model import journal as j
from standfast.model.effects import ReadQuotes, WakeAt
from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, PositionId
from standfast.model.order import OrderReport, OrderState, Role, Side
from standfast.model.position import CloseReason, Position, Standing, Trail
from tests.core.situations import (
    NOW,
    D,
    P,
    adopted,
    exit_intended,
    fill,
    folded,
    of,
    position,
    quoted,
    report,
    ruled,
    situation,
    told,
)
from tests.core.spreads import BOUGHT, SOLD, SPREADS, prices
from tests.core.structures import at

Q, R = PositionId("p2"), PositionId("p3")


def formed(s: Situation) -> list[j.StructureFormed]:
    return of(j.StructureFormed, forming(s, s.book.holdings()))


def bare(sold: int = -3, bought: int = 3, *more: j.Fact, **changes: Any) -> Situation:
    held = [adopted(sold, "4.50", id=P, holding=SOLD), adopted(bought, "0.80", id=Q, holding=BOUGHT)]
    return situation(folded(*held, *more), **{"policy": SPREADS, "sights": prices(), **changes})


def test_what_was_held_before_is_one_structure_with_stops_from_the_worse_of_entry_and_now() -> None:
    (fact,) = formed(bare(sights=prices(("4.90", "5.00"), ("0.70", "0.80"))))

    assert {(leg.position, leg.ratio) for leg in fact.legs} == {(P, -1), (Q, 1)}
    assert (fact.units, fact.standing) == (D(3), Standing.ADOPTED)
    assert (fact.anchor, fact.gain_anchor) == (D("-4.30"), D("-3.70"))


def test_no_rule_of_a_single_position_is_judged_of_a_leg_once_it_belongs_to_a_structure() -> None:
    s = bare(sights=prices(("90", "91")))

    decision = decide(s, s.book.holdings())

    assert [type(fact) for fact in decision.facts] == [j.StructureFormed]


@pytest.mark.parametrize(
    "of_before",
    [
        j.TrailMoved(position=Q, trail=Trail(rung=0, peak=D("0.5"), stop=D("0.4"))),
        j.ProtectionChosen(position=Q, stop=D("0.75"), target=None, bare=False, by="op"),
    ],
    ids=["a trail", "a stop"],
)
def test_what_was_kept_around_a_position_before_it_was_a_leg_takes_no_cover_away(of_before: j.Fact) -> None:
    """Found by simulation: an option climbed its ladder alone, became the cover of another, and was sold by it."""
    s = bare(-3, 3, of_before)
    told(s.book, *of(j.StructureFormed, forming(s, s.book.holdings())))

    assert list(exits(s, s.book.state.positions[Q])) == []
    assert levels_of(s, s.book.state.positions[Q]).stop is None


def test_what_exceeds_the_whole_units_stays_apart_as_part_of_its_lot() -> None:
    s = bare(-3, 2)

    split, fact = forming(s, s.book.holdings())

    assert isinstance(split, j.LotSplit)
    assert isinstance(fact, j.StructureFormed)
    assert (split.position, split.quantity) == (P, D(2))
    assert {(leg.position, leg.ratio) for leg in fact.legs} == {(split.part, -1), (Q, 1)}
    assert fact.units == D(2)
    told(s.book, split, fact)
    rest, part = s.book.state.positions[P], s.book.state.positions[split.part]
    assert (rest.net, rest.entry_price, rest.structure) == (D(-1), D("4.50"), None)
    assert (part.net, part.entry_price, part.structure) == (D(-2), D("4.50"), fact.structure)
    assert s.book.net(SOLD).low == D(-3)


LOWER = at("P", 3600)


def several(sold: int = -6) -> Situation:
    """Two spreads, 3 of 3800/3700 and 3 of 3800/3600, sold leg by leg before anybody looked."""
    held = [
        adopted(sold, "4.50", id=P, holding=SOLD),
        adopted(3, "0.80", id=Q, holding=BOUGHT),
        adopted(3, "0.30", id=R, holding=LOWER),
    ]
    sights = {**prices(), LOWER: quoted("0.20", "0.30")}
    return situation(folded(*held), policy=SPREADS, sights=sights)


def test_spreads_that_share_a_contract_each_get_their_part_of_its_lot() -> None:
    s = several()

    facts = list(forming(s, s.book.holdings()))
    told(s.book, *facts)  # type: ignore[arg-type]  # facts are all it yields here

    spreads = [{leg.holding: leg.ratio for leg in each.legs} for each in s.book.state.structures.values()]
    assert sorted(map(len, spreads)) == [2, 2]
    assert {SOLD: -1, BOUGHT: 1} in spreads
    assert {SOLD: -1, LOWER: 1} in spreads
    assert [each.units for each in s.book.state.structures.values()] == [D(3), D(3)]
    assert s.book.net(SOLD).low == D(-6)
    assert all(each.structure is not None for each in s.book.state.positions.values())
    assert s.book.state.costs == {}
    assert list(forming(s, s.book.holdings())) == []


def test_lots_of_their_own_sizes_are_tied_whole_before_any_is_split() -> None:
    sizes = ((P, -2, SOLD), (Q, -3, SOLD), (R, 3, BOUGHT), (PositionId("p4"), 2, BOUGHT))
    held = [adopted(size, 4, id=id, holding=holding) for id, size, holding in sizes]
    s = situation(folded(*held), policy=SPREADS, sights=prices())

    facts = formed(s)

    assert [(fact.units, {leg.position for leg in fact.legs}) for fact in facts] == [
        (D(3), {Q, R}),
        (D(2), {P, PositionId("p4")}),
    ]


def test_what_an_order_may_still_add_to_is_not_guessed_at() -> None:
    """A bot that sells ten and has bought three of what bounds them would be closed leg by leg as out of its ratio."""
    working = replace(leg(1, Side.SELL, SOLD, "4.50"), quantity=D(10), state=OrderState.WORKING, parent_id=None)
    lot = found(P, 1, Side.SELL, SOLD, "4.50")
    book = folded(j.OrderObserved(report=working), *lot, *found(Q, 2, Side.BUY, BOUGHT, "0.80"))
    assert formed(situation(book, policy=SPREADS, sights=prices())) == []

    told(book, j.OrderObserved(report=replace(working, state=OrderState.CANCELLED)))

    assert len(formed(situation(book, policy=SPREADS, sights=prices()))) == 1


def test_what_has_filled_of_an_order_that_still_works_is_one_structure_already() -> None:
    """Its legs would be judged as single options otherwise, and one of them closed alone, for as long as it works."""
    legs = tuple(replace(each, quantity=D(10), state=OrderState.WORKING) for each in LEGS)
    working = replace(ORDER, quantity=D(10), state=OrderState.WORKING, legs=legs)
    book = folded(
        j.OrderObserved(report=working), *found(P, 1, Side.SELL, SOLD, "4.50"), *found(Q, 2, Side.BUY, BOUGHT, "0.80")
    )

    (fact,) = formed(situation(book, policy=SPREADS))

    assert [(each.position, each.ratio) for each in fact.legs] == [(P, -1), (Q, 1)]
    assert fact.units == D(3)


def test_what_an_operator_has_taken_apart_stays_apart() -> None:
    s = bare()
    (fact,) = formed(s)
    told(s.book, fact, j.StructureDissolved(structure=fact.structure, reason="wrong", by="op"))

    assert formed(s) == []


def test_nothing_is_formed_while_the_broker_lists_more_of_the_underlying_than_the_books_have() -> None:
    nets: dict[Holding, int] = {SOLD: -3, BOUGHT: 3, at("C", 3900): -3}

    assert formed(bare(held=nets)) == []


def test_nothing_is_formed_without_the_price_of_now() -> None:
    assert formed(bare(sights={SOLD: quoted("4.40", "4.50")})) == []


def test_its_stop_is_not_figured_once_and_for_all_from_an_offer_far_away_from_every_bid() -> None:
    """In the first seconds of a session: 90 asked for what was sold at 4.50 would put the stop beyond anything."""
    stub = bare(sights=prices(("0.05", "90.00"), ("0.70", "0.80")))

    outcomes = list(forming(stub, stub.book.holdings()))

    assert {type(each) for each in outcomes} == {ReadQuotes}
    assert len(formed(bare(sights=prices(("4.00", "5.50"), ("0.60", "0.90"))))) == 1
    assert len(formed(bare(sights=prices(("0.05", "90.00"), ("0.70", "0.80")), policy=Policy(name="no stop")))) == 1


def test_what_is_owned_or_closing_is_left_as_it_is() -> None:
    asked = j.CloseRequested(position=P, reason=CloseReason.OPERATOR, by="test", detail="")
    owned = folded(*position(-3, "4.50", id=P, holding=SOLD), adopted(3, "0.80", id=Q, holding=BOUGHT))

    assert formed(bare(-3, 3, asked)) == []
    assert formed(situation(owned, policy=SPREADS, sights=prices())) == []


# --- by one order ---------------------------------------------------------------------------------


def leg(number: int, side: Side, holding: Holding, price: str) -> OrderReport:
    return report(
        f"b-{number}",
        side=side,
        quantity=3,
        filled=3,
        state=OrderState.FILLED,
        holding=holding,
        average_price=D(price),
        parent_id=BrokerOrderId("b-0"),
    )


LEGS = (leg(1, Side.SELL, SOLD, "4.50"), leg(2, Side.BUY, BOUGHT, "0.80"))
ORDER = report(
    "b-0",
    side=Side.BUY,
    quantity=3,
    filled=3,
    state=OrderState.FILLED,
    holding=WHOLE,
    legs=LEGS,
    order_class="mleg",
)


def found(id: PositionId, number: int, side: Side, holding: Holding, price: str) -> list[j.Fact]:
    order = BrokerOrderId(f"b-{number}")
    lot = j.LotFound(
        position=id, holding=holding, sign=side.sign, standing=Standing.ADOPTED, strategy="bot", order=order
    )
    made = fill(f"x{number}", order, side, 3, price, holding=holding)
    return [lot, j.FillBooked(fill=made, allocations=(j.Allocation(position=id, quantity=D(3), opens=True),))]


def test_what_one_order_of_a_bot_opened_is_one_structure_without_a_quote() -> None:
    book = folded(
        j.OrderObserved(report=ORDER),
        *found(P, 1, Side.SELL, SOLD, "4.50"),
        *found(Q, 2, Side.BUY, BOUGHT, "0.80"),
    )

    (fact,) = formed(situation(book, policy=SPREADS))

    assert [(each.position, each.ratio) for each in fact.legs] == [(P, -1), (Q, 1)]
    assert (fact.strategy, fact.anchor) == ("bot", None)


def test_its_legs_are_of_the_strategy_that_the_tag_of_the_one_order_names() -> None:
    rules = ruled(SPREADS, foreign=Foreign.ADOPT, foreign_strategies={"gamma-*": "gamma"})
    book = folded(j.OrderObserved(report=replace(ORDER, client_id=ClientOrderId("gamma-7"))))

    made = fill("x1", BrokerOrderId("b-1"), Side.SELL, 3, "4.50", holding=SOLD)
    (lot,) = (fact for fact in book_fill(book, rules, made) if isinstance(fact, j.LotFound))

    assert lot.strategy == "gamma"


def test_it_waits_for_the_fills_of_every_leg() -> None:
    book = folded(j.OrderObserved(report=ORDER), *found(P, 1, Side.SELL, SOLD, "4.50"))

    assert formed(situation(book, policy=SPREADS, sights=prices())) == []


def test_what_was_bought_leg_by_leg_under_its_eyes_has_its_stop_from_its_entry() -> None:
    """However far the price has gone since: only what was held before is figured from the worse of the two."""
    book = folded(*found(P, 1, Side.SELL, SOLD, "4.50"), *found(Q, 2, Side.BUY, BOUGHT, "0.80"))

    (fact,) = formed(situation(book, policy=SPREADS, sights=prices(("4.90", "5.00"), ("0.70", "0.80"))))

    assert (fact.anchor, fact.gain_anchor) == (None, None)


CALL_SOLD, CALL_BOUGHT = at("C", 3900), at("C", 4000)


def test_the_wings_of_a_condor_that_is_opened_leg_by_leg_wait_for_what_is_sold_between_them() -> None:
    """Found by simulation: as two strangles it was closed by halves once its bot closed another condor beside it."""
    book = folded(*found(P, 1, Side.BUY, BOUGHT, "0.80"), *found(Q, 2, Side.BUY, CALL_BOUGHT, "0.50"))
    s = situation(book, policy=SPREADS)
    assert formed(s) == []
    assert {wake.at for wake in of(WakeAt, forming(s, book.holdings()))} == {NOW + LEG_BY_LEG}

    told(book, *found(R, 3, Side.SELL, SOLD, "4.50"), *found(PositionId("p4"), 4, Side.SELL, CALL_SOLD, "3.00"))
    (fact,) = formed(situation(book, policy=SPREADS))

    assert fact.why.startswith("iron condor")


def test_what_stays_bought_both_ways_is_a_strangle_after_that_moment() -> None:
    book = folded(*found(P, 1, Side.BUY, BOUGHT, "0.80"), *found(Q, 2, Side.BUY, CALL_BOUGHT, "0.50"))

    (fact,) = formed(situation(book, policy=SPREADS, now=NOW + LEG_BY_LEG))

    assert fact.why.startswith("strangle")


def test_what_is_sold_both_ways_waits_for_nothing() -> None:
    """Nothing bounds what it may lose: it gets the stop of both at once."""
    book = folded(*found(P, 1, Side.SELL, SOLD, "4.50"), *found(Q, 2, Side.SELL, CALL_SOLD, "3.00"))

    (fact,) = formed(situation(book, policy=SPREADS))

    assert fact.why.startswith("strangle")


def test_what_a_leg_cost_leaves_the_average_of_its_contract() -> None:
    book = folded(
        j.OrderObserved(report=ORDER),
        *found(P, 1, Side.SELL, SOLD, "4.50"),
        *found(Q, 2, Side.BUY, BOUGHT, "0.80"),
    )
    (fact,) = formed(situation(book, policy=SPREADS))

    after = folded(
        j.OrderObserved(report=ORDER),
        *found(P, 1, Side.SELL, SOLD, "4.50"),
        *found(Q, 2, Side.BUY, BOUGHT, "0.80"),
        fact,
    )

    assert after.state.costs == {}
    held: list[Position] = list(after.state.positions.values())
    assert {each.structure for each in held} == {fact.structure}


def earned(book: Book) -> Decimal:
    return sum((each.pnl for each in (*book.state.positions.values(), *book.state.closed.values())), D(0))


def sold_again(id: PositionId, price: str, book: Book) -> None:
    """A close of ours of that position fills."""
    meant = exit_intended(Role.CLOSE, 3, id=id, holding=BOUGHT)
    order = BrokerOrderId(f"close-{id}")
    told(book, meant, j.OrderAccepted(id=meant.id, broker_id=order))
    told(book, *book_fill(book, ruled(SPREADS), fill(f"y-{id}", order, Side.SELL, 3, price, holding=BOUGHT)))


@pytest.mark.parametrize("first", ["before it is formed", "after it is formed"])
def test_a_leg_and_a_position_of_its_own_contract_earn_together_what_their_fills_brought(first: str) -> None:
    """A lot bought at 0.60 and closed at 0.70, a leg bought at 0.80 and closed at 0.90, whichever goes first."""
    book = folded(
        j.OrderObserved(report=ORDER),
        *found(R, 3, Side.BUY, BOUGHT, "0.60"),
        *found(P, 1, Side.SELL, SOLD, "4.50"),
        *found(Q, 2, Side.BUY, BOUGHT, "0.80"),
    )
    if first == "before it is formed":
        sold_again(R, "0.70", book)
    told(book, *formed(situation(book, policy=SPREADS, sights=prices())))
    if first == "after it is formed":
        sold_again(R, "0.70", book)
    sold_again(Q, "0.90", book)

    assert earned(book) == 100 * 3 * (D("0.10") + D("0.10"))
    assert book.state.costs.get(BOUGHT) is None


def test_a_leg_asked_for_by_its_id_is_told_as_its_whole() -> None:
    book = folded()

    assert contradiction(book, ORDER, broker_id=BrokerOrderId("b-2")) == ""
    assert contradiction(book, ORDER, broker_id=BrokerOrderId("b-9")) != ""
    plain = replace(ORDER, holding=SOLD, order_class="oco")
    assert contradiction(book, plain, broker_id=BrokerOrderId("b-2")) != ""
