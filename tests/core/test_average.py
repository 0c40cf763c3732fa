"""Tests of `core/average.py`: profit does not depend on the order in which fills are heard of."""

from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.fills import book_fill
from standfast.core.policy import Rules
from standfast.model import journal as j
from standfast.model.ids import Holding, InstrumentId
from standfast.model.order import Side
from tests.core.situations import SPY, D, after, fill, folded, position, the, told
from tests.core.test_fills import ADOPT, ALERT, average_cost, booked, crowd, made_of


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
