"""The account's events wake, name the order they are about, and come back by themselves."""

import json
import random
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal

from standfast.brokers.shared.transport import TransportError
from standfast.brokers.shared.wire import STEADY_AFTER
from standfast.brokers.tradier.stream import LEFT, LEFT_FOR, TAKEN_AFTER, Pace
from standfast.model.effects import Turn, Urgency
from standfast.model.ids import BrokerOrderId, ClientOrderId
from standfast.model.order import OrderType, Side, Terms, TimeInForce
from standfast.ports import BrokerEvent, OrderEvent, StreamDown, StreamUp
from tests.brokers.clocks import ManualClock
from tests.brokers.tradier.replies import order_row
from tests.brokers.tradier.scripted import Script, Wire, broker, order, orders
from tests.brokers.tradier.served import SPY

SESSION = b'{"stream": {"url": "wss://elsewhere/v1", "sessionid": "c8638963"}}'
BUY = Terms(side=Side.BUY, quantity=Decimal(1), type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=False)


def event(id: int, status: str, **more: object) -> str:
    return json.dumps({"id": id, "event": "order", "status": status, "account": "VA1"} | more)


def script(*wires: Wire) -> Script:
    found = Script(wires=list(wires))
    found.tell("/v1/accounts/events/session", SESSION)
    return found


async def heard(found: Script, count: int, clock: ManualClock | None = None, *, listed: bool) -> list[BrokerEvent]:
    """So many events; `listed`: of an adapter that has read the orders before."""
    at = broker(found, clock or ManualClock(), stream_url="wss://stream")
    if listed:
        await at.working_orders()
    seen: list[BrokerEvent] = []
    async with aclosing(at.events()) as events:
        while len(seen) < count:
            seen.append(await anext(events))
    return seen


def with_orders(found: Script, *rows: dict[str, object]) -> Script:
    found.tell("/orders", orders(*rows))
    found.tell_pages("/orders?all", orders())
    return found


async def test_an_event_is_about_the_order_the_lists_have_told_of() -> None:
    wire = Wire(event(7, "open"), json.dumps({"event": "heartbeat", "status": "active"}), event(7, "filled"))
    found = with_orders(script(wire), order_row(id=7, tag="sfabcd-s7"))

    up, opened, filled = await heard(found, 3, listed=True)

    assert up == StreamUp()
    named = OrderEvent(holding=SPY, broker_id=BrokerOrderId("7"), client_id=ClientOrderId("sfabcd-s7"), event="new")
    assert (opened, filled) == (named, replace(named, event="fill"))
    assert "wss://stream/v1/accounts/events" in found.asked, "the address that is configured, not one that is told"
    assert json.loads(wire.sent[0]) == {"events": ["order"], "sessionid": "c8638963", "excludeAccounts": []}


async def test_the_head_of_a_pair_is_the_pair_and_its_other_leg_itself() -> None:
    pair = {
        "id": 88, "status": "open", "class": "oco", "tag": "sfabcd-s8",
        "leg": [order_row(id=5, type="limit", price=620.5, stop_price=None, tag=None), order_row(id=6, tag=None)],
    }  # fmt: skip
    found = with_orders(script(Wire(event(5, "canceled"), event(6, "filled"))), pair)

    _, target, stop = await heard(found, 3, listed=True)

    assert isinstance(target, OrderEvent)
    assert isinstance(stop, OrderEvent)
    assert (target.broker_id, target.client_id, target.event) == ("88", "sfabcd-s8", "canceled")
    assert (stop.broker_id, stop.holding, stop.event) == ("6", SPY, "fill")


async def test_an_order_nobody_has_told_of_is_named_by_its_tag() -> None:
    found = script(Wire(event(9, "rejected", tag="sfabcd-o9")))

    _, told = await heard(found, 2, listed=False)

    assert isinstance(told, OrderEvent)
    assert (told.holding.instrument, told.client_id, told.event) == ("", "sfabcd-o9", "rejected")


async def test_an_order_in_doubt_is_asked_for_by_the_id_that_an_event_told_for_its_tag() -> None:
    """The list of orders may be minutes old; what it leaves out is there all the same."""
    found = with_orders(script(Wire(event(9, "open", tag="sfabcd-s9"))))
    found.tell("/orders/9", order(order_row(id=9, tag="sfabcd-s9")))
    at = broker(found, ManualClock(), stream_url="wss://stream")
    assert await at.order(client_id=ClientOrderId("sfabcd-s9")) is None

    async with aclosing(at.events()) as events:
        assert await anext(events) == StreamUp()
        await anext(events)
    report = await at.order(client_id=ClientOrderId("sfabcd-s9"))

    assert report is not None
    assert report.broker_id == "9"


async def test_what_was_sent_a_moment_ago_is_known() -> None:
    found = script(Wire(event(9, "filled")))
    found.tell("/orders", order({"id": 9, "status": "ok"}))
    at = broker(found, ManualClock(), stream_url="wss://stream")
    await at.submit(ClientOrderId("sfabcd-o9"), SPY, BUY, Turn(Urgency.OPEN))

    async with aclosing(at.events()) as events:
        assert await anext(events) == StreamUp()
        told = await anext(events)

    assert isinstance(told, OrderEvent)
    assert (told.holding, told.client_id) == (SPY, "sfabcd-o9")


async def test_another_accounts_orders_wake_nobody() -> None:
    wire = Wire(event(1, "filled", account="VB2"), event(2, "filled", account="6Y"), event(3, "filled"))

    seen = await heard(script(wire), 3, listed=False)

    assert [each.broker_id for each in seen if isinstance(each, OrderEvent)] == ["2", "3"]


class Hasty(ManualClock):
    """Does not wait between two attempts."""

    async def sleep(self, seconds: float) -> None:
        self._seconds += seconds


async def test_whatever_breaks_it_says_why_and_it_is_up_again() -> None:
    wires = (
        Wire(TransportError("reset by peer")),
        Wire("<html>"),
        Wire(json.dumps({"error": "Session not found"})),
        Wire(),
    )

    seen = await heard(script(*wires), 7, Hasty(), listed=False)

    assert [type(each) for each in seen] == [StreamUp, StreamDown] * 3 + [StreamUp]
    assert [each.reason.split(":")[0] for each in seen if isinstance(each, StreamDown)] == [
        "reset by peer",
        "account event",
        "account event",
    ]


async def test_a_session_that_somebody_else_takes_again_and_again_is_left_to_them() -> None:
    """The bot has one of the same token: whoever connects ends the other's, and its fills with it."""
    taken = [Wire(TransportError("the stream was closed (closed 1006)")) for _ in range(4)]
    clock = Hasty()

    seen = await heard(script(*taken, Wire()), 8, clock, listed=False)

    assert [type(each) for each in seen] == [StreamUp, StreamDown] * 4
    assert [isinstance(each, StreamDown) and "left to them" in each.reason for each in seen[1::2]] == [
        *(False, False),
        *(True, True),  # tried again after half an hour, and taken at once
    ]
    assert clock.monotonic() >= LEFT_FOR


async def test_a_line_that_breaks_after_it_was_steady_is_up_again_at_once() -> None:
    class Slow(Wire):
        async def receive(self) -> str | bytes | None:
            await clock.sleep(STEADY_AFTER)
            return await super().receive()

    clock = Hasty()
    broken = [Slow(TransportError("reset by peer")) for _ in range(5)]

    seen = await heard(script(*broken, Wire()), 11, clock, listed=False)

    assert seen[-1] == StreamUp()
    assert clock.monotonic() < LEFT_FOR


async def test_a_session_that_is_refused_is_said_once() -> None:
    found = Script()
    clock = Hasty()
    at = broker(found, clock, stream_url="wss://stream")
    async with aclosing(at.events()) as events:
        first = await anext(events)
        found.wires.append(Wire())
        found.tell("/v1/accounts/events/session", SESSION)
        assert isinstance(first, StreamDown)
        assert await anext(events) == StreamUp()


def test_a_failure_that_is_nobody_elses_doing_is_said_and_tried_again_as_usual() -> None:
    pace = Pace(random.Random(1))
    said = [pace.ended("closed", was_cut=True, lived=1) for _ in range(TAKEN_AFTER)]
    assert (said[-1], pace.wait()) == (LEFT, LEFT_FOR)

    assert pace.ended("no name resolves", was_cut=False, lived=0) == "no name resolves"
    assert pace.wait() < 60
    assert pace.ended("closed", was_cut=True, lived=1) == LEFT
