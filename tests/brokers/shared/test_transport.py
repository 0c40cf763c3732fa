"""What reached the other end and what did not."""

import asyncio
import gzip
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from standfast.brokers.shared import transport as module
from standfast.brokers.shared.transport import AiohttpTransport, Exchange, TransportError
from tests.brokers.clocks import PATIENCE
from tests.starved import no_descriptors


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
    async with transport() as made, asyncio.timeout(PATIENCE):
        with pytest.raises(TransportError):
            await made.request(exchange)
    return exchange


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9/", "nothing answers at 127.0.0.1:9 (connection refused)"),
        ("http://nowhere.invalid/", "the name nowhere.invalid is not resolved"),
    ],
)
async def test_where_nothing_answers_is_said_in_words(url: str, told: str) -> None:
    async with transport() as made, asyncio.timeout(PATIENCE):
        with pytest.raises(TransportError, match=re.escape(told)):
            await made.request(Exchange(method="GET", url=url, headers={}, body=b""))


async def test_that_we_cannot_connect_is_not_laid_at_the_other_door() -> None:
    async with answering(b"") as url, transport() as made:
        with no_descriptors(), pytest.raises(TransportError, match="Too many open files"):
            await made.request(Exchange(method="GET", url=url, headers={}, body=b""))


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


async def test_a_stream_that_is_sent_elsewhere_is_refused_before_anything_is_said_to_the_other_place() -> None:
    asked: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    other = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
    place = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}/stream"
    answer = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"
    async with other, answering(answer.encode()) as url, transport() as made:
        with pytest.raises(TransportError, match="redirect"):
            await made.connect(url.replace("http", "ws"), {"APCA-API-KEY-ID": "words"})

    assert asked == []


@pytest.mark.parametrize("packed", [True, False])
async def test_an_answer_beyond_the_bound_is_none_however_it_is_packed(
    monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    monkeypatch.setattr(module, "BODY_BYTES_MAX", 10_000)
    body = gzip.compress(bytes(10_001)) if packed else bytes(10_001)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n" + "Content-Encoding: gzip\r\n" * packed
    async with answering(head.encode() + b"\r\n" + body) as url, transport() as made:
        with pytest.raises(TransportError, match="longer than 10000 bytes"):
            await made.request(Exchange(method="GET", url=url))


async def test_an_answer_as_long_as_the_bound_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_BYTES_MAX", 10_000)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + b"x" * 10_000
    async with answering(answer) as url, transport() as made:
        response = await made.request(Exchange(method="GET", url=url))

    assert response.body == b"x" * 10_000


@pytest.fixture
def unvouched(tmp_path: Path) -> ssl.SSLContext:
    """A server's certificate for this machine that it signed itself."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl, which makes the certificate, is not on this machine")
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    files = ("-keyout", str(key), "-out", str(certificate))
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    made_by = (program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files, *subject)
    subprocess.run(made_by, check=True, capture_output=True, timeout=240)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_certificate_nobody_vouches_for_ends_the_connection_before_a_header_is_sent(
    unvouched: ssl.SSLContext,
) -> None:
    heard: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=unvouched)
    async with server:
        exchange = await failing(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v2/account")

    assert (exchange.left, heard) == (False, [])


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as url, transport() as made:
        response = await made.request(Exchange(method="GET", url=url))

    assert response.status == 204
