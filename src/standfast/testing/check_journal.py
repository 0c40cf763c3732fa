"""What every store must keep, checked against a real one.

Each check gets a fresh store and uses it as a guard and an operator would. Run them all with `check_journal`,
or one by one over `CHECKS` to have each named in a test report. They need nothing but the ports.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Protocol

from standfast.model.errors import LeaseLost
from standfast.model.ids import (
    AccountId,
    BrokerOrderId,
    ClientOrderId,
    EntryNumber,
    Holding,
    InstrumentId,
    PositionId,
    RequestId,
)
from standfast.model.journal import (
    Fact,
    ForeignAcknowledged,
    NakedBegan,
    OrderAccepted,
    OrderInDoubt,
    OrderIntended,
    OrderNeverArrived,
    OrderObserved,
    PositionSettled,
    RequestDone,
    RequestTaken,
    SessionSeen,
)
from standfast.model.order import OrderReport, OrderState, OrderType, Role, Side, Terms, TimeInForce
from standfast.model.position import CloseReason
from standfast.ports import Request, Store

A = AccountId("a")
B = AccountId("b")
NONE = EntryNumber(0)
START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
LATER = START + timedelta(minutes=5)
"""Long after any lease that was not renewed."""
NOBODY: PositionId = None  # type: ignore[assignment] # what a bug would put there
SPY = Holding(InstrumentId("SPY"))


class Outcome(Protocol):
    @property
    def ok(self) -> bool: ...

    @property
    def detail(self) -> str: ...


class LedgerStore(Store, Protocol):
    """A store that also takes operators' acts."""

    async def put_request(self, request: Request) -> None: ...

    async def request_outcome(self, request: RequestId) -> Outcome | None: ...


Check = Callable[[LedgerStore], Awaitable[None]]


@dataclass(frozen=True)
class SampleState:
    """A folded state with everything a book may hold."""

    net: dict[Holding, Decimal] = field(default_factory=dict)
    terms: dict[str, Terms] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    at: datetime | None = None


async def check_journal(open_store: Callable[[], Awaitable[LedgerStore]]) -> None:
    """Every check, each on a store of its own. Raises AssertionError at the first promise that is not kept."""
    for check in CHECKS:
        store = await open_store()
        try:
            await check(store)
        finally:
            await store.close()


async def appended_facts_are_read_back_in_their_order(store: LedgerStore) -> None:
    journal = await store.acquire(A, "one", START)
    first = await journal.append([naked("p1"), foreign("1.50")], START)
    second = await journal.append([naked("p2")], LATER)

    read = await store.entries(A, NONE)

    assert read == [*first, *second]
    assert [entry.number for entry in read] == [1, 2, 3]
    assert [entry.fact for entry in read] == [naked("p1"), foreign("1.50"), naked("p2")]
    assert [entry.at for entry in read] == [START, START, LATER]
    exact = read[1].fact
    assert isinstance(exact, ForeignAcknowledged)
    assert str(exact.quantity) == "1.50"
    assert len({entry.hash for entry in read}) == 3
    assert journal.head == 3
    assert [entry.number for entry in await store.entries(A, EntryNumber(2))] == [3]


async def appending_nothing_writes_nothing(store: LedgerStore) -> None:
    journal = await store.acquire(A, "one", START)

    assert list(await journal.append([], START)) == []
    assert journal.head == 0


async def times_are_kept_as_moments_whatever_their_zone(store: LedgerStore) -> None:
    new_york = timezone(timedelta(hours=-5))
    fact = SessionSeen(is_open=True, next_open=START.astimezone(new_york), next_close=LATER.astimezone(new_york))
    journal = await store.acquire(A, "one", START)
    await journal.append([fact], START.astimezone(new_york))

    (entry,) = await store.entries(A, NONE)

    assert entry.fact == fact
    assert entry.at == START
    assert entry.at.utcoffset() == timedelta(0)


async def a_time_without_a_zone_is_refused(store: LedgerStore) -> None:
    journal = await store.acquire(A, "one", START)

    await refused(ValueError, journal.append([naked("p")], START.replace(tzinfo=None)))
    assert journal.head == 0


async def a_fact_that_could_not_be_read_back_is_refused(store: LedgerStore) -> None:
    journal = await store.acquire(A, "one", START)

    await refused(TypeError, journal.append([naked("p"), NakedBegan(position=NOBODY)], START))
    assert await store.entries(A, NONE) == []


async def accounts_have_journals_of_their_own(store: LedgerStore) -> None:
    one, two = await store.acquire(A, "one", START), await store.acquire(B, "two", START)
    await one.append([naked("p")], START)
    await two.append([naked("p")], START)
    await one.append([naked("q")], START)

    assert (one.head, two.head) == (2, 1)
    hashes = [entry.hash for account in (A, B) for entry in await store.entries(account, NONE)]
    assert len(set(hashes)) == 3


async def a_living_holder_keeps_the_lease_and_is_named(store: LedgerStore) -> None:
    await store.acquire(A, "host/1/2", START)

    error = await refused(LeaseLost, store.acquire(A, "host/3/4", START + timedelta(seconds=14)))
    assert "process 1 on host" in str(error)


async def a_lease_that_ran_out_is_taken_over_and_its_holder_refused(store: LedgerStore) -> None:
    old = await store.acquire(A, "old", START)
    await old.append([naked("p1")], START)
    new = await store.acquire(A, "new", LATER)

    await refused(LeaseLost, old.append([naked("p2")], LATER))
    await refused(LeaseLost, old.renew(LATER))
    await refused(LeaseLost, old.save_book(EntryNumber(1), SampleState()))
    await refused(LeaseLost, old.finish_request(RequestId("r"), True, ""))  # noqa: FBT003 - the port's
    await old.release()  # changes nothing: it is not his to give back

    (entry,) = await new.append([naked("p3")], LATER)
    assert (entry.number, entry.epoch) == (2, 2)


async def a_renewed_lease_lasts(store: LedgerStore) -> None:
    journal = await store.acquire(A, "old", START)
    await journal.renew(START + timedelta(seconds=10))

    await refused(LeaseLost, store.acquire(A, "new", START + timedelta(seconds=20)))


async def a_released_lease_is_free_at_once_and_ends_its_journal(store: LedgerStore) -> None:
    old = await store.acquire(A, "old", START)
    await old.release()
    await refused(LeaseLost, old.append([naked("p")], START))

    new = await store.acquire(A, "new", START)

    await refused(LeaseLost, old.append([naked("p")], START))
    await new.append([naked("p")], START)
    assert new.head == 1


async def the_newest_saved_book_is_returned_whole(store: LedgerStore) -> None:
    journal = await store.acquire(A, "one", START)
    await journal.append([naked(f"p{n}") for n in range(4)], START)
    assert await store.book(A, SampleState) is None

    state = sample_state()
    for number in (1, 2, 3):
        await journal.save_book(EntryNumber(number), SampleState())
    await journal.save_book(EntryNumber(4), state)
    state.seen.clear()  # what was saved is saved

    assert await store.book(A, SampleState) == (4, sample_state())
    assert await store.book(B, SampleState) is None


async def a_book_of_another_shape_is_not_returned(store: LedgerStore) -> None:
    @dataclass(frozen=True)
    class Other:
        net: dict[Holding, Decimal]

    journal = await store.acquire(A, "one", START)
    await journal.append([naked("p")], START)
    await journal.save_book(EntryNumber(1), Other({SPY: Decimal(1)}))

    assert await store.book(A, SampleState) is None


async def a_request_needs_no_lease_and_waits_until_it_is_taken(store: LedgerStore) -> None:
    await store.put_request(request("r1"))
    await store.put_request(request("r2"))
    await store.put_request(request("r1"))  # the same act
    journal = await store.acquire(A, "one", START)
    other = await store.acquire(B, "two", START)

    assert [waiting.id for waiting in await journal.requests()] == ["r1", "r2"]
    assert (await journal.requests())[0] == request("r1")
    assert list(await other.requests()) == []

    taken = RequestTaken(request=RequestId("r1"), verb="close", arguments={"id": "p1"}, by="me")
    await journal.append([taken], START)

    assert [waiting.id for waiting in await journal.requests()] == ["r2"]
    assert await store.request_outcome(RequestId("r1")) is None


async def a_finished_request_has_its_first_outcome(store: LedgerStore) -> None:
    for name in ("r1", "r2"):
        await store.put_request(request(name))
    journal = await store.acquire(A, "one", START)
    await journal.append([RequestDone(request=RequestId("r1"), ok=True, detail="flat")], START)
    await journal.finish_request(RequestId("r1"), False, "too late")  # noqa: FBT003 - the port's
    await journal.finish_request(RequestId("r2"), False, "unknown id")  # noqa: FBT003 - the port's

    first = await store.request_outcome(RequestId("r1"))
    second = await store.request_outcome(RequestId("r2"))

    assert first is not None
    assert (first.ok, first.detail) == (True, "flat")
    assert second is not None
    assert (second.ok, second.detail) == (False, "unknown id")
    assert list(await journal.requests()) == []


async def a_second_unsettled_intent_is_refused_and_the_first_may_be_repeated(store: LedgerStore) -> None:
    journal = await store.acquire(A, "one", START)
    await journal.append([intent("i1"), OrderInDoubt(id=ClientOrderId("i1"), reason="timeout")], START)
    await journal.append([intent("i1")], START)

    await refused(AssertionError, journal.append([naked("p"), intent("i2")], START))
    await journal.append([intent("i3", role=Role.CLOSE)], START)

    assert journal.head == 4
    assert [entry.number for entry in await store.entries(A, NONE)] == [1, 2, 3, 4]


async def an_outcome_frees_the_place_for_the_next_intent(store: LedgerStore) -> None:
    journal = await store.acquire(A, "one", START)
    outcomes: Sequence[Fact] = (
        OrderAccepted(id=ClientOrderId("i0"), broker_id=BrokerOrderId("b")),
        OrderNeverArrived(id=ClientOrderId("i1"), reason="looked up"),
        PositionSettled(position=PositionId("p"), reason=CloseReason.STOP_LOSS, proof="fills"),
        OrderObserved(report=seen("i3")),
        OrderObserved(report=replace(seen("its parent"), legs=(seen("i4"),))),  # as what replaced a leg is seen
    )
    for number, outcome in enumerate(outcomes):
        await journal.append([intent(f"i{number}")], START)
        await journal.append([outcome], START)
    await journal.append([intent("i9")], START)

    assert journal.head == 11


CHECKS: tuple[Check, ...] = (
    appended_facts_are_read_back_in_their_order,
    appending_nothing_writes_nothing,
    times_are_kept_as_moments_whatever_their_zone,
    a_time_without_a_zone_is_refused,
    a_fact_that_could_not_be_read_back_is_refused,
    accounts_have_journals_of_their_own,
    a_living_holder_keeps_the_lease_and_is_named,
    a_lease_that_ran_out_is_taken_over_and_its_holder_refused,
    a_renewed_lease_lasts,
    a_released_lease_is_free_at_once_and_ends_its_journal,
    the_newest_saved_book_is_returned_whole,
    a_book_of_another_shape_is_not_returned,
    a_request_needs_no_lease_and_waits_until_it_is_taken,
    a_finished_request_has_its_first_outcome,
    a_second_unsettled_intent_is_refused_and_the_first_may_be_repeated,
    an_outcome_frees_the_place_for_the_next_intent,
)


async def refused(kind: type[BaseException], act: Awaitable[object]) -> BaseException:
    """The error the act must raise."""
    try:
        await act
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def naked(position: str) -> NakedBegan:
    return NakedBegan(position=PositionId(position))


def foreign(quantity: str) -> ForeignAcknowledged:
    return ForeignAcknowledged(holding=SPY, quantity=Decimal(quantity), by="operator")


def seen(name: str) -> OrderReport:
    return OrderReport(
        broker_id=BrokerOrderId(f"broker's {name}"),
        client_id=ClientOrderId(name),
        holding=SPY,
        side=Side.SELL,
        type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        quantity=Decimal(1),
        filled=Decimal(0),
        state=OrderState.WORKING,
    )


def intent(name: str, role: Role = Role.STOP) -> OrderIntended:
    return OrderIntended(
        id=ClientOrderId(name),
        position=PositionId("p"),
        role=role,
        holding=SPY,
        terms=terms(),
        attempt=1,
        reason="uncovered",
    )


def terms() -> Terms:
    return Terms(
        side=Side.SELL,
        quantity=Decimal(10),
        type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_price=Decimal("412.30"),
        reduces=True,
    )


def request(name: str) -> Request:
    return Request(id=RequestId(name), account=A, verb="close", arguments={"id": "p1"}, by="me", at=START)


def sample_state() -> SampleState:
    return SampleState(
        net={SPY: Decimal("1.50"), Holding(InstrumentId("BTC/USDT:USDT"), "long"): Decimal("-0.001")},
        terms={"i1": terms()},
        seen={"e1", "e2"},
        at=START,
    )
