"""Tests of `core/reforming.py`: half a condor is a spread, and kept as one."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.core.decide import decide
from standfast.core.fills import book_fill
from standfast.core.reforming import is_sound, reforming
from standfast.core.shapes import broken
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, Holding, PositionId
from standfast.model.order import Side
from standfast.model.position import Standing
from tests.core.situations import NOW, D, fill, folded, of, quoted, ruled, situation, told
from tests.core.spreads import SPREADS
from tests.core.structures import at, held, leg, structure

CONDOR = PositionId("c1")
LEGS = {
    at("P", 3700): ("l1", 1, "0.80"),
    at("P", 3800): ("l2", -1, "4.50"),
    at("C", 3900): ("l3", -1, "3.00"),
    at("C", 4000): ("l4", 1, "0.50"),
}
SIGHTS = {holding: quoted(price, str(Decimal(price) + Decimal("0.10"))) for holding, (_, _, price) in LEGS.items()}
PUTS, CALLS = list(LEGS)[:2], list(LEGS)[2:]


def condor(units: int = 3) -> Situation:
    """A bot's, opened by orders under our eyes: sold for 6.20."""
    book = folded()
    for holding, (id, sign, price) in LEGS.items():
        order, side = BrokerOrderId(f"o-{id}"), Side.BUY if sign > 0 else Side.SELL
        told(
            book,
            j.LotFound(
                position=PositionId(id),
                holding=holding,
                sign=sign,
                standing=Standing.ADOPTED,
                strategy="bot",
                order=order,
            ),
            j.FillBooked(
                fill=fill(f"x-{id}", order, side, units, price, holding=holding),
                allocations=(j.Allocation(position=PositionId(id), quantity=D(units), opens=True),),
            ),
        )
    tied = tuple(j.LegFormed(position=PositionId(id), ratio=sign) for id, sign, _ in LEGS.values())
    told(
        book,
        j.StructureFormed(
            structure=CONDOR, legs=tied, units=D(units), strategy="bot", standing=Standing.ADOPTED, by="policy"
        ),
        j.ProtectionChosen(position=CONDOR, stop=D(-12), target=None, bare=False, by="op"),
    )
    return situation(book, policy=SPREADS, sights=SIGHTS)


def close(s: Situation, holdings: list[Holding], quantity: int) -> Situation:
    """The bot closes so much of these legs; looked at until the loss of the ratio is confirmed."""
    for holding in holdings:
        id, sign, price = LEGS[holding]
        side = Side.SELL if sign > 0 else Side.BUY
        made = fill(f"y-{id}", BrokerOrderId(f"z-{id}"), side, quantity, price, holding=holding)
        told(s.book, *book_fill(s.book, ruled(SPREADS), made))
    now = NOW + timedelta(minutes=1)
    for seconds in (0, 2, 3):
        s = seen(s, now + timedelta(seconds=seconds))
        facts = decide(s, [*LEGS, *(each.holding for each in s.book.state.structures.values())]).facts
        told(s.book, *facts)
        assert not of(j.CloseRequested, facts)
    return s


def seen(s: Situation, now: object) -> Situation:
    sights = {holding: quoted(str(each.quote.bid), str(each.quote.ask), at=now) for holding, each in SIGHTS.items()}  # type: ignore[arg-type]  # a time
    return situation(s.book, policy=SPREADS, sights=sights, now=now)  # type: ignore[arg-type]  # a time


def test_the_side_that_a_bot_has_left_of_its_condor_is_a_spread_with_a_stop_from_its_own_entry() -> None:
    s = close(condor(), CALLS, 3)

    (kept,) = s.book.state.structures.values()
    assert {tied.holding: tied.ratio for tied in kept.legs} == {PUTS[0]: 1, PUTS[1]: -1}
    assert (kept.units, kept.standing, kept.stop) == (D(3), Standing.ADOPTED, None)
    assert CONDOR in s.book.state.closed_structures
    (alert,) = (each for each in s.book.state.alerts.values() if "makes a structure" in each.text)
    assert "Its own stop ended with it" in alert.text
    assert not any(each.closing for each in s.book.state.positions.values())


def test_of_units_closed_on_one_side_alone_the_rest_stays_a_condor() -> None:
    s = close(condor(), CALLS, 1)

    shapes = sorted((len(each.legs), each.units) for each in s.book.state.structures.values())
    assert shapes == [(2, D(1)), (4, D(2))]
    assert s.book.net(PUTS[0]).low == D(3)
    assert s.book.net(CALLS[0]).low == D(-2)
    assert all(each.structure is not None for each in s.book.state.positions.values())
    assert s.book.state.costs == {}


@pytest.mark.parametrize(
    ("left", "sound"),
    [
        ([(leg(-1, "P", 3800), 3), (leg(1, "P", 3700), 3)], True),
        ([(leg(-1, "P", 3800), 3)], False),
        ([(leg(-1, "P", 3800), 3), (leg(-1, "C", 3900), 3)], False),
        ([(leg(-1, "P", 3800), 3), (leg(1, "P", 3700), 2)], False),
    ],
)
def test_only_what_bounds_its_own_loss_is_kept(left: list[tuple[object, int]], *, sound: bool) -> None:
    whole = structure(*((each, 1) for each in (leg(1, "P", 3600), *(one for one, _ in left))), units=3)  # type: ignore[arg-type]  # legs
    gone = replace(whole.legs[0], closed=D(3))
    legs = (gone, *(held(one, 1, quantity) for one, quantity in left))  # type: ignore[arg-type]  # legs
    found = broken(replace(whole, legs=legs))

    assert found is not None
    assert is_sound(found) is sound


def test_nothing_is_done_about_what_is_whole_or_not_confirmed() -> None:
    s = condor()
    places = [each.holding for each in s.book.state.structures.values()]
    assert list(reforming(s, places)) == []
    id, _, price = LEGS[CALLS[0]]
    made = fill(f"y-{id}", BrokerOrderId("z"), Side.BUY, 3, price, holding=CALLS[0])
    told(s.book, *book_fill(s.book, ruled(SPREADS), made))

    assert list(reforming(seen(s, NOW), places)) == []


def test_what_a_close_has_left_of_two_that_share_nothing_is_one_spread() -> None:
    """Found by simulation: of two condors that stood by halves one was closed. What stays is the upper call of one half
    and the lower one of the other; nothing is closed, and they bound each other."""
    other = PositionId("c2")
    far = at("C", 4100)
    lots = {"m1": (PUTS[0], 1), "m2": (far, 1), "m3": (PUTS[1], -1), "m4": (CALLS[0], -1)}
    book = folded()
    for id, (holding, sign) in lots.items():
        order = BrokerOrderId(f"o-{id}")
        lot = j.LotFound(
            position=PositionId(id),
            holding=holding,
            sign=sign,
            standing=Standing.ADOPTED,
            strategy="bot",
            order=order,
        )
        made = fill(f"x-{id}", order, Side.BUY if sign > 0 else Side.SELL, 1, "2.00", holding=holding)
        told(
            book,
            lot,
            j.FillBooked(fill=made, allocations=(j.Allocation(position=PositionId(id), quantity=D(1), opens=True),)),
        )
    for name, ids in ((CONDOR, ("m1", "m2")), (other, ("m3", "m4"))):
        tied = tuple(j.LegFormed(position=PositionId(id), ratio=lots[id][1]) for id in ids)
        told(
            book,
            j.StructureFormed(
                structure=name, legs=tied, units=D(1), strategy="bot", standing=Standing.ADOPTED, by="policy"
            ),
        )
    for id in ("m1", "m3"):
        holding, sign = lots[id]
        made = fill(f"y-{id}", f"z-{id}", Side.SELL if sign > 0 else Side.BUY, 1, "2.00", holding=holding)
        told(book, *book_fill(book, ruled(SPREADS), made))
    now = NOW + timedelta(minutes=1)
    for seconds in range(5):
        sights = {holding: quoted("2.00", "2.10", at=now) for holding, _ in lots.values()}
        s = situation(book, policy=SPREADS, sights=sights, now=now + timedelta(seconds=seconds))
        facts = decide(s, [*book.holdings()]).facts
        assert not of(j.CloseRequested, facts)
        told(book, *facts, at=s.now)

    (left,) = book.state.structures.values()
    assert {leg.holding: leg.ratio for leg in left.legs} == {far: 1, CALLS[0]: -1}
