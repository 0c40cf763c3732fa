"""What waits for its turn under the broker's rate is asked once more whether it shall leave."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from standfast.core.book import Book
from standfast.exchange.orders import Side
from standfast.model.effects import CancelOrder, SubmitOrder, Urgency
from standfast.model.errors import OutcomeUnknown
from standfast.model.ids import BrokerOrderId
from standfast.model.journal import Fact, OrderIntended, OrderNotSent, OrderRejected
from standfast.model.order import Role
from standfast.runtime.ledger import Ledger
from standfast.runtime.sender import Sender
from standfast.sim.world import World, play
from tests.core.situations import SPY, exit_intended, folded, opening_of, own_id, position
from tests.sim.stories import START, STILL, STOP_ONLY, holding_own, is_flat, market, of_kind


def wait_for_turns(world: World, seconds: float) -> None:
    """From now on every order of the guard waits so long for its turn."""
    assert world.account is not None
    broker: Any = world.account.broker
    send = broker.submit

    async def submit(*order: Any, **turn: Any) -> object:
        await asyncio.sleep(seconds)
        return await send(*order, **turn)

    broker.submit = submit


def test_a_close_that_waited_while_the_bot_sold_is_withdrawn_and_sized_anew() -> None:
    async def story(world: World) -> None:
        position = await holding_own(world, 100)
        wait_for_turns(world, 20)
        await world.operate("close", position=position.id)
        await world.until(lambda: not world.working(), within=5, what="its stop is freed")
        await world.run_for(5)
        await world.submit(market(Side.SELL, 60))
        await world.until(lambda: is_flat(world), within=60, what="the rest is closed")
        entries = await world.entries()
        (withdrawn,) = [e.fact for e in of_kind(entries, OrderNotSent)]
        assert isinstance(withdrawn, OrderNotSent)
        assert withdrawn.withdrawn, withdrawn
        assert of_kind(entries, OrderRejected) == [], "nothing that was too much has left"

    play(story, STOP_ONLY, STILL, start=START)


# --- what is under way, and what goes on beside it ------------------------------------------------


class Silent:
    """A ledger whose broker answers no order until it is told to, and takes it that it is in doubt then."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.sent: list[str] = []
        self.recorded: list[Fact] = []
        self.answers = asyncio.Event()
        self.broker = SimpleNamespace(submit=self.submit, cancel=self.submit)

    async def submit(self, id: str, *_: object) -> object:
        self.sent.append(id)
        await self.answers.wait()
        raise OutcomeUnknown("no answer")

    async def record(self, facts: Sequence[Fact]) -> None:
        self.recorded += facts


@pytest.mark.parametrize("is_filled", [True, False])
def test_an_order_whose_fills_are_all_booked_keeps_nobody_waiting_for_its_answer(*, is_filled: bool) -> None:
    """Found by a drill: an entry was filled and not answered, and for five seconds no stop went out under it."""
    finished: list[object] = []
    entry = cast(OrderIntended, opening_of(10)[1])
    stop = exit_intended(Role.STOP, stop="98")

    async def main() -> None:
        ledger = Silent(folded(*opening_of(10)[:2]))
        tasks: list[asyncio.Task[None]] = []

        def spawn(work: Any, name: str) -> None:
            tasks.append(asyncio.get_running_loop().create_task(work, name=name))

        sender = Sender(cast(Ledger, ledger), spawn, finished.append, lambda intent: "")
        sender.put(SubmitOrder(intent=entry, urgency=Urgency.OPEN))
        await asyncio.sleep(0)
        assert sender.busy == {SPY}
        if is_filled:
            ledger.book = folded(*position(10))
        assert (SPY in sender.busy) is not is_filled
        sender.put(SubmitOrder(intent=stop, urgency=Urgency.PROTECT))
        await asyncio.sleep(0)
        assert ledger.sent == [own_id(Role.OPEN), stop.id][: 1 + is_filled]
        ledger.answers.set()
        await asyncio.wait(tasks)
        assert ledger.sent == [own_id(Role.OPEN), stop.id], "each once, whoever went first"
        assert len(ledger.recorded) == 2
        assert sender.busy == frozenset()

    asyncio.run(main())
    assert set(finished) == {SPY}


@pytest.mark.parametrize("is_filled", [True, False])
def test_the_answer_to_a_cancel_of_what_has_filled_is_waited_for_by_nobody(*, is_filled: bool) -> None:
    """Found by a drill: an entry filled while its cancel was on its way, and its close waited for that one's answer."""
    close = exit_intended(Role.CLOSE)

    async def main() -> None:
        ledger = Silent(folded(*opening_of(10)))
        tasks: list[asyncio.Task[None]] = []

        def spawn(work: Any, name: str) -> None:
            tasks.append(asyncio.get_running_loop().create_task(work, name=name))

        sender = Sender(cast(Ledger, ledger), spawn, lambda holding: None, lambda intent: "")
        sender.put(CancelOrder(broker_id=BrokerOrderId("p1-open"), holding=SPY, reason="withdrawn"))
        await asyncio.sleep(0)
        if is_filled:
            ledger.book = folded(*position(10))
        assert (SPY in sender.busy) is not is_filled
        sender.put(SubmitOrder(intent=close, urgency=Urgency.CLOSE))
        await asyncio.sleep(0)
        assert ledger.sent == ["p1-open", close.id][: 1 + is_filled]
        ledger.answers.set()
        await asyncio.wait(tasks)
        assert ledger.sent == ["p1-open", close.id]
        assert sender.busy == frozenset()

    asyncio.run(main())
