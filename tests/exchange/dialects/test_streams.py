"""The two WebSockets, frame by frame; the official clients are in tests/contract."""

from typing import Any

import aiohttp
import msgspec
import pytest

from standfast.exchange.faults import AnyFault, Cut, Delayed, Overtaken, Rule
from tests.contract.asked import BUY, Asker, asking
from tests.contract.served import KEY, SECRET

AUTHENTICATE = {"action": "authenticate", "data": {"key_id": KEY, "secret_key": SECRET}}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}


class Stream:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, frame: object) -> Any:
        """Say something and hear the reply."""
        await self._socket.send_str(msgspec.json.encode(frame).decode())
        return await self.hear()

    async def hear(self) -> Any:
        return msgspec.json.decode((await self._socket.receive()).data)

    async def events(self, count: int) -> list[str]:
        return [(await self.hear())["data"]["event"] for _ in range(count)]


def strike(asker: Asker, fault: AnyFault, **when: Any) -> None:
    asker.venue.faults.install(Rule(operation="stream", fault=fault, count=1, **when))


async def test_a_second_listen_replaces_the_first() -> None:
    async with asking() as asker, asker.session.ws_connect(f"{asker.server.url}/stream") as socket:
        stream = Stream(socket)
        await stream.say(AUTHENTICATE)
        await stream.say(LISTEN)
        assert await stream.say({"action": "listen", "data": {"streams": []}}) == {
            "stream": "listening",
            "data": {"streams": []},
        }
        await asker.submit()

        again = await stream.say(LISTEN)

        assert again == {"stream": "listening", "data": {"streams": ["trade_updates"]}}


@pytest.mark.parametrize("frame", [b"\xff\x00", b"[]", b'"listen"', b'{"action": 7}', b'{"action": "dance"}'])
async def test_nonsense_is_answered_and_survived(frame: bytes) -> None:
    async with asking() as asker, asker.session.ws_connect(f"{asker.server.url}/stream") as socket:
        await socket.send_bytes(frame)
        answer = msgspec.json.decode((await socket.receive()).data)

        assert answer["stream"] == "error"
        assert (await Stream(socket).say(AUTHENTICATE))["data"]["status"] == "authorized"


async def test_a_client_that_asks_for_msgpack_gets_it() -> None:
    headers = {"Content-Type": "application/msgpack"}
    async with asking() as asker, asker.session.ws_connect(f"{asker.server.url}/stream", headers=headers) as socket:
        await socket.send_bytes(msgspec.msgpack.encode(AUTHENTICATE))

        answer = msgspec.msgpack.decode((await socket.receive()).data)

        assert answer["data"] == {"status": "authorized", "action": "authenticate"}


async def test_messages_are_overtaken_and_delayed() -> None:
    async with asking() as asker, asker.session.ws_connect(f"{asker.server.url}/stream") as socket:
        stream = Stream(socket)
        await stream.say(AUTHENTICATE)
        await stream.say(LISTEN)
        await asker.submit()
        in_order = await stream.events(3)
        strike(asker, Overtaken())
        await asker.submit()
        overtaken = await stream.events(3)
        strike(asker, Delayed(seconds=5))
        await asker.submit()
        first = await stream.events(2)
        await asker.ask("POST", "/sim/advance", {"seconds": 6})
        late = await stream.events(1)

    assert in_order == ["pending_new", "new", "fill"]
    assert overtaken == ["new", "pending_new", "fill"]
    assert (first, late) == (["new", "fill"], ["pending_new"])


async def test_a_cut_ends_the_connection_and_a_cut_connect_refuses_it() -> None:
    async with asking() as asker:
        async with asker.session.ws_connect(f"{asker.server.url}/stream") as socket:
            stream = Stream(socket)
            await stream.say(AUTHENTICATE)
            await stream.say(LISTEN)
            strike(asker, Cut())
            await asker.ask("POST", "/v2/orders", BUY)

            assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        asker.venue.faults.install(Rule(operation="stream_connect", fault=Cut(), count=1))
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await asker.session.ws_connect(f"{asker.server.url}/stream")


async def test_quotes_are_told_in_json_to_who_may_hear_them() -> None:
    async with asking() as asker:
        del asker.session.headers["APCA-API-KEY-ID"]  # credentials in headers would authenticate at once
        async with asker.session.ws_connect(f"{asker.server.url}/v2/iex") as socket:
            stream = Stream(socket)
            hello = await stream.hear()
            subscribe = {"action": "subscribe", "quotes": ["SPY"]}
            replies = [
                await stream.say(subscribe),
                await stream.say({"action": "auth", "key": KEY, "secret": "a guess"}),
                await stream.say({"action": "auth", "key": KEY, "secret": SECRET}),
                await stream.say({"action": "auth", "key": KEY, "secret": SECRET}),
                await stream.say({"action": "dance"}),
            ]
            confirmed = await stream.say(subscribe)
            asker.quote("KO", "86", "86.02")
            asker.quote("SPY", "601.25", "601.27")
            (quote,) = await stream.hear()
            (ended,) = await stream.say({"action": "unsubscribe", "quotes": ["SPY"]})

    assert hello == [{"T": "success", "msg": "connected"}]
    assert [reply[0].get("code", reply[0].get("msg")) for reply in replies] == [401, 402, "authenticated", 403, 400]
    assert (confirmed[0]["quotes"], ended["quotes"]) == (["SPY"], [])
    assert (quote["T"], quote["S"], quote["bp"], quote["ap"]) == ("q", "SPY", 601.25, 601.27)
    assert quote["t"] == "2026-01-05T14:30:00Z"


async def test_keys_in_the_headers_authenticate_the_quote_stream() -> None:
    async with asking() as asker, asker.session.ws_connect(f"{asker.server.url}/v2/sip") as socket:
        stream = Stream(socket)

        assert [(await stream.hear())[0]["msg"] for _ in range(2)] == ["connected", "authenticated"]
