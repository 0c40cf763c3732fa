"""Tests of `core/importing.py`: entries of a bot's record taken in, renamed or refused, never twice and never more."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from standfast.core.acts import take
from standfast.core.book import Book
from standfast.core.shapes import entry
from standfast.core.situation import Situation
from standfast.core.structures import structure_of
from standfast.model import journal as j
from standfast.model.ids import Holding, PositionId, RequestId
from standfast.model.position import Position, Standing
from standfast.stores.codec import decode_fact, encode_fact
from tests.core.situations import BEGAN, NOW, QQQ, SPY, D, adopted, after, folded, of, position, quoted, situation, told
from tests.core.spreads import BOUGHT, SOLD, SPREADS, prices
from tests.core.structures import at

EARLIER = BEGAN - timedelta(hours=2)
SIGHTS = {SPY: quoted("104", "104.02"), QQQ: quoted("50", "50.02"), **prices()}
SPREAD = {"legs": f"{SOLD}:-3 {BOUGHT}:3", "price": "3.70", "strategy": "gamma"}


def look(book: Book, held: Mapping[Holding, int], **changes: Any) -> Situation:
    return situation(book, held=held, policy=SPREADS, **{"sights": SIGHTS, **changes})


def imported(s: Situation, **arguments: str) -> j.RequestDone:
    """One act, its facts in the book."""
    asked = {"key": f"record/{arguments['legs']}", **arguments}
    taken = j.RequestTaken(request=RequestId(f"r{s.book.head}"), verb="import", arguments=asked, by="op")
    facts = list(take(s, taken, lambda number: None))
    told(s.book, *facts, at=s.now)
    (done,) = of(j.RequestDone, facts)
    assert isinstance(done, j.RequestDone)
    return done


def held(book: Book) -> dict[Holding, Decimal]:
    nets: dict[Holding, Decimal] = {}
    for each in book.state.positions.values():
        nets[each.holding] = nets.get(each.holding, D(0)) + each.net
    return nets


def only(book: Book) -> Position:
    (found,) = book.state.positions.values()
    return found


# --- one instrument -------------------------------------------------------------------------------


def test_what_the_broker_holds_is_taken_in_with_all_that_the_record_knows() -> None:
    s = look(folded(), {SPY: 10})
    opened = "2026-03-02T15:00:00+00:00"

    done = imported(s, legs="SPY:10", price="98", strategy="trend", opened_at=opened, stop="95", target="120")

    found = only(s.book)
    assert done.ok, done.detail
    assert (found.net, found.entry_price, found.strategy) == (D(10), D(98), "trend")
    assert (found.stop, found.target, found.standing) == (D(95), D(120), Standing.ADOPTED)
    assert found.opened_at is not None
    assert found.opened_at.isoformat() == opened
    assert found.anchor == D(100), "the broker's average, whatever the record says"
    assert s.book.state.costs[SPY].average == D(98)


def test_taken_in_again_it_is_the_same_position() -> None:
    s = look(folded(), {SPY: 10})
    first = imported(s, legs="SPY:10")
    before = dict(s.book.state.positions)

    second = imported(look(s.book, {SPY: 10}), legs="SPY:10")

    assert (first.ok, second.ok) == (True, True)
    assert "in the books already" in second.detail
    assert s.book.state.positions == before


@pytest.mark.parametrize(
    ("legs", "net", "told"),
    [
        ("SPY:10", 0, "the broker does not hold it"),
        ("SPY:10", -10, "the broker holds -10"),
        ("SPY:10", 6, "the broker holds only 6"),
        ("SPY:x", 10, "quantity is not a number"),
        ("SPY:0", 10, "is no leg"),
        ("SPY:5 SPY:5", 10, "two legs of one entry are the same"),
    ],
)
def test_what_the_broker_does_not_hold_is_refused_with_the_reason(legs: str, net: int, told: str) -> None:
    s = look(folded(), {SPY: net} if net else {})

    done = imported(s, legs=legs)

    assert not done.ok
    assert told in done.detail
    assert s.book.state.positions == {}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"price": "10"}, "entered at 10 by the record, at 100 by the broker"),
        ({"stop": "104.5"}, "its recorded stop 104.5 is reached already"),
        ({"target": "103"}, "its recorded target 103 is reached already"),
        ({"opened_at": "2027-01-01T00:00:00+00:00"}, "which is to come"),
    ],
)
def test_a_slip_in_the_record_is_refused_before_it_moves_a_stop(more: dict[str, str], told: str) -> None:
    s = look(folded(), {SPY: 10})

    done = imported(s, legs="SPY:10", **more)

    assert not done.ok
    assert told in done.detail
    assert s.book.state.positions == {}


def test_without_a_quote_nothing_is_taken_in() -> None:
    assert "no quote for SPY" in imported(look(folded(), {SPY: 10}, sights={}), legs="SPY:10").detail


def test_what_has_just_been_filled_waits_for_a_list_that_shows_it() -> None:
    book = folded(*position(10, 100), at=after(-2))

    done = imported(look(book, {SPY: 20}), legs="SPY:10")

    assert "has just moved" in done.detail


def test_two_entries_share_what_is_held_and_a_third_is_too_much() -> None:
    s = look(folded(), {SPY: 10})

    done = [imported(look(s.book, {SPY: 10}, asked_after=1), legs="SPY:5", key=key) for key in "abc"]

    assert [each.ok for each in done] == [True, True, False]
    assert "of 10 at the broker 10 are explained already" in done[2].detail
    assert held(s.book) == {SPY: D(10)}


def test_what_the_guard_has_adopted_meanwhile_gets_its_name_and_is_not_taken_again() -> None:
    book = folded(adopted(10, 100, anchor="99"), at=EARLIER)

    done = imported(look(book, {SPY: 10}), legs="SPY:10", price="98", strategy="trend", stop="95")

    found = only(book)
    assert done.ok, done.detail
    assert (found.net, found.strategy, found.entry_price, found.anchor, found.stop) == (
        D(10),
        "trend",
        D(98),
        D(99),
        D(95),
    )


def test_of_a_lot_that_is_larger_a_part_is_named() -> None:
    book = folded(adopted(10, 100), at=EARLIER)

    assert imported(look(book, {SPY: 10}), legs="SPY:4", strategy="a").ok
    assert imported(look(book, {SPY: 10}), legs="SPY:6", strategy="b").ok

    assert sorted((p.strategy, p.net) for p in book.state.positions.values()) == [("a", D(4)), ("b", D(6))]


def test_a_foreign_lot_becomes_ours_to_protect() -> None:
    book = folded(adopted(10, 100), at=EARLIER)
    told(book, j.StandingChanged(position=PositionId("p1"), standing=Standing.FOREIGN, by="op"), at=EARLIER)

    assert imported(look(book, {SPY: 10}), legs="SPY:10", strategy="trend").ok

    assert (only(book).standing, only(book).strategy) == (Standing.ADOPTED, "trend")


def test_what_we_opened_ourselves_is_no_entry_of_the_bots() -> None:
    book = folded(*position(10, 100, at=EARLIER), at=EARLIER)

    done = imported(look(book, {SPY: 10}), legs="SPY:10")

    assert not done.ok
    assert "explained already: p1" in done.detail


def test_a_price_that_fills_prove_is_not_overruled_by_the_record() -> None:
    book = folded(adopted(10, 100), at=EARLIER)
    book.put_position(replace(only(book), bare_adopted=D(0)))

    assert imported(look(book, {SPY: 10}), legs="SPY:10", price="98").ok

    assert only(book).entry_price == D(100)


# --- several legs ---------------------------------------------------------------------------------


def spread(book: Book | None = None, **changes: Any) -> Situation:
    s = look(book if book is not None else folded(), {SOLD: -3, BOUGHT: 3}, **changes)
    assert s.snapshot.positions is not None
    rows = {
        SOLD: replace(s.snapshot.positions.rows[SOLD], average_price=D("4.60")),
        BOUGHT: replace(s.snapshot.positions.rows[BOUGHT], average_price=D("0.80")),
    }
    return replace(s, snapshot=replace(s.snapshot, positions=replace(s.snapshot.positions, rows=rows)))


def test_a_spread_is_taken_in_as_one_position_with_its_credit() -> None:
    s = spread()

    done = imported(s, **SPREAD, stop="4.26")

    assert done.ok, done.detail
    (booked,) = s.book.state.structures.values()
    assert entry(structure_of(s.book, booked)) == D("-3.70")
    assert (booked.units, booked.strategy, booked.stop) == (D(3), "gamma", D("-4.26"))
    assert booked.anchor == D("-3.80"), "the worse of the broker's averages (3.80 received) and now (3.80)"
    assert held(s.book) == {SOLD: D(-3), BOUGHT: D(3)}
    assert imported(spread(s.book), **SPREAD).detail == f"{booked.id} is in the books already"


def test_the_price_of_each_leg_is_kept_where_the_record_has_it() -> None:
    s = spread()

    assert imported(s, **{**SPREAD, "price": "", "prices": "4.40 0.70"}).ok

    found = {p.holding: p.entry_price for p in s.book.state.positions.values()}
    assert found == {SOLD: D("4.40"), BOUGHT: D("0.70")}


def test_a_spread_the_guard_has_formed_meanwhile_gets_its_name() -> None:
    book = folded(
        adopted(-3, "4.60", id=PositionId("p1"), holding=SOLD),
        adopted(3, "0.80", id=PositionId("p2"), holding=BOUGHT),
        at=EARLIER,
    )
    legs = (j.LegFormed(position=PositionId("p1"), ratio=-1), j.LegFormed(position=PositionId("p2"), ratio=1))
    whole = PositionId("whole")
    told(
        book,
        j.StructureFormed(
            structure=whole, legs=legs, units=D(3), strategy="foreign", standing=Standing.ADOPTED, by="policy"
        ),
        at=EARLIER,
    )

    done = imported(spread(book), **SPREAD)

    assert done.ok, done.detail
    (booked,) = book.state.structures.values()
    assert (booked.id, booked.strategy, entry(structure_of(book, booked))) == (whole, "gamma", D("-3.70"))
    assert len(book.state.positions) == 2


def test_a_spread_with_a_leg_that_is_not_there_is_refused_whole_with_every_reason() -> None:
    lower = at("P", 3600)
    s = look(folded(), {SOLD: -1, BOUGHT: 3}, sights={**SIGHTS, lower: quoted("0.20", "0.30")})

    done = imported(s, legs=f"{SOLD}:-3 {BOUGHT}:3 {lower}:3")

    assert not done.ok
    assert f"{SOLD}: the record has -3, the broker holds only -1" in done.detail
    assert f"{lower}: the record has 3, the broker does not hold it" in done.detail
    assert s.book.state.positions == {}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"price": "37"}, "entered at 37 by the record, at 3.80 by the broker"),
        ({"stop": "3.00"}, "its recorded stop 3.00 is reached already"),
        ({"target": "3.90"}, "its recorded target 3.90 is reached already"),
    ],
)
def test_a_slip_in_a_spreads_record_is_refused(more: dict[str, str], told: str) -> None:
    s = spread()

    done = imported(s, **{**SPREAD, **more})

    assert not done.ok
    assert told in done.detail
    assert s.book.state.structures == {}


def test_two_spreads_that_share_a_contract_each_get_their_part_of_it() -> None:
    lower = at("P", 3600)
    nets = {SOLD: -5, BOUGHT: 3, lower: 2}
    sights = {**SIGHTS, lower: quoted("0.20", "0.30")}
    s = look(folded(), nets, sights=sights)

    first = imported(s, legs=f"{SOLD}:-3 {BOUGHT}:3")
    second = imported(look(s.book, nets, sights=sights, asked_after=1), legs=f"{SOLD}:-2 {lower}:2")

    assert (first.ok, second.ok) == (True, True), (first.detail, second.detail)
    assert held(s.book) == {SOLD: D(-5), BOUGHT: D(3), lower: D(2)}
    assert [booked.units for booked in s.book.state.structures.values()] == [D(3), D(2)]


def test_what_is_written_of_it_is_read_again() -> None:
    fact = j.PositionDescribed(
        position=PositionId("p1"), key="k", strategy="gamma", price=D("3.70"), opened_at=NOW, by="op"
    )

    assert decode_fact(1, encode_fact(fact)) == fact
