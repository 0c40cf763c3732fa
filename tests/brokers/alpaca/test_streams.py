"""The streams come back by themselves, say when they were away, and never hang."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.brokers.alpaca.client import Access
from standfast.brokers.alpaca.quote_stream import QuoteStream
from standfast.brokers.alpaca.stream import OrderStream, Wire
from standfast.brokers.shared.transport import Exchange, Response, Socket, TransportError
from standfast.exchange.faults import Cut
from standfast.model.effects import Turn, Urgency
from standfast.model.ids import ClientOrderId, Holding
from standfast.model.order import OrderType, Side, Terms, TimeInForce
from standfast.model.quote import Quote
from standfast.model.secret import Secret
from standfast.ports import BrokerEvent, OrderEvent, StreamDown, StreamUp
from tests.brokers.clocks import PATIENCE, ManualClock, settle
from tests.brokers.served import AAPL, SPY, Desk, desk

BUY = Terms(side=Side.BUY, quantity=Decimal(1), type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=False)


@asynccontextmanager
async def events(at: Desk) -> AsyncIterator[AsyncIterator[BrokerEvent]]:
    async with aclosing(at.broker.events()) as found, asyncio.timeout(PATIENCE):
        yield found


async def until(found: AsyncIterator[BrokerEvent], wanted: type) -> BrokerEvent:
    event = await anext(found)
    while not isinstance(event, wanted):
        event = await anext(found)
    return event


@pytest.mark.parametrize("is_binary", [True, False], ids=["binary frames", "text frames"])
async def test_an_order_event_names_the_order_and_what_happened(*, is_binary: bool) -> None:
    async with desk(is_binary=is_binary) as at, events(at) as found:
        assert await anext(found) == StreamUp()
        report = await at.broker.submit(ClientOrderId("mine"), SPY, BUY, Turn(Urgency.OPEN))

        seen: list[OrderEvent] = []
        while not seen or seen[-1].event != "fill":
            event = await anext(found)
            assert isinstance(event, OrderEvent)
            seen.append(event)

        assert {(each.holding, each.broker_id, each.client_id) for each in seen} == {(SPY, report.broker_id, "mine")}


async def test_a_cut_stream_says_so_and_is_up_again_by_itself() -> None:
    async with desk() as at, events(at) as found:
        assert await anext(found) == StreamUp()
        at.fault("stream", Cut(), count=1)
        await at.broker.submit(ClientOrderId("mine"), SPY, BUY, Turn(Urgency.OPEN))

        assert isinstance(await until(found, StreamDown), StreamDown)
        assert await anext(found) == StreamUp()
        await at.broker.submit(ClientOrderId("next"), SPY, BUY, Turn(Urgency.OPEN))
        event = await until(found, OrderEvent)

        assert isinstance(event, OrderEvent)
        assert event.client_id == "next"


async def test_refused_keys_are_said_once_and_tried_again() -> None:
    async with desk(secret="wrong") as at, events(at) as found:
        down = await anext(found)

        assert isinstance(down, StreamDown)
        assert "keys" in down.reason
        assert "wrong" not in down.reason


async def test_quotes_follow_what_is_watched_at_once() -> None:
    async with desk() as at, asyncio.TaskGroup() as tasks, asyncio.timeout(PATIENCE):
        heard = Heard(at)
        listening = tasks.create_task(heard.listen())
        at.broker.watch(frozenset({SPY}))
        await heard.until(SPY, "601.00", "601.02")
        assert at.broker.quotes_down == ""
        assert {holding for holding, _ in heard.quotes} == {SPY}

        at.broker.watch(frozenset({AAPL}))
        await heard.until(AAPL, "251.00", "251.02")
        listening.cancel()


class Heard:
    """What the quote stream carried, while quotes are posted until it carries a certain one."""

    def __init__(self, at: Desk) -> None:
        self.at = at
        self.quotes: list[tuple[Holding, Quote]] = []
        self._came = asyncio.Event()

    async def listen(self) -> None:
        async with aclosing(self.at.broker.quote_events()) as found:
            async for received, ticks in found:
                self.quotes += [(Holding(tick.instrument), tick.quote(received)) for tick in ticks]
                self._came.set()

    async def until(self, wanted: Holding, bid: str, ask: str) -> None:
        while not any((holding, quote.bid) == (wanted, Decimal(bid)) for holding, quote in self.quotes):
            self.at.venue.advance(self.at.venue.now + timedelta(milliseconds=10))
            for holding in (SPY, AAPL):
                self.at.quote(holding, bid, ask)
            self._came.clear()
            try:
                async with asyncio.timeout(0.02):  # the subscription may not be there yet
                    await self._came.wait()
            except TimeoutError:
                continue


class Wall:
    """A socket that is fed by hand, and a transport that hands it out."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.sent: list[str] = []
        self.frames: list[str | bytes | TransportError | None] = []
        self.pings = 0
        self.connects = 0
        self.closed = 0
        self._fed = asyncio.Event()

    async def request(self, exchange: Exchange) -> Response:
        raise TransportError("not used")

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        self.connects += 1
        return self

    async def send(self, text: str) -> None:
        self.sent.append(text)
        message = json.loads(text)
        answers = {
            "authenticate": {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}},
            "listen": {"stream": "listening", "data": {"streams": ["trade_updates"]}},
            "auth": [{"T": "success", "msg": "authenticated"}],
        }
        if message["action"] in answers:
            self.say(answers[message["action"]])

    def say(self, message: object) -> None:
        self.feed(json.dumps(message).encode())

    def feed(self, frame: str | bytes | TransportError | None) -> None:
        self.frames.append(frame)
        self._fed.set()

    async def receive(self) -> str | bytes | None:
        while not self.frames:
            self._fed.clear()
            await self._fed.wait()
        frame = self.frames.pop(0)
        if isinstance(frame, TransportError):
            raise frame
        return frame

    async def ping(self) -> None:
        self.pings += 1

    async def close(self) -> None:
        self.closed += 1


def wire(wall: Wall) -> Wire:
    access = Access(key_id=Secret("k"), secret=Secret("s"), rest_url="", data_url="")
    return Wire(access=access, clock=wall.clock, transport=wall, draw=random.Random(1), quiet=10.0)


class Listening:
    """A stream's events collected in the background, on a wall and a clock that a test moves."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.wall = Wall(self.clock)
        self.events: list[BrokerEvent] = []

    async def run(self) -> None:
        async with aclosing(OrderStream(wire(self.wall), "ws://x/stream").events()) as found:
            async for event in found:
                self.events.append(event)


@asynccontextmanager
async def listening() -> AsyncIterator[Listening]:
    at = Listening()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(at.run())
        await settle()
        assert at.events == [StreamUp()]
        yield at
        task.cancel()
    assert at.wall.closed == at.wall.connects, "every connection is closed"


async def test_a_silent_stream_is_asked_and_then_given_up() -> None:
    async with listening() as at:
        await at.clock.advance(9.9)
        assert at.wall.pings == 0
        await at.clock.advance(0.2)
        assert at.wall.pings == 1
        await at.clock.advance(10.5)

        assert isinstance(at.events[1], StreamDown)
        assert "silent" in at.events[1].reason
        assert at.events[2:] == [StreamUp()]


async def test_a_sign_of_life_keeps_the_line() -> None:
    async with listening() as at:
        for _ in range(20):
            await at.clock.advance(12.0)
            at.wall.feed(None)

        assert at.wall.pings == 20
        assert at.events == [StreamUp()]
        assert at.wall.connects == 1


@pytest.mark.parametrize("frame", [b"nonsense", b'{"stream":"trade_updates","data":{}}', "\ud800", b"\xff\x00"])
async def test_a_frame_that_cannot_be_understood_leads_to_a_full_read(frame: str | bytes) -> None:
    async with listening() as at:
        at.wall.feed(frame)
        await at.clock.advance(1.0)

        assert [type(event) for event in at.events] == [StreamUp, StreamDown, StreamUp]


async def test_other_streams_and_later_acknowledgements_are_no_events() -> None:
    async with listening() as at:
        at.wall.say({"stream": "account_updates", "data": {}})
        at.wall.say({"stream": "listening", "data": {"streams": ["trade_updates"]}})
        await at.clock.advance(0.1)

        assert at.events == [StreamUp()]


async def test_a_stream_that_keeps_failing_waits_longer_each_time_and_says_each_reason_once() -> None:
    async with listening() as at:
        for _ in range(8):
            at.wall.feed(TransportError("closed"))
            before = at.wall.connects
            await at.clock.advance(0.1)
            while at.wall.connects == before:
                await at.clock.advance(0.1)

        assert at.clock.monotonic() > 8
        assert at.events.count(StreamDown("closed")) == 8, "each of them had been up in between"


async def test_the_quote_stream_connects_only_when_something_is_watched() -> None:
    clock = ManualClock()
    wall = Wall(clock)
    stream = QuoteStream(wire(wall), "ws://x/v2/iex")
    heard: list[tuple[Holding, Quote]] = []

    async def run() -> None:
        async with aclosing(stream.quotes()) as found:
            async for received, ticks in found:
                heard.extend((Holding(tick.instrument), tick.quote(received)) for tick in ticks)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run())
        await clock.advance(5)
        assert wall.connects == 0

        stream.watch(frozenset({SPY}))
        await settle()
        stream.watch(frozenset({SPY, AAPL}))
        await settle()
        stream.watch(frozenset({AAPL}))
        await settle()
        assert [json.loads(text) for text in wall.sent[1:]] == [
            {"action": "subscribe", "quotes": ["SPY"]},
            {"action": "subscribe", "quotes": ["AAPL"]},
            {"action": "unsubscribe", "quotes": ["SPY"]},
        ]
        wall.say([{"T": "subscription", "quotes": ["AAPL"]}, {"T": "q", "S": "AAPL", "bp": 1.5, "ap": 2, "t": MOMENT}])
        await settle()
        assert [(holding, str(quote.bid), quote.received) for holding, quote in heard] == [(AAPL, "1.5", clock.now())]

        wall.say([{"T": "error", "code": 406, "msg": "connection limit exceeded"}])
        await settle()
        assert "connection limit" in stream.down
        await clock.advance(1.0)
        assert stream.down == ""
        assert json.loads(wall.sent[-1]) == {"action": "subscribe", "quotes": ["AAPL"]}
        task.cancel()


MOMENT = "2026-10-08T14:30:00.123456789Z"
