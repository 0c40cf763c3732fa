"""Tradier's two WebSockets and their sessions."""

from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from standfast.exchange.faults import Cut, Delayed, Lost
from tests.exchange.dialects.test_tradier_orders import OPTION, SPREAD, group, spy
from tests.exchange.dialects.test_tradier_recorded import payload
from tests.exchange.dialects.tradier_desk import ACCOUNT, TradierDesk, tradier_desk, unlike
from tests.exchange.option_desk import C600

ORDERS, QUOTES = "/accounts/events", "/markets/events"


class Stream:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, frame: object) -> None:
        await self._socket.send_str(msgspec.json.encode(frame).decode())

    async def hear(self) -> Any:
        return msgspec.json.decode((await self._socket.receive()).data)

    async def is_cut(self) -> bool:
        return (await self._socket.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def session(desk: TradierDesk, path: str = ORDERS) -> str:
    answer = await desk.ask("POST", f"{path}/session")
    stream = answer.json["stream"]
    assert stream["url"] == f"{desk.server.stream_url}/v1{path}"
    return str(stream["sessionid"])


async def connected(desk: TradierDesk, path: str = ORDERS, *, name: str | None = None, **frame: object) -> Stream:
    """Without more the account's orders."""
    stream = Stream(await desk.session.ws_connect(f"{desk.server.url}/v1{path}"))
    name = name or await session(desk, path)
    said = {"events": ["order"], "excludeAccounts": []} if path == ORDERS else {}
    await stream.say({"sessionid": name, **said, **frame})
    return stream


async def registered(desk: TradierDesk, stream: Stream) -> Stream:
    """Nothing confirms a subscription: a heartbeat is the first sign of one."""
    for _ in range(50):
        if desk.venue.listeners()[0]:
            return stream
        await desk.ask("GET", "/markets/clock")
    raise AssertionError("the stream was never taken up")


async def test_what_happens_to_an_order_is_told_as_documented(shared: Path) -> None:
    async with tradier_desk() as desk:
        stream = await registered(desk, await connected(desk))
        number = await desk.place(**OPTION | {"price": "3.05"})
        desk.quote(C600, "2.90", "3.00")

        told = [await stream.hear() for _ in range(3)]

        for frame, name in zip(told, ("pending", "open", "filled"), strict=True):
            assert unlike(frame, payload(shared, f"docs_examples/stream_order_{name}.json")) == []
            assert (frame["event"], frame["status"], frame["id"], frame["account"]) == ("order", name, number, ACCOUNT)
            assert not {"symbol", "side", "leg", "option_symbol"} & set(frame)
        assert [frame["remaining_quantity"] for frame in told] == [2.0, 2.0, 0.0]
        assert (told[2]["exec_quantity"], told[2]["last_fill_quantity"], told[2]["avg_fill_price"]) == (2.0, 0.0, 3.0)


async def test_legs_name_their_parent_and_orders_of_a_group_the_groups() -> None:
    async with tradier_desk() as desk:
        stream = await registered(desk, await connected(desk))
        whole = (await desk.place_form(SPREAD)).json["order"]["id"]
        told = [await stream.hear() for _ in range(9)]
        assert {frame["id"]: frame.get("parent_id") for frame in told} == {
            whole: None,
            whole + 1: whole,
            whole + 2: whole,
        }

        pair = group("oto", spy("buy", "limit", price="500"), spy("sell", "stop", stop="490"))
        number = (await desk.place_form(pair)).json["order"]["id"]
        first, second, third = [await stream.hear() for _ in range(3)]
        assert [frame["parent_id"] for frame in (first, second, third)] == [number] * 3
        assert [frame["status"] for frame in (first, second, third)] == ["pending", "held", "open"]


async def test_a_heartbeat_comes_every_minute(shared: Path) -> None:
    async with tradier_desk() as desk:
        stream = await registered(desk, await connected(desk))

        desk.wait(121)

        for _ in range(2):
            assert unlike(await stream.hear(), payload(shared, "docs_examples/stream_heartbeat.json")) == []


async def test_a_session_is_used_within_five_minutes_or_not_at_all() -> None:
    async with tradier_desk() as desk:
        late = await session(desk)
        desk.wait(301)

        assert "error" in await (await connected(desk, name=late)).hear()
        assert "error" in await (await connected(desk, name="made-up")).hear()
        old = await session(desk)
        await session(desk)
        assert "error" in await (await connected(desk, name=old)).hear()


async def test_a_second_connection_ends_the_first() -> None:
    async with tradier_desk() as desk:
        first = await registered(desk, await connected(desk))

        second = await connected(desk)

        assert await first.is_cut()
        desk.wait(61)
        assert (await second.hear())["event"] == "heartbeat"


async def test_an_excluded_account_is_not_told() -> None:
    async with tradier_desk() as desk:
        stream = await registered(desk, await connected(desk, excludeAccounts=[ACCOUNT]))
        await desk.place(**OPTION)

        desk.wait(61)

        assert (await stream.hear())["event"] == "heartbeat"


async def test_messages_can_be_lost_and_late_and_the_line_cut() -> None:
    async with tradier_desk() as desk:
        stream = await registered(desk, await connected(desk))
        desk.fault("stream", Lost(), count=1)
        desk.fault("stream", Delayed(seconds=5), count=1)
        await desk.place(**OPTION)
        assert (await stream.hear())["status"] == "filled"
        desk.wait(5)
        assert (await stream.hear())["status"] == "open"

        desk.fault("stream", Cut(), count=1)
        await desk.place(**OPTION)
        assert await stream.is_cut()
        desk.fault("stream_connect", Cut(), count=1)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await connected(desk)


async def test_quotes_of_the_named_symbols_begin_with_where_they_stand() -> None:
    async with tradier_desk() as desk:
        stream = await connected(desk, QUOTES, symbols=[C600], filter=["quote"])
        first = await stream.hear()
        desk.quote("SPY", "599.00", "599.02")
        desk.quote(C600, "0", "2.20")

        second = await stream.hear()

        assert (first["type"], first["symbol"], first["bid"], first["ask"]) == ("quote", C600, 3.0, 3.1)
        assert first["biddate"] == "1791554400000"
        assert (second["bid"], second["ask"]) == (0.0, 2.2)


async def test_naming_other_symbols_replaces_the_first() -> None:
    async with tradier_desk() as desk:
        name = await session(desk, QUOTES)
        stream = await connected(desk, QUOTES, name=name, symbols=[C600])
        await stream.hear()

        await stream.say({"sessionid": name, "symbols": ["SPY"]})

        assert (await stream.hear())["symbol"] == "SPY"
        desk.quote(C600, "1.00", "1.10")
        desk.quote("SPY", "599.00", "599.02")
        assert (await stream.hear())["symbol"] == "SPY"


@pytest.mark.parametrize("frame", ["[]", "7", '{"sessionid": 7}', "{", '{"events": "order"}'])
async def test_nonsense_is_answered_and_survived(frame: str) -> None:
    async with tradier_desk() as desk:
        socket = await desk.session.ws_connect(f"{desk.server.url}/v1{ORDERS}")
        await socket.send_str(frame)

        assert "error" in msgspec.json.decode((await socket.receive()).data)
