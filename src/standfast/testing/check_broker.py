"""The conformance kit of `ports.Broker`: one adapter, one account it may trade in, every promise of the port.

Give it an account that is flat in the instrument, an open session and a two-sided quote. It buys and sells
`quantity` for real (on a simulated or paper account), leaves the account flat, and raises AssertionError where a
promise is broken. Each check stands alone; `check_broker` runs them all.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count

from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Rejected
from standfast.model.evidence import ActivitiesRead
from standfast.model.ids import AccountId, BrokerOrderId, ClientOrderId, Holding, PositionId, client_order_id
from standfast.model.order import OrderReport, OrderState, OrderType, Side, Terms, TimeInForce
from standfast.ports import Broker, BrokerEvent, Clock, OrderEvent, StreamUp

UNKNOWN_ID = BrokerOrderId("00000000-0000-4000-8000-000000000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """An adapter and what it may do. `run` keeps the ids of two runs apart."""

    broker: Broker
    clock: Clock
    holding: Holding
    quantity: Decimal = Decimal(2)
    run: str = "kit"
    within: float = 10.0
    """Seconds the broker may take until what it did is visible."""

    async def until(self, is_so: Callable[[], Awaitable[bool]], what: str) -> None:
        """Ask until it is so; a broker may be late, never for ever."""
        deadline = self.clock.monotonic() + self.within
        while not await is_so():
            assert self.clock.monotonic() < deadline, f"not within {self.within:g} s: {what}"
            await self.clock.sleep(0.05)

    async def net(self) -> Decimal:
        held = (await self.broker.positions()).rows.get(self.holding)
        return Decimal(0) if held is None else held.quantity

    async def buy(self, client_id: ClientOrderId) -> OrderReport:
        return await self._at_market(client_id, Side.BUY)

    async def sell(self, client_id: ClientOrderId) -> OrderReport:
        return await self._at_market(client_id, Side.SELL)

    async def resting(self, client_id: ClientOrderId, *, share: str = "0.5") -> OrderReport:
        """A limit order to buy, far below the market."""
        return await self.broker.submit(client_id, self.holding, await self.far_below(share), Turn(Urgency.OPEN))

    async def far_below(self, share: str = "0.5") -> Terms:
        quote = (await self.broker.quotes([self.holding]))[self.holding]
        instrument = await self.broker.instrument(self.holding.instrument)
        return Terms(
            side=Side.BUY,
            quantity=self.quantity,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            limit_price=instrument.round_down(quote.bid * Decimal(share)),
            reduces=False,
        )

    async def protective(self, *, target: bool) -> Terms:
        """A stop far below what is held, as a pair with a target far above where asked for."""
        quote = (await self.broker.quotes([self.holding]))[self.holding]
        instrument = await self.broker.instrument(self.holding.instrument)
        return Terms(
            side=Side.SELL,
            quantity=self.quantity,
            type=OrderType.STOP,
            time_in_force=TimeInForce.GTC,
            stop_price=instrument.round_down(quote.bid * Decimal("0.5")),
            target_price=instrument.round_up(quote.ask * 2) if target else None,
            reduces=True,
        )

    async def finished(self, report: OrderReport) -> OrderReport:
        found = report

        async def is_finished() -> bool:
            nonlocal found
            again = await self.broker.order(broker_id=report.broker_id)
            assert again is not None, f"{report.broker_id} was accepted and is now unknown"
            found = again
            return again.is_finished

        await self.until(is_finished, f"order {report.broker_id} finished")
        return found

    async def _at_market(self, client_id: ClientOrderId, side: Side) -> OrderReport:
        terms = Terms(
            side=side,
            quantity=self.quantity,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            reduces=side is Side.SELL,
        )
        return await self.broker.submit(client_id, self.holding, terms, Turn(Urgency.OPEN))


async def check_broker(bench: Bench) -> None:
    """Every check, one after the other."""
    for check in CHECKS:
        await check(replace(bench, run=f"{bench.run}-{check.__name__}"))


async def check_facts(bench: Bench) -> None:
    """Instrument, account, clock and quote are there and sane."""
    instrument = await bench.broker.instrument(bench.holding.instrument)
    assert instrument.id == bench.holding.instrument
    assert instrument is await bench.broker.instrument(bench.holding.instrument), "an instrument is cached"
    account = await bench.broker.account()
    assert account.equity > 0
    assert not account.blocked, account.reason
    market = await bench.broker.clock()
    assert market.is_open, "the kit needs an open session"
    assert market.at.tzinfo is not None
    assert market.next_close > market.at
    quote = (await bench.broker.quotes([bench.holding]))[bench.holding]
    assert quote.is_two_sided, quote


async def check_unknown_orders(bench: Bench) -> None:
    """What the broker does not know is None, and cannot be cancelled."""
    assert await bench.broker.order(broker_id=UNKNOWN_ID) is None
    assert await bench.broker.order(client_id=_id(bench, 0)) is None
    refusal = await _refused(bench.broker.cancel(UNKNOWN_ID, Turn(Urgency.CLOSE)))
    assert refusal.kind in {"not_found", "not_cancellable"}, refusal.kind


async def check_life_of_an_order(bench: Bench) -> None:
    """Submitted, found under both ids, listed as working, refused twice, cancelled, cancelled no more."""
    mine = _id(bench, 1)
    before = await bench.broker.working_orders()
    placed = await bench.resting(mine)
    assert placed.client_id == mine
    for found in (
        await bench.broker.order(broker_id=placed.broker_id),
        await bench.broker.order(client_id=mine),
    ):
        assert found is not None
        assert (found.broker_id, found.quantity, found.side) == (placed.broker_id, bench.quantity, Side.BUY)
        assert not found.is_finished
    listed = await bench.broker.working_orders()
    assert placed.broker_id in listed.orders
    assert placed.broker_id in listed.changed
    assert listed.began <= listed.ended
    if bench.broker.contract.unique_ids:
        assert (await _refused(bench.resting(mine))).kind == "duplicate_id"
    await bench.broker.cancel(placed.broker_id, Turn(Urgency.CLOSE))
    assert (await bench.finished(placed)).state is OrderState.CANCELLED
    again = await _refused(bench.broker.cancel(placed.broker_id, Turn(Urgency.CLOSE)))
    assert again.kind in {"not_cancellable", "not_found"}, again.kind
    after = await bench.broker.working_orders()
    assert placed.broker_id in after.changed, "a vanished order has changed"
    assert after.orders.keys() == before.orders.keys()


async def check_replace(bench: Bench) -> None:
    """A replace makes a new order under the new id, and the old one says by which it was replaced."""
    if not bench.broker.contract.native_replace:
        return
    placed = await bench.resting(_id(bench, 1))
    terms = await bench.far_below("0.4")

    async def is_working() -> bool:
        found = await bench.broker.order(broker_id=placed.broker_id)
        return found is not None and found.state is OrderState.WORKING

    await bench.until(is_working, "the order may be replaced")
    new = await bench.broker.replace(placed.broker_id, _id(bench, 2), terms, Turn(Urgency.PROTECT))
    assert new.client_id == _id(bench, 2)
    old = await bench.finished(placed)
    assert (old.state, old.replaced_by) == (OrderState.REPLACED, new.broker_id)
    assert new.limit_price == terms.limit_price
    await bench.broker.cancel(new.broker_id, Turn(Urgency.CLOSE))
    await bench.finished(new)


async def check_fills_and_positions(bench: Bench) -> None:
    """What is bought is held, what is sold is gone, and each fill is told once after a watermark, again from it."""
    start = (await bench.broker.activities("")).watermark
    assert await bench.net() == 0, "the kit needs a flat account"
    quiet = await bench.broker.positions()
    bought = await bench.finished(await bench.buy(_id(bench, 1)))
    assert (bought.state, bought.filled) == (OrderState.FILLED, bench.quantity)
    await bench.until(lambda: _is_net(bench, bench.quantity), "the position is shown")
    held = await bench.broker.positions()
    still = await bench.broker.positions()
    assert still.changed == frozenset()
    assert still.rows is held.rows or still.rows == held.rows
    assert bench.holding not in quiet.rows, "a list once given is never altered"
    sold = await bench.finished(await bench.sell(_id(bench, 2)))
    await bench.until(lambda: _is_net(bench, Decimal(0)), "the position is gone")
    first = await _fills(bench, start, {bought.broker_id, sold.broker_id})
    assert sum(fill.signed for fill in first.fills) + sum(each.quantity * each.side.sign for each in first.totals) == 0
    assert len({fill.execution_id for fill in first.fills}) == len(first.fills)
    assert len({total.broker_order_id for total in first.totals}) == len(first.totals)
    again = await bench.broker.activities(first.watermark)
    assert again.fills == (), "nothing is told twice"
    assert again.totals == first.totals, "but totals, which are told as long as their orders are"
    assert set(first.fills) <= set((await bench.broker.activities(start)).fills), "and nothing is lost"


async def check_protection(bench: Bench) -> None:
    """A stop rests; where pairs exist, one end of the pair is the stop; where quantity is reserved, a close says so."""
    contract = bench.broker.contract
    await bench.finished(await bench.buy(_id(bench, 1)))
    await bench.until(lambda: _is_net(bench, bench.quantity), "the position is shown")
    terms = await bench.protective(target=contract.oco)
    placed = await bench.broker.submit(_id(bench, 2), bench.holding, terms, Turn(Urgency.PROTECT))
    found = await bench.broker.order(client_id=_id(bench, 2))
    assert found is not None
    stops = [each for each in (found, *found.legs) if each.stop_price == terms.stop_price]
    assert len(stops) == 1, found
    assert stops[0].type is OrderType.STOP
    assert stops[0].quantity == bench.quantity
    assert all(leg.parent_id == found.broker_id for leg in found.legs)
    if contract.reserves_quantity:
        await _check_held_back(bench, _id(bench, 3))
    await bench.broker.cancel(placed.broker_id, Turn(Urgency.CLOSE))
    await bench.finished(placed)
    await bench.finished(await bench.sell(_id(bench, 4)))
    await bench.until(lambda: _is_net(bench, Decimal(0)), "the position is gone")


async def check_events(bench: Bench) -> None:
    """The stream says that it is up, and then names an order to which something happened."""
    events = bench.broker.events()
    try:
        async with bench.clock.timeout(bench.within):
            assert await anext(events) == StreamUp()
            placed = await bench.resting(_id(bench, 1))
            event: BrokerEvent = await anext(events)
            while not (isinstance(event, OrderEvent) and event.broker_id == placed.broker_id):
                event = await anext(events)
        assert (event.client_id, event.holding) == (placed.client_id, bench.holding)
        await bench.broker.cancel(placed.broker_id, Turn(Urgency.CLOSE))
        await bench.finished(placed)
    finally:
        await events.aclose()  # type: ignore[attr-defined]  # the port promises an iterator; adapters write generators


CHECKS = (
    check_facts,
    check_unknown_orders,
    check_life_of_an_order,
    check_replace,
    check_fills_and_positions,
    check_protection,
    check_events,
)


def _id(bench: Bench, number: int) -> ClientOrderId:
    return client_order_id(AccountId("kit"), PositionId(bench.run), "open", number)


async def _is_net(bench: Bench, wanted: Decimal) -> bool:
    return await bench.net() == wanted


async def _refused(write: Awaitable[object]) -> Rejected:
    try:
        answer = await write
    except Rejected as refusal:
        return refusal
    raise AssertionError(f"it should have been refused: {answer}")


async def _check_held_back(bench: Bench, client_id: ClientOrderId) -> None:
    """A sale of what a resting exit reserves is refused, at once or after it was taken."""
    try:
        placed = await bench.sell(client_id)
    except Rejected as error:
        refusal: Rejected = error
    else:
        assert (await bench.finished(placed)).state is OrderState.REJECTED
        return
    assert refusal.kind == "held_quantity", refusal.kind


async def _fills(bench: Bench, watermark: str, orders: set[BrokerOrderId]) -> ActivitiesRead:
    """The read after `watermark` once it tells of fills of all these orders."""
    for attempt in count():
        read = await bench.broker.activities(watermark)
        told = [fill.broker_order_id for fill in read.fills] + [total.broker_order_id for total in read.totals]
        if orders <= set(told):
            return read
        assert attempt < 100, f"fills of {orders} are not told"
        await bench.clock.sleep(0.1)
    raise AssertionError("unreachable")
