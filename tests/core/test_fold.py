"""Tests of `core/fold.py`: a book is a fold of its journal, and a saved one is only a shortcut."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.core import book as book_module
from standfast.core import fold_fills, said
from standfast.core.book import Book, BookState
from standfast.core.fills import book_fill
from standfast.core.fold import apply, fold
from standfast.core.folds import FOLD
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import (
    AlertId,
    BreakId,
    BrokerOrderId,
    EntryNumber,
    Holding,
    InstrumentId,
    PositionId,
    RequestId,
)
from standfast.model.order import Movement, MovementKind, OrderState, OrderType, Role, Side
from standfast.model.position import CloseReason, Standing, Trail
from standfast.stores.codec import decode_state, encode_state
from tests.core.situations import (
    ACCOUNT,
    NOW,
    SPY,
    D,
    P,
    adopted,
    after,
    began,
    closing_of,
    exit_intended,
    fill,
    folded,
    opening_of,
    own_id,
    position,
    report,
    resting_stop,
    ruled,
    the,
    told,
)


def reloaded(book: Book) -> Book:
    """The book as a restart finds it."""
    return Book(decode_state(BookState, encode_state(book.state)))


def everything_of(book: Book) -> dict[str, Any]:
    """All a book says: its state, and its indexes as far as they name something."""
    said: dict[str, Any] = {each.name: getattr(book.state, each.name) for each in fields(BookState)}
    said |= {
        "at holding": {h: list(ids) for h, ids in book.at_holding.items() if ids},
        "orders at": {h: sorted(ids) for h, ids in book.orders_at.items() if ids},
        "orders of": {p: list(ids) for p, ids in book.orders_of.items() if ids},
        "breaks on": {h: list(ids) for h, ids in book.breaks_on.items() if ids},
        "by broker": book.by_broker,
        "holdings": list(book.holdings()),
    }
    return said


# --- properties ---------------------------------------------------------------------------------


def happenings() -> dict[str, list[j.Fact]]:
    """Things that may happen to a book, in any order."""
    leg = report("leg", type=OrderType.STOP, stop="95", state=OrderState.HELD)
    parent = report("theirs", side=Side.BUY, filled=10, state=OrderState.FILLED, legs=(leg,))
    finding = Finding(kind=BreakKind.QUANTITY, holding=SPY, booked="1", reported="2")
    stop = exit_intended(Role.STOP, stop="98")
    return {
        "close": [closing_of()],
        "partial": [closing_of(remain=3)],
        "withdraw": [j.CloseWithdrawn(position=P, reason="undone")],
        "refuse": [
            j.OrderInDoubt(id=stop.id, reason=""),
            j.OrderMissing(id=stop.id),
            j.OrderNotSent(id=stop.id, reason=""),
        ],
        "never": [j.OrderMissing(id=stop.id), j.OrderNeverArrived(id=stop.id, reason="")],
        "reject": [j.OrderRejected(id=stop.id, reason="no", kind="price")],
        "accept": [j.OrderAccepted(id=stop.id, broker_id=BrokerOrderId("p1-stop-1"))],
        "cancelled": [
            j.OrderObserved(
                report=report("p1-stop-1", client=stop.id, type=OrderType.STOP, state=OrderState.CANCELLED),
                position=P,
                role=Role.STOP,
            )
        ],
        "cancel": [j.CancelIntended(broker_id=BrokerOrderId("p1-stop-1"), holding=SPY, reason="")],
        "theirs": [j.OrderObserved(report=parent)],
        "adopt": [adopted(4)],
        "standing": [j.StandingChanged(position=P, standing=Standing.ADOPTED, by="op")],
        "settle": [j.PositionSettled(position=P, reason=CloseReason.OPERATOR, proof="fills")],
        "write off": [j.PositionWrittenOff(position=P, reason=CloseReason.FOREIGN, by="op", detail="gone")],
        "reinstate": [j.PositionReinstated(position=P, by="op")],
        "split": [j.Rescaled(holding=SPY, ratio=D(2), movement="m")],
        "suspend": [j.PricesSuspended(holding=SPY, reason="?")],
        "resume": [j.PricesResumed(holding=SPY, reason="!")],
        "trail": [j.TrailMoved(position=P, trail=Trail(rung=0, peak=D("0.1"), stop=D(0)))],
        "bare": [j.ProtectionChosen(position=P, stop=None, target=None, bare=True, by="op")],
        "naked": [j.NakedBegan(position=P)],
        "covered": [j.NakedEnded(position=P)],
        "acknowledge": [j.ForeignAcknowledged(holding=SPY, quantity=D(5), by="op")],
        "break": [j.BreakSeen(id=BreakId("b"), finding=finding), j.BreakConfirmed(id=BreakId("b"))],
        "ended": [j.BreakEnded(id=BreakId("b"), by="agree")],
        "alert": [j.AlertRaised(id=AlertId("a"), severity=Severity.INFO, text="t", break_id=BreakId("b"))],
        "failed": [j.AlertFailed(id=AlertId("a"), reason="down"), j.AlertDelivered(id=AlertId("a"), channel="x")],
        "ack": [j.AlertAcknowledged(id=AlertId("a"), by="op")],
        "freeze": [j.Frozen(scope="", by="op")],
        "thaw": [j.Thawed(scope="", by="op")],
        "flatten": [j.FlattenRequested(request=RequestId("r"), everything=False, by="op")],
        "flat": [j.FlattenEnded(request=RequestId("r"), detail="flat")],
        "request": [j.RequestTaken(request=RequestId("q"), verb="close", arguments={"position": "p1"}, by="op")],
        "done": [j.RequestDone(request=RequestId("q"), ok=True, detail="")],
        "session": [j.SessionSeen(is_open=True, next_open=NOW, next_close=after(60))],
        "start": [j.GuardStarted(version="1", mode="repair")],
        "fee": [
            j.MovementBooked(
                movement=Movement(id="m", kind=MovementKind.FEE, broker_kind="FEE", holding=None, quantity=D(0), at=NOW)
            )
        ],
    }


HAPPENINGS = happenings()
steps = st.lists(
    st.one_of(
        st.sampled_from(sorted(HAPPENINGS)),
        st.tuples(
            st.sampled_from(["p1-stop-1", "p1-open", "theirs", "leg", "unknown"]),
            st.sampled_from(Side),
            st.integers(1, 8),
        ),
    ),
    max_size=20,
)


def facts_of(book: Book, number: int, step: str | tuple[str, Side, int]) -> Sequence[j.Fact]:
    if isinstance(step, str):
        return HAPPENINGS[step]
    order, side, quantity = step
    return list(book_fill(book, ruled(), fill(f"y{number}", order, side, quantity, 100 + number, at=after(number))))


@given(steps)
def test_a_book_saved_and_reloaded_equals_itself_and_goes_on_alike(steps: list[str | tuple[str, Side, int]]) -> None:
    kept = folded(*position(10), exit_intended(Role.STOP, stop="98"))
    other = reloaded(kept)
    for number, step in enumerate(steps):
        facts = facts_of(kept, number, step)
        told(kept, *facts, at=after(number))
        told(other, *facts, at=after(number))
        other = reloaded(other)
        assert everything_of(other) == everything_of(kept), step


@given(steps)
def test_equal_journals_give_equal_books(steps: list[str | tuple[str, Side, int]]) -> None:
    entries: list[j.Entry] = []
    book = Book.empty(ACCOUNT)
    for number, step in enumerate(["", *steps]):
        facts = facts_of(book, number, step) if step else [began(), *position(10), exit_intended(Role.STOP, stop="98")]
        for fact in facts:
            entries.append(j.Entry(EntryNumber(book.head + 1), 1, after(number), fact))
            apply(book, entries[-1])

    assert everything_of(fold(Book.empty(ACCOUNT), entries)) == everything_of(book)


# --- examples -----------------------------------------------------------------------------------


def test_every_kind_of_fact_has_a_fold() -> None:
    assert set(FOLD) == set(j.FACTS.values())


def test_entries_come_in_order_and_without_gaps() -> None:
    with pytest.raises(AssertionError):
        apply(folded(), j.Entry(EntryNumber(3), 1, NOW, closing_of()))


def test_an_older_read_cannot_undo_a_newer_one() -> None:
    book = folded(*position(10), *resting_stop(10))
    stop = own_id(Role.STOP)
    done = report("p1-stop-1", client=stop, type=OrderType.STOP, filled=10, state=OrderState.FILLED)
    older = report("p1-stop-1", client=stop, type=OrderType.STOP, filled=4)

    told(book, *(j.OrderObserved(report=each, position=P, role=Role.STOP) for each in (done, older)))

    order = book.state.orders[stop]
    assert (order.is_finished, order.filled) == (True, D(10))
    assert book.held(the(book)) == D(0)


def test_what_is_filled_beyond_doubt_counts_before_its_fills_arrive() -> None:
    shown = report("p1-open", client=own_id(Role.OPEN), side=Side.BUY, filled=6, average_price=D(101))
    book = folded(*opening_of(10), j.OrderObserved(report=shown, position=P, role=Role.OPEN))

    assert (book.held(the(book)), book.entry_price(the(book))) == (D(6), D(101))
    net = book.net(SPY)
    assert (net.low, net.high) == (D(6), D(10))


def test_what_an_opening_filled_against_what_is_held_the_other_way_is_not_held() -> None:
    """Its fill will close that first when it is booked: nothing may be protected meanwhile that is not there."""
    shown = report("p1-open", client=own_id(Role.OPEN), side=Side.BUY, filled=6, state=OrderState.FILLED)
    filled = [*opening_of(6), j.OrderObserved(report=shown, position=P, role=Role.OPEN)]
    for against, held in ((-9, D(0)), (-4, D(2)), (4, D(6))):
        theirs = j.ForeignAcknowledged(holding=SPY, quantity=D(against), by="policy")
        other = position(against, id=PositionId("p2"))
        for facts in ([theirs], other):
            book = folded(*facts, *filled)
            assert book.held(the(book)) == held
            assert book.net(SPY).low == book.net(SPY).high == against + 6


def test_a_split_rescales_quantities_and_prices_and_leaves_values_alone() -> None:
    facts: list[j.Fact] = [adopted(10, 100, anchor="90"), closing_of(remain=4)]
    facts += [j.ProtectionChosen(position=P, stop=D(95), target=D(130), bare=False, by="op")]
    book = folded(*facts, j.Rescaled(holding=SPY, ratio=D(4), movement="m"))

    held = the(book)
    assert (held.held, held.entry_price, held.anchor, held.stop, held.target) == (
        D(40),
        D(25),
        D("22.5"),
        D("23.75"),
        D("32.5"),
    )
    assert held.closing is not None
    assert (held.closing.remain, held.bare_adopted) == (D(16), D(40))
    assert (book.state.costs[SPY].quantity, book.state.costs[SPY].average) == (D(40), D(25))


def test_naked_time_adds_up_and_ends_with_the_position() -> None:
    book = folded(*position(10), j.NakedBegan(position=P))
    told(book, j.NakedEnded(position=P), at=after(3))
    told(book, j.NakedBegan(position=P), at=after(10))
    told(book, j.PositionSettled(position=P, reason=CloseReason.OPERATOR, proof="fills"), at=after(12))

    assert book.state.closed[P].naked_seconds == Decimal(5)


def test_a_write_off_and_its_undoing_leave_the_average_cost_as_it_was() -> None:
    book = folded(*position(10, 100), adopted(10, 120, id=j.PositionAdopted.__name__))  # type: ignore[arg-type]  # any id
    before = dict(book.state.costs)

    told(book, j.PositionWrittenOff(position=P, reason=CloseReason.FOREIGN, by="op", detail="gone"))
    told(book, j.PositionReinstated(position=P, by="op"))

    assert book.state.costs == before
    assert the(book).held == D(10)


def test_a_working_exit_outlives_its_position_in_the_book_and_goes_when_it_ends() -> None:
    book = folded(*position(10), *resting_stop(10))
    told(book, j.PositionSettled(position=P, reason=CloseReason.BOT_EXIT, proof="fills"))
    assert own_id(Role.STOP) in book.state.orders

    over = report("p1-stop-1", client=own_id(Role.STOP), type=OrderType.STOP, state=OrderState.CANCELLED)
    told(book, j.OrderObserved(report=over, position=P, role=Role.STOP))

    assert own_id(Role.STOP) not in book.state.orders
    assert book.state.retired[BrokerOrderId("p1-stop-1")] == P


def test_a_failed_close_counts_its_refusals_and_a_new_request_starts_anew() -> None:
    book = folded(*position(10), closing_of())
    for attempt in (1, 2):
        close = exit_intended(Role.CLOSE, 10, attempt=attempt)
        told(book, close, j.OrderRejected(id=close.id, reason="no"), at=after(attempt))
    closing = the(book).closing
    assert closing is not None
    assert (closing.refusals, closing.again_at) == (2, after(2) + timedelta(seconds=2))

    told(book, closing_of())
    again = the(book).closing
    assert again is not None
    assert (again.refusals, again.again_at) == (0, None)


def test_a_read_that_was_under_way_when_its_position_settled_brings_nothing_back() -> None:
    """Booked anew, with nothing executed, its fills would be asked for without end."""
    book = folded(*position(10), *resting_stop(10))
    sold = j.Allocation(position=P, quantity=D(10), opens=False)
    told(book, j.FillBooked(fill=fill("x", f"{P}-stop-1", Side.SELL, 10, 98), allocations=(sold,)))
    told(book, j.PositionSettled(position=P, reason=CloseReason.STOP_LOSS, proof="fills"))
    before = everything_of(book)["orders"]
    late = report(f"{P}-stop-1", client=own_id(Role.STOP), filled=10, state=OrderState.FILLED)

    told(book, j.OrderObserved(report=late, position=P, role=Role.STOP))

    assert everything_of(book)["orders"] == before == {}
    assert book.exceeding == set()


def test_a_clock_that_was_put_back_leaves_no_time_of_ours_in_the_future() -> None:
    """Else an order in doubt would wait for a day, and its position stay bare."""
    meant = exit_intended(Role.STOP, stop="98")
    tomorrow = NOW + timedelta(days=1)
    book = folded(*position(10), meant, j.OrderInDoubt(id=meant.id, reason="503"), closing_of(), at=tomorrow)
    told(book, j.GuardStarted(version="1", mode="repair"), j.NakedBegan(position=P), at=tomorrow)
    opened = the(book).opened_at

    told(book, j.OrderMissing(id=meant.id), at=NOW)

    order, held = book.state.orders[meant.id], the(book)
    assert max(order.intended_at, order.changed_at, order.missed_at or NOW) == NOW
    assert book.state.started_at == NOW
    assert held.naked_since == NOW
    assert held.closing is not None
    assert held.closing.at == NOW
    assert held.opened_at == opened, "the broker's own"
    assert set(book.state.moved_at.values()) == {NOW}


def test_orders_that_may_still_do_something_are_told_with_the_times_of_the_clock_that_was_put_back() -> None:
    meant = exit_intended(Role.STOP, stop="98")
    book = folded(*position(10), meant, at=NOW + timedelta(days=1))
    assert [order.id for order in book.alive.of(P)] == [meant.id]

    told(book, j.GuardStarted(version="1", mode="repair"), at=NOW)

    assert [order.intended_at for order in (*book.alive.of(P), *book.alive.at(the(book).holding))] == [NOW, NOW]


def test_what_a_book_remembers_is_bounded_however_long_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard runs for months: its start-up and its memory must not grow with them."""
    for name in ("CLOSED_KEPT", "HOLDINGS_KEPT", "RETIRED_KEPT"):
        monkeypatch.setattr(book_module, name, 5)
    for name in ("HOLDINGS_KEPT", "MOVEMENTS_KEPT", "LATELY_KEPT", "EXECUTIONS_KEPT", "TOTALS_KEPT"):
        monkeypatch.setattr(fold_fills, name, 5)
    monkeypatch.setattr(said, "HOLDINGS_KEPT", 5)
    book = folded()
    for number in range(40):
        id, holding = PositionId(f"p{number}"), Holding(InstrumentId(f"S{number}"))
        told(book, *position(10, id=id, holding=holding))
        told(book, *resting_stop(10, id=id, holding=holding))
        sold = j.Allocation(position=id, quantity=D(10), opens=False)
        exit_fill = fill(f"x{number}", f"{id}-stop-1", Side.SELL, 10, 98, holding=holding)
        told(book, j.FillBooked(fill=replace(exit_fill, filled_after=D(10)), allocations=(sold,)))
        told(book, j.PositionSettled(position=id, reason=CloseReason.STOP_LOSS, proof="fills"))
        row = Movement(
            id=f"m{number}", kind=MovementKind.FEE, broker_kind="FEE", holding=holding, quantity=D(0), at=NOW
        )
        told(book, j.MovementBooked(movement=row), j.Rescaled(holding=holding, ratio=D(2), movement=f"m{number}"))

    kept = {each.name: getattr(book.state, each.name) for each in fields(BookState)}
    sizes = {name: len(value) for name, value in kept.items() if isinstance(value, (dict, list))}
    assert {name: size for name, size in sizes.items() if size > 40} == {}
    assert {name: size for name, size in sizes.items() if size > 10 and name != "openings"} == {}
    assert book.next_attempt(PositionId("p39"), Role.STOP) == 2, "what may come back goes on counting"
