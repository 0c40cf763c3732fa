"""Tests of `core/ended.py`: contracts that a broker lists no more without saying why."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from standfast.core.closing import settle
from standfast.core.ended import offset
from standfast.core.policy import Foreign
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.effects import ReadQuotes
from standfast.model.evidence import HeldReport
from standfast.model.ids import Holding, InstrumentId, PositionId
from standfast.model.instrument import Instrument, Kind
from standfast.model.order import Side
from standfast.model.position import CloseReason, Standing
from tests.core.evenings import EVENING, SILENT, Evening
from tests.core.situations import (
    NOW,
    D,
    P,
    adopted,
    fill,
    of,
    position,
    quoted,
    ruled,
    told,
    with_contract,
)

CALL, PUT = (Holding(InstrumentId(f"AAPL260304{right}00250000")) for right in "CP")
LATER, PUT_LATER = (Holding(InstrumentId(f"AAPL260320{right}00250000")) for right in "CP")
WEEKLY = Holding(InstrumentId("SPXW260304P06885000"))
AAPL, SPX = Holding(InstrumentId("AAPL")), Holding(InstrumentId("SPX"))
TOLD = with_contract()
MORNING = datetime(2026, 3, 5, 14, 31, tzinfo=EVENING.tzinfo)
Q = PositionId("p2")


def prices(under: Holding, price: str) -> dict[str, Any]:
    return {"sights": {under: quoted(price, at=EVENING)}}


@pytest.mark.parametrize(
    ("holding", "quantity", "under", "price", "worth"),
    [
        (CALL, 2, AAPL, "240", 0),
        (CALL, -2, AAPL, "240", 0),
        (WEEKLY, -1, SPX, "6900", 0),
        (WEEKLY, -1, SPX, "6860.5", "24.5"),
        (WEEKLY, 3, SPX, "6860.5", "24.5"),
    ],
)
def test_a_contract_that_is_gone_after_its_last_session_has_expired(
    holding: Holding, quantity: int, under: Holding, price: str, worth: Any
) -> None:
    evening = Evening(*position(quantity, 5, holding=holding), **prices(under, price))

    outcomes = evening.looks({})

    sign = 1 if quantity > 0 else -1
    assert evening.closed() == (D(0), CloseReason.EXPIRY, (D(worth) - 5) * quantity * 100)
    assert evening.book.state.costs == {}
    (alarm,) = [each for each in of(j.AlertRaised, outcomes) if "does not tell why" in each.text]
    assert f"{sign * abs(quantity):+} is gone" in alarm.text
    gone = evening.book.state.positions[P]
    assert of(j.PositionSettled, settle(evening.situation({}), gone))[0].reason is CloseReason.EXPIRY


def test_without_a_price_it_is_booked_as_worthless_and_that_is_said() -> None:
    evening = Evening(*position(-1, 5, holding=WEEKLY), sights={})

    outcomes = evening.looks({})

    assert evening.closed() == (D(0), CloseReason.EXPIRY, D(500))
    assert any("SPX has no price here" in each.text for each in of(j.AlertRaised, outcomes))
    assert ReadQuotes(holding=SPX, reason=f"what {WEEKLY} was worth at its end") in outcomes


def test_a_price_that_comes_late_is_waited_for() -> None:
    """A guard that was not there at the close knows none yet: in the money is not worthless."""
    evening = Evening(*position(-1, 5, holding=WEEKLY), sights={})
    for _ in range(3):
        evening.now += timedelta(seconds=1)
        evening.looks_once({})
    assert evening.closed()[0] == D(1)

    evening.given |= prices(SPX, "6860.5")
    evening.looks({})

    assert evening.closed() == (D(0), CloseReason.EXPIRY, D(500) - 2450)


def test_nobody_is_woken_for_a_contract_that_has_ended_on_its_day() -> None:
    evening = Evening(*position(-1, 5, holding=WEEKLY), **prices(SPX, "6900"))

    alarms = of(j.AlertRaised, evening.looks({}))

    assert [alarm.severity for alarm in alarms] == [Severity.WARNING]


def test_what_a_sold_spread_brought_is_booked_when_it_expires() -> None:
    """Each leg by its own price: legs have no part in their contract's average."""
    lower = Holding(InstrumentId("SPXW260304P06785000"))
    legs = (j.LegFormed(position=P, ratio=-1), j.LegFormed(position=Q, ratio=1))
    tied = j.StructureFormed(
        structure=PositionId("p9"), legs=legs, units=D(3), strategy="s", standing=Standing.OWNED, by="test"
    )
    evening = Evening(
        *position(-3, "5.00", holding=WEEKLY), *position(3, "1.30", id=Q, holding=lower), tied, **prices(SPX, "6880")
    )

    evening.looks({})

    assert evening.closed() == (D(0), CloseReason.EXPIRY, D(0))
    assert evening.closed(Q) == (D(0), CloseReason.EXPIRY, D("-390"))
    assert evening.book.state.costs == {}


@pytest.mark.parametrize(
    ("holding", "quantity", "shares", "reason"),
    [
        (LATER, -2, -200, CloseReason.ASSIGNMENT),
        (PUT, -2, 200, CloseReason.ASSIGNMENT),
        (CALL, 1, 100, CloseReason.ASSIGNMENT),
        (PUT, 1, -100, CloseReason.ASSIGNMENT),
    ],
)
def test_shares_that_come_by_just_as_much_say_it_was_exercised(
    holding: Holding, quantity: int, shares: int, reason: CloseReason
) -> None:
    evening = Evening(
        *position(quantity, 5, holding=holding), **prices(AAPL, "260"), rules=ruled(foreign=Foreign.ADOPT)
    )
    evening.given["instruments"] = {holding.instrument: option_of(holding)}

    evening.looks({AAPL: shares})

    assert evening.closed() == (D(0), reason, -500 * D(quantity))
    (taken,) = evening.book.positions_at(AAPL)
    assert (taken.net, taken.is_guarded) == (D(shares), True)


def test_shares_that_came_by_it_and_were_closed_since_say_it_was_exercised() -> None:
    """Found by simulation: the shares were in the list, taken in and sold before the contract was missed, and it stayed
    in the books for ever."""
    taken = adopted(100, 250, id=Q, holding=AAPL)
    sale = fill("x", "theirs", Side.SELL, 100, 260, holding=AAPL)
    part = j.Allocation(position=Q, quantity=D(100), opens=False)
    gone: list[j.Fact] = [
        j.FillBooked(fill=sale, allocations=(part,)),
        j.PositionSettled(position=Q, reason=CloseReason.BOT_EXIT, proof="sold"),
    ]
    evening = Evening(*position(-1, 5, holding=PUT_LATER), taken, *gone, **prices(AAPL, "240"))
    evening.given["instruments"] = {PUT_LATER.instrument: option_of(PUT_LATER)}

    evening.looks({})

    assert evening.closed() == (D(0), CloseReason.ASSIGNMENT, D(500))


def option_of(holding: Holding) -> Instrument:
    return Instrument(id=holding.instrument, kind=Kind.OPTION, multiplier=D(100))


@pytest.mark.parametrize("price", ["260", "250.4", "249.2", ""], ids=["in the money", "near", "near below", "unknown"])
def test_shares_that_the_night_may_bring_are_waited_for_before_it_is_booked_as_expired(price: str) -> None:
    """Booked at once, at what it was worth, its loss would be counted twice when the shares come at their strike."""
    rules = ruled(foreign=Foreign.ADOPT)
    given = prices(AAPL, price) if price else {"sights": {}}
    instruments = {CALL.instrument: option_of(CALL)}
    evening = Evening(*position(-1, 5, holding=CALL), rules=rules, instruments=instruments, **given)

    outcomes = evening.looks({})

    assert evening.closed()[0] == D(1)
    (alarm,) = [each for each in of(j.AlertRaised, outcomes) if str(CALL) in each.text]
    assert (alarm.severity, "whether shares come of it" in alarm.text) == (Severity.WARNING, True)

    evening.now += timedelta(hours=9)
    evening.looks({AAPL: -100})

    assert evening.closed() == (D(0), CloseReason.ASSIGNMENT, D(500))


def test_what_brought_no_shares_by_the_next_session_has_expired() -> None:
    evening = Evening(*position(-1, 5, holding=CALL), **prices(AAPL, "250.4"))
    evening.looks({})
    evening.now, evening.given["is_open"] = MORNING, True

    evening.looks({})

    assert evening.closed() == (D(0), CloseReason.EXPIRY, D(500) - 40)


def test_a_spread_in_the_money_whose_shares_cancel_out_waits_for_none() -> None:
    """Sold at 240 and bought at 250, both exercised: no list ever shows a share of it."""
    lower = Holding(InstrumentId("AAPL260304C00240000"))
    legs = (*position(-1, 25, holding=lower), *position(1, 15, id=Q, holding=CALL))
    evening = Evening(*legs, instruments={each.instrument: option_of(each) for each in (lower, CALL)})
    evening.given |= prices(AAPL, "265")

    evening.looks({})

    assert evening.closed() == (D(0), CloseReason.EXPIRY, D(0))
    assert evening.closed(Q) == (D(0), CloseReason.EXPIRY, D(0))


def test_shares_that_were_sold_by_it_leave_at_its_strike() -> None:
    """A covered call that is assigned."""
    evening = Evening(
        *position(100, 200, id=Q, holding=AAPL),
        *position(-1, 5, holding=CALL),
        **prices(AAPL, "260"),
        instruments={CALL.instrument: option_of(CALL)},
    )

    evening.looks({})

    assert evening.closed() == (D(0), CloseReason.ASSIGNMENT, D(500))
    assert evening.closed(Q) == (D(0), CloseReason.ASSIGNMENT, D(50) * 100)


def test_a_part_that_is_assigned_leaves_the_rest() -> None:
    evening = Evening(
        *position(-3, 5, holding=LATER), **prices(AAPL, "260"), instruments={LATER.instrument: option_of(LATER)}
    )

    outcomes = evening.looks({LATER: -2, AAPL: -100})

    assert evening.closed()[0] == D(2)
    named = [alarm.severity for alarm in of(j.AlertRaised, outcomes) if str(LATER) in alarm.text]
    assert named == [Severity.WARNING], "it is told where it is booked, and nobody is woken"


@pytest.mark.parametrize("shares", ["BRK/B", "BRK.B"])
def test_shares_of_a_class_that_were_taken_for_an_option_are_known_however_they_are_spelled(shares: str) -> None:
    call, stock = Holding(InstrumentId("BRKB260320C00500000")), Holding(InstrumentId(shares))
    evening = Evening(*position(-1, 5, holding=call), instruments={call.instrument: option_of(call)})

    outcomes = evening.looks({stock: -100})

    assert [fact.movement.kind.value for fact in of(j.MovementBooked, outcomes)] == ["assignment", "exercise"]


@pytest.mark.parametrize(
    ("holding", "now", "contract"),
    [(LATER, EVENING, SILENT), (CALL, NOW, SILENT), (CALL, EVENING, TOLD), (AAPL, EVENING, SILENT)],
    ids=["not its last day", "its session goes on", "a broker that tells", "no contract"],
)
def test_without_proof_it_stays_booked(holding: Holding, now: datetime, contract: Any) -> None:
    evening = Evening(*position(-1, 5, holding=holding), now=now, contract=contract, **prices(AAPL, "240"))

    outcomes = evening.looks({})

    assert evening.closed()[0] == D(1)
    assert of(j.MovementBooked, outcomes) == []


def test_it_is_booked_once_however_often_it_is_looked_at() -> None:
    evening = Evening(*position(2, 5, holding=CALL), **prices(AAPL, "240"))

    outcomes = evening.looks({}) + evening.looks({}) + evening.looks({})

    assert (len(of(j.MovementBooked, outcomes)), len(of(j.MovedOut, outcomes))) == (1, 1)


@pytest.mark.parametrize(("held", "shown"), [(50, 200), (-50, -5)], ids=["four for one", "one for ten"])
def test_another_quantity_for_the_same_money_is_a_split(held: int, shown: int) -> None:
    price = D(100) * held / shown
    evening = Evening(*position(held, 100, holding=AAPL), now=NOW, **prices(AAPL, str(price)))
    listed = {AAPL: HeldReport(holding=AAPL, quantity=D(shown), average_price=price)}

    outcomes = evening.looks(listed)

    (taken,) = evening.book.positions_at(AAPL)
    assert (taken.net, taken.entry_price) == (D(shown), price)
    assert len(of(j.Rescaled, outcomes)) == 1
    assert any("Booked as a split" in each.text for each in of(j.AlertRaised, outcomes))


def test_another_quantity_for_other_money_is_none() -> None:
    evening = Evening(*position(50, 100, holding=AAPL), now=NOW, **prices(AAPL, "100"))

    outcomes = evening.looks({AAPL: 200})

    assert of(j.Rescaled, outcomes) == []


def both_ways(now: datetime = EVENING, **given: Any) -> Evening:
    """One contract sold in one spread and bought in another."""
    legs = [
        j.StructureFormed(
            structure=PositionId(f"s{id}"),
            legs=(j.LegFormed(position=id, ratio=ratio),),
            units=D(3),
            strategy="s",
            standing=Standing.OWNED,
            by="test",
        )
        for id, ratio in ((P, -1), (Q, 1))
    ]
    sold, bought = position(-3, "5.00", holding=WEEKLY), position(3, "1.30", id=Q, holding=WEEKLY)
    return Evening(*sold, legs[0], *bought, legs[1], now=now, **given)


def offsetting(evening: Evening) -> list[Any]:
    came = list(offset(evening.situation({}), WEEKLY))
    facts: list[Any] = [each for each in came if type(each).__name__ in j.FACTS]
    told(evening.book, *facts, at=evening.now)
    return came


def test_legs_that_offset_each_other_end_with_their_contract_though_no_list_ever_showed_them() -> None:
    evening = both_ways(**prices(SPX, "6880"))

    offsetting(evening)

    assert evening.closed() == (D(0), CloseReason.EXPIRY, D(0))
    assert evening.closed(Q) == (D(0), CloseReason.EXPIRY, D("3.70") * 300)
    assert offsetting(evening) == []


def test_they_stay_while_the_contract_trades_and_while_its_last_price_is_asked_for() -> None:
    assert offsetting(both_ways(now=NOW, **prices(SPX, "6880"))) == []

    waiting = both_ways(sights={})
    waiting.book.state.started_at = waiting.now

    assert ReadQuotes(holding=SPX, reason=f"what {WEEKLY} was worth at its end") in offsetting(waiting)
    assert waiting.closed()[0] == D(3)
