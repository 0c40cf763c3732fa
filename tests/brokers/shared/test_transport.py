"""What reached the other end and what did not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from standfast.brokers.shared.transport import AiohttpTransport, Exchange, TransportError


@asynccontextmanager
async def transport() -> AsyncIterator[AiohttpTransport]:
    made = AiohttpTransport()
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A server that reads a little, says these bytes and hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def failing(url: str) -> Exchange:
    exchange = Exchange(method="POST", url=url, headers={"key": "secret words"}, body=b"{}")
    async with transport() as made, asyncio.timeout(10):
        with pytest.raises(TransportError):
            await made.request(exchange)
    return exchange


async def test_a_refused_connection_left_nothing() -> None:
    assert not (await failing("http://127.0.0.1:9/")).left


async def test_a_name_nobody_knows_left_nothing() -> None:
    assert not (await failing("http://nowhere.invalid/")).left


async def test_an_address_that_is_none_left_nothing() -> None:
    assert not (await failing("http://127.0.0.1:99999/")).left


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"])
async def test_whatever_breaks_after_sending_may_have_arrived(answer: bytes) -> None:
    async with answering(answer) as url:
        assert (await failing(url)).left


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with answering(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n") as url, transport() as made:
        response = await made.request(Exchange(method="GET", url=url))

        assert response.status == 302


async def test_an_exchange_shows_no_header_and_no_body() -> None:
    exchange = await failing("http://127.0.0.1:9/")

    assert "secret words" not in repr(exchange)


async def test_a_stream_that_nobody_serves_is_an_error_of_the_transport() -> None:
    async with transport() as made:
        with pytest.raises(TransportError):
            await made.connect("ws://127.0.0.1:9/stream", {})
