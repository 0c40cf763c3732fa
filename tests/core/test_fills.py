"""Tests of `core/fills.py`: where each fill belongs, and what it earned."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.fills import book_fill
from standfast.core.policy import Foreign, Rules
from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, PositionId
from standfast.model.order import Fill, OrderState, OrderType, Role, Side
from standfast.model.position import CloseReason, Phase, Standing
from tests.core.booking import ADOPT, ALERT, IGNORE, LOT, booked, foreign_lot, net_of
from tests.core.situations import (
    BEGAN,
    NOW,
    SPY,
    D,
    P,
    adopted,
    after,
    closing_of,
    exit_intended,
    fill,
    folded,
    opening_of,
    position,
    report,
    resting_stop,
    the,
    told,
)


def parts(made: j.FillBooked) -> list[tuple[str | None, Decimal, bool]]:
    return [(part.position, part.quantity, part.opens) for part in made.allocations]


# --- whose it is --------------------------------------------------------------------------------


def test_a_fill_is_booked_once_however_often_it_is_reported() -> None:
    book = folded(*opening_of(10))
    first = fill("x1", "p1-open", Side.BUY, 10, 100)

    assert len(booked(book, [first, first, first])) == 1
    assert the(book).held == D(10)


def test_a_fill_from_before_we_began_is_not_ours_to_book() -> None:
    early = fill("x1", "theirs", Side.BUY, 10, 100, at=BEGAN - timedelta(seconds=1))

    assert list(book_fill(folded(), ALERT, early)) == []


def test_a_close_takes_from_its_own_position_before_older_ones() -> None:
    second = PositionId("p2")
    close = exit_intended(Role.CLOSE, 4, id=second)
    book = folded(*position(10), *position(4, id=second), close)
    told(book, j.OrderAccepted(id=close.id, broker_id=BrokerOrderId("b")))

    (made,) = booked(book, [fill("x", "b", Side.SELL, 4, 101)])

    assert parts(made) == [(second, D(4), False)]


def test_a_foreign_sale_takes_foreign_lots_then_acknowledged_then_ours_oldest_first() -> None:
    ours = [*position(10), adopted(3, id=PositionId("p2"))]
    book = folded(*ours, *foreign_lot(5), j.ForeignAcknowledged(holding=SPY, quantity=D(2), by="op"))

    (made,) = booked(book, [fill("x", "sale", Side.SELL, 19, 101)])

    assert parts(made) == [
        (LOT, D(5), False),
        (None, D(2), False),
        (P, D(10), False),
        (PositionId("p2"), D(2), False),
    ]
    assert net_of(book) == D(1)


def test_what_nobody_held_opens_a_foreign_lot_an_adopted_one_or_acknowledged_quantity() -> None:
    bought = fill("x", "theirs", Side.BUY, 5, 100)
    standings = {}
    for rules in (ALERT, ADOPT):
        book = folded()
        booked(book, [bought], rules)
        (lot,) = book.positions_at(SPY)
        standings[rules.foreign] = lot.standing
    ignored = folded()
    booked(ignored, [bought], IGNORE)

    assert standings == {Foreign.ALERT: Standing.FOREIGN, Foreign.ADOPT: Standing.ADOPTED}
    assert ignored.state.acknowledged == {SPY: D(5)}
    assert ignored.positions_at(SPY) == []


def test_what_an_order_of_ours_did_is_ours_whatever_is_done_with_foreign_quantity() -> None:
    """A stop that sold more than was left must not leave a short that nobody guards."""
    book = folded(*position(10), *resting_stop(10))
    booked(book, [fill("theirs", "sale", Side.SELL, 10, 99)])

    booked(book, [fill("ours", "p1-stop-1", Side.SELL, 10, 98)])

    (short,) = [p for p in book.positions_at(SPY) if p.sign < 0]
    assert (short.standing, short.net) == (Standing.ADOPTED, D(-10))


def test_an_order_that_buys_again_after_its_lot_closed_begins_another_position() -> None:
    book = folded()
    bought = [fill(f"b{n}", "theirs", Side.BUY, 5, 100, at=after(n)) for n in (1, 3)]
    booked(book, [bought[0], fill("s", "sale", Side.SELL, 5, 103, at=after(2))])
    (first,) = book.positions_at(SPY)
    told(book, j.PositionSettled(position=first.id, reason=CloseReason.BOT_EXIT, proof="fills"))

    booked(book, [bought[1]])

    (second,) = book.positions_at(SPY)
    assert second.id != first.id
    assert book.state.closed[first.id].pnl == D(15)


def test_a_bracket_leg_is_tied_to_what_its_parent_opened() -> None:
    leg = report("leg", side=Side.SELL, type=OrderType.STOP, stop="95", state=OrderState.HELD, order_class="bracket")
    parent = report("parent", side=Side.BUY, filled=10, state=OrderState.FILLED, legs=(leg,), order_class="bracket")
    book = folded(j.OrderObserved(report=parent))
    booked(book, [fill("x", "parent", Side.BUY, 10, 100)], ADOPT)
    (lot,) = book.positions_at(SPY)

    (made,) = booked(book, [fill("y", "leg", Side.SELL, 10, 95)], ADOPT)

    assert parts(made) == [(lot.id, D(10), False)]
    assert made.reason is CloseReason.BROKER_EXIT


def test_a_leg_tied_by_its_looks_to_an_older_position_goes_to_the_lot_its_parent_opens() -> None:
    """The list shows it alone, before the fill of its parent is read: left where it was, no close could free it."""
    leg = report("leg", side=Side.SELL, type=OrderType.STOP, stop="95", order_class="bracket")
    parent = report("parent", side=Side.BUY, filled=10, state=OrderState.FILLED, legs=(leg,), order_class="bracket")
    book = folded(*position(5), j.OrderObserved(report=leg, position=P), j.OrderObserved(report=parent))

    booked(book, [fill("x", "parent", Side.BUY, 10, 100)], ADOPT)

    older, lot = book.positions_at(SPY)
    assert [order.broker_id for order in book.orders_for(lot.id)] == ["parent", "leg"]
    assert "leg" not in [order.broker_id for order in book.orders_for(older.id)]


def test_a_bracket_leg_whose_parent_we_never_saw_is_still_the_brokers_exit() -> None:
    leg = report("leg", side=Side.SELL, filled=10, state=OrderState.FILLED, order_class="bracket", stop="95")
    book = folded(adopted(10), j.OrderObserved(report=leg))

    (made,) = booked(book, [fill("y", "leg", Side.SELL, 10, 95, at=after(60))])

    assert (parts(made), made.reason) == ([(P, D(10), False)], CloseReason.BROKER_EXIT)


def test_a_position_explained_by_fills_is_stopped_from_its_entry() -> None:
    """The anchor is for what was held before the account was guarded; this was bought under our eyes."""
    book = folded(adopted(10, 100, anchor="90"))

    booked(book, [fill("x", "o", Side.BUY, 10, 100, at=NOW)], ADOPT)

    assert (the(book).anchor, the(book).basis) == (None, D(100))


# --- why it closed ------------------------------------------------------------------------------


def test_the_reason_of_a_close_is_the_one_it_was_asked_for() -> None:
    close = exit_intended(Role.CLOSE, 10)
    book = folded(*position(10), closing_of(reason=CloseReason.FLAT_BY), close)
    told(book, j.OrderAccepted(id=close.id, broker_id=BrokerOrderId("b")))

    (made,) = booked(book, [fill("x", "b", Side.SELL, 10, 101)])

    assert made.reason is CloseReason.FLAT_BY


def test_of_an_oco_pair_the_parent_takes_profit_and_the_leg_stops_the_loss() -> None:
    reasons = {}
    for filled in ("oco", "leg"):
        meant = exit_intended(Role.STOP, 10, stop="98", target="110")
        leg = report("leg", type=OrderType.STOP, stop="98", state=OrderState.HELD)
        pair = report("oco", client=meant.id, type=OrderType.LIMIT, limit="110", legs=(leg,))
        book = folded(*position(10), meant, j.OrderObserved(report=pair, position=P, role=Role.STOP))
        (made,) = booked(book, [fill("x", filled, Side.SELL, 10, 100)])
        reasons[filled] = made.reason

    assert reasons == {"oco": CloseReason.TAKE_PROFIT, "leg": CloseReason.STOP_LOSS}


def test_a_target_filled_in_part_leaves_the_rest_open() -> None:
    target = exit_intended(Role.TARGET, 10, target="110")
    shown = report("b", client=target.id, type=OrderType.LIMIT, limit="110", filled=4)
    book = folded(*position(10), target, j.OrderObserved(report=shown, position=P, role=Role.TARGET))
    assert book.held(the(book)) == D(6)

    booked(book, [fill("x", "b", Side.SELL, 4, 110)])

    assert (the(book).held, book.held(the(book)), the(book).phase) == (D(6), D(6), Phase.OPEN)
    assert the(book).pnl == D(40)


# --- properties ---------------------------------------------------------------------------------

prices = st.decimals(min_value="1", max_value="500", places=2)
quantities = st.one_of(st.integers(1, 50).map(Decimal), st.decimals(min_value="0.001", max_value="20", places=3))
crowd = st.lists(
    st.tuples(st.sampled_from(Side), quantities, prices, st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=25
)


def made_of(rows: Sequence[tuple[Side, Decimal, Decimal, int, int]]) -> list[Fill]:
    """Fills in time order over some days, of a few orders."""
    day, fills = 0, []
    for number, (side, quantity, price, step, order) in enumerate(rows):
        day += step // 4
        at = NOW + timedelta(days=day, seconds=number)
        fills.append(fill(f"x{number}", f"{side}-{order}", side, quantity, price, at=at))
    return fills


def average_cost(fills: Sequence[Fill]) -> dict[str, Fraction]:
    """Realised profit by day, figured anew from the fills alone, in exact fractions."""
    quantity, cost = Fraction(0), Fraction(0)
    days: defaultdict[str, Fraction] = defaultdict(Fraction)
    for each in fills:
        signed, price = Fraction(each.signed), Fraction(each.price)
        if quantity * signed >= 0:
            cost = (cost * quantity + price * signed) / (quantity + signed)
            quantity += signed
            continue
        closed = min(abs(signed), abs(quantity)) * (1 if quantity > 0 else -1)
        days[f"{each.at:%F}"] += closed * (price - cost)
        left = quantity + signed
        if left * quantity < 0:
            cost = price
        quantity = left
    return dict(days)


@given(crowd, st.sampled_from([ALERT, ADOPT]))
def test_profit_by_day_and_in_total_is_that_of_the_same_fills_at_average_cost(
    rows: list[tuple[Side, Decimal, Decimal, int, int]], rules: Rules
) -> None:
    fills = made_of(rows)
    days: defaultdict[str, Decimal] = defaultdict(Decimal)
    book = folded()
    for each in booked(book, fills, rules):
        closing = [part for part in each.allocations if not part.opens]
        if closing:
            days[f"{each.fill.at:%F}"] += sum((part.realised for part in closing), D(0))

    expected = average_cost(fills)
    cents = {day: round(Fraction(amount), 9) for day, amount in days.items()}
    assert cents == {day: round(amount, 9) for day, amount in expected.items()}
    everything = [*book.state.positions.values(), *book.state.closed.values()]
    assert round(Fraction(sum((p.pnl for p in everything), D(0))), 9) == round(sum(expected.values(), Fraction(0)), 9)


@given(crowd, st.sampled_from([ALERT, ADOPT, IGNORE]), st.randoms(use_true_random=False))
def test_each_fill_counts_once_in_any_order_and_however_often_it_comes(
    rows: list[tuple[Side, Decimal, Decimal, int, int]], rules: Rules, random: object
) -> None:
    fills = made_of(rows)
    heard = [*fills, *fills[::2]]
    random.shuffle(heard)  # type: ignore[attr-defined]  # hypothesis' own Random
    book = folded()

    made = booked(book, heard, rules)

    assert sorted(fact.fill.execution_id for fact in made) == sorted(each.execution_id for each in fills)
    assert net_of(book) == sum((each.signed for each in fills), D(0))


@given(st.tuples(*[st.integers(0, 20)] * 4), st.integers(1, 90), st.booleans())
def test_the_parts_of_a_fill_add_up_to_it_and_take_no_more_than_was_there(
    holders: tuple[int, int, int, int],
    sold: int,
    ties: bool,  # noqa: FBT001  # drawn by hypothesis
) -> None:
    owned, found, lot, acknowledged = holders
    facts: list[j.Fact] = []
    facts += position(owned) if owned else []
    facts += [adopted(found, id=PositionId("p2"))] if found else []
    facts += foreign_lot(lot) if lot else []
    facts += [j.ForeignAcknowledged(holding=SPY, quantity=D(acknowledged), by="op")] if acknowledged else []
    book = folded(*facts)
    order = "sale"
    if ties and owned:
        close = exit_intended(Role.CLOSE, owned)
        told(book, close, j.OrderAccepted(id=close.id, broker_id=BrokerOrderId("close")))
        order = "close"

    (made,) = booked(book, [fill("x", order, Side.SELL, sold, 100, at=after(60))])

    assert sum((part.quantity for part in made.allocations), D(0)) == D(sold)
    assert all(p.held >= 0 for p in book.positions_at(SPY))
    assert net_of(book) == D(owned + found + lot + acknowledged - sold)
    if ties and owned:
        assert made.allocations[0].position == P


def test_an_opening_takes_off_what_has_come_to_be_held_the_other_way_and_opens_what_is_left() -> None:
    """The gate refuses an opening against a position; what is filled while it is on its way is netted by the broker."""
    book = folded(adopted(-5, id=PositionId("short")), *opening_of(10))

    (made,) = booked(book, [fill("x", "p1-open", Side.BUY, 10, 100, at=after(60))])

    assert parts(made) == [(PositionId("short"), D(5), False), (P, D(5), True)]
    assert [(p.id, p.held) for p in book.positions_at(SPY)] == [(PositionId("short"), D(0)), (P, D(5))]
    assert net_of(book) == D(5)
