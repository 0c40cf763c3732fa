"""Tests of `core/average.py`: profit does not depend on the order in which fills are heard of."""

from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.book import Book
from standfast.core.fills import book_fill
from standfast.core.orders import opening
from standfast.core.policy import Rules
from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, Holding, InstrumentId, PositionId
from standfast.model.order import Fill, Role, Side
from tests.core.booking import ADOPT, ALERT, booked
from tests.core.situations import SPY, D, after, exit_intended, fill, folded, own_id, position, the, told
from tests.core.spreads import BOUGHT, SOLD
from tests.core.test_fills import average_cost, crowd, made_of


@given(crowd, st.sampled_from([ALERT, ADOPT]), st.randoms(use_true_random=False))
def test_profit_by_day_does_not_depend_on_the_order_in_which_fills_are_heard_of(
    rows: list[tuple[Side, Decimal, Decimal, int, int]], rules: Rules, random: object
) -> None:
    fills = made_of(rows)
    heard = list(fills)
    random.shuffle(heard)  # type: ignore[attr-defined]  # hypothesis' own Random
    book, days = folded(), defaultdict[str, Decimal](Decimal)
    for each in heard:
        facts = list(book_fill(book, rules, each))
        told(book, *facts)
        for fact in facts:
            if isinstance(fact, j.FillBooked):
                days[f"{fact.fill.at:%F}"] += sum((part.realised for part in fact.allocations), D(0))
            elif isinstance(fact, j.ProfitRestated):
                for correction in fact.corrections:
                    days[f"{correction.at:%F}"] += correction.realised

    expected = average_cost(fills)
    cents = {day: round(amount, 6) for day, amount in days.items() if round(amount, 6)}
    assert cents == {day: round(D(str(float(x))), 6) for day, x in expected.items() if round(D(str(float(x))), 6)}
    everything = [*book.state.positions.values(), *book.state.closed.values()]
    assert abs(sum((p.pnl for p in everything), D(0)) - sum(days.values(), D(0))) < D("0.000001")


def test_a_fill_heard_of_late_puts_the_profit_of_those_after_it_right() -> None:
    first, late, sale = (
        fill("x1", "a", Side.BUY, 10, 100, at=after(1)),
        fill("x2", "b", Side.BUY, 10, 110, at=after(2)),
        fill("x3", "c", Side.SELL, 10, 120, at=after(3)),
    )
    book = folded()
    booked(book, [first, sale], ADOPT)
    assert sum(p.pnl for p in book.state.positions.values()) == D(200)

    facts = list(book_fill(book, ADOPT, late))
    told(book, *facts)

    (restated,) = [fact for fact in facts if isinstance(fact, j.ProfitRestated)]
    assert [(each.execution, each.realised) for each in restated.corrections] == [("x3", D(-50))]
    assert sum(p.pnl for p in book.state.positions.values()) == D(150)
    assert book.state.costs[SPY].average == D(105)


def test_the_profit_of_an_option_is_in_account_currency_whatever_order_its_fills_are_heard_in() -> None:
    option = Holding(InstrumentId("SPXW260204P06885000"))
    late, sold = (
        fill("x1", "o1", Side.BUY, 1, "2.00", holding=option, at=after(1)),
        fill("x2", "o2", Side.SELL, 2, "2.50", holding=option, at=after(2)),
    )
    book = folded(*position(2, "1.00", holding=option))

    booked(book, [sold])
    assert the(book).pnl == D(300)
    booked(book, [late], ADOPT)

    pnl = sum((each.pnl for each in book.state.positions.values()), D(0))
    assert round(pnl, 6) == round(2 * 100 * (D("2.50") - D(4) / 3), 6)


# --- legs of structures ---------------------------------------------------------------------------

WHOLE, LEG, OTHER = PositionId("s1"), PositionId("l1"), PositionId("l2")


def leg_of_a_spread() -> Book:
    """Ten puts to be sold as one leg; orders that open and close them are known."""
    legs = ((LEG, SOLD, -1), (OTHER, BOUGHT, 1))
    asked = j.StructureRequested(
        structure=WHOLE,
        key="k",
        legs=tuple(j.LegAsked(position=id, holding=holding, ratio=ratio) for id, holding, ratio in legs),
        units=D(10),
        strategy="s",
    )
    opens = j.OrderIntended(
        id=own_id(Role.OPEN, 1, LEG),
        position=LEG,
        role=Role.OPEN,
        holding=SOLD,
        terms=opening(D(-10), None),
        attempt=1,
        reason="",
    )
    closes = exit_intended(Role.CLOSE, 10, id=LEG, holding=SOLD)
    opened, closed = (
        j.OrderAccepted(id=each.id, broker_id=BrokerOrderId(name)) for each, name in ((opens, "o"), (closes, "c"))
    )
    return folded(asked, opens, opened, closes, closed)


def leg_fill(number: int, order: str, quantity: int, price: str) -> Fill:
    side = Side.SELL if order == "o" else Side.BUY
    return fill(f"x{number}", BrokerOrderId(order), side, quantity, price, holding=SOLD, at=after(number))


def test_an_opening_fill_of_a_leg_heard_of_late_puts_the_profit_of_what_was_closed_right() -> None:
    """Three sold at 4 and one of them bought back at 3; two more, sold at 5 before that, are heard of after it."""
    book = leg_of_a_spread()
    booked(book, [leg_fill(1, "o", 3, "4"), leg_fill(3, "c", 1, "3")], ALERT)
    assert the(book, LEG).pnl == D(100)

    facts = list(book_fill(book, ALERT, leg_fill(2, "o", 2, "5")))
    told(book, *facts)

    (restated,) = (fact for fact in facts if isinstance(fact, j.ProfitRestated))
    assert [(each.position, each.at, each.realised) for each in restated.corrections] == [(LEG, after(3), D(40))]
    assert the(book, LEG).pnl == D(140)  # sold at 4.40 on the whole
    assert book.state.costs == {}
    booked(book, [leg_fill(4, "c", 4, "3")], ALERT)
    assert the(book, LEG).pnl == 100 * (12 + 10 - 3 - 12)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 900)), min_size=1, max_size=5), st.data())
def test_in_whatever_order_a_legs_fills_are_heard_of_it_has_earned_what_they_brought(
    sold: list[tuple[int, int]], data: st.DataObject
) -> None:
    book, number, held, brought = leg_of_a_spread(), 0, 0, D(0)
    waiting = [("o", quantity, D(cents) / 100) for quantity, cents in sold]
    while waiting or held:
        number += 1
        if waiting and (not held or data.draw(st.booleans())):
            order, quantity, price = waiting.pop()
        else:
            order, quantity, price = "c", data.draw(st.integers(1, held)), D(data.draw(st.integers(0, 900))) / 100
        sign = 1 if order == "o" else -1
        held, brought = held + sign * quantity, brought + sign * quantity * price * 100
        booked(book, [leg_fill(number, order, quantity, str(price))], ALERT)

    assert abs(the(book, LEG).pnl - brought) < D("0.000001")
