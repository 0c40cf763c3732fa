"""How bytes reach a broker and come back; a simulation implements the same three protocols.

Invariants
- A transport sets `Exchange.left` before the first byte of a request may be written, never later. While it is
  False nothing reached the broker, whatever went wrong; from then on anything may have happened.
- It follows no redirect, of a stream's handshake neither (headers and first messages carry keys), takes no proxy and
  no password from the environment, and never writes a header, a key or a body to a log.
- No answer takes more memory than a bound, unpacked: a longer one is no answer.
- It keeps no deadline of its own: every wait is bounded by the caller's clock, which may run faster than ours.
"""

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Protocol

import aiohttp
import yarl

from standfast.model.errors import Unreachable
from standfast.model.secret import redact

NOBODY_THERE = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT})
"""Whatever else keeps us from connecting may lie with us: no descriptor left, no right to."""
SOCKET_BYTES_MAX = 16 * 1024 * 1024
BODY_BYTES_MAX = 64 * 1024 * 1024
"""A list of a hundred thousand positions is shorter."""
TOLD_MAX, LOOKED_AT = 300, 4096
"""Characters of a reason that are kept, and in which a secret is looked for before the rest is cut off."""


class TransportError(Exception):
    """The connection failed. Whether the request left is in `Exchange.left`.

    Its text may quote the other end, so it holds no secret and is short.
    """

    def __init__(self, text: str) -> None:
        super().__init__(redact(text[:LOOKED_AT])[:TOLD_MAX])


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request on its way. Headers are kept out of every text."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    left: bool = False
    """Whether a byte of it may have been written."""
    as_written: bool = False
    """The address is signed as it stands, and travels so; nothing in it is quoted anew."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Socket(Protocol):
    """One WebSocket connection."""

    async def send(self, text: str) -> None: ...

    async def receive(self) -> str | bytes | None:
        """The next frame; None is a sign of life without content. Raises `TransportError` once it is closed.

        Cancelling it loses no frame.
        """
        ...

    async def ping(self) -> None:
        """Ask the other end for a sign of life."""
        ...

    async def close(self) -> None: ...


class Transport(Protocol):
    async def request(self, exchange: Exchange) -> Response:
        """Any status is a response; raises `TransportError` when there was none."""
        ...

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        """Raises `TransportError`."""
        ...

    async def close(self) -> None: ...


class AiohttpTransport:
    """Real sockets. Its session is made by the first use, inside the running loop."""

    def __init__(self, *, connections_max: int = 64) -> None:
        self._connections_max = connections_max
        self._session: aiohttp.ClientSession | None = None

    async def request(self, exchange: Exchange) -> Response:
        try:
            async with self._open().request(
                exchange.method,
                yarl.URL(exchange.url, encoded=True) if exchange.as_written else exchange.url,
                headers=exchange.headers,
                params=exchange.params or None,
                data=exchange.body,
                allow_redirects=False,
                trace_request_ctx=exchange,
            ) as response:
                body = await _bounded(response)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Response(response.status, headers, body)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TransportError(_named(error)) from None

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        try:
            socket = await self._open().ws_connect(
                url, headers=headers, autoping=False, max_msg_size=SOCKET_BYTES_MAX, timeout=CLOSE_AT_ONCE
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TransportError(_named(error)) from None
        return AiohttpSocket(socket)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_mark_left)
            trace.on_request_redirect.append(_refuse_redirect)
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                connector=aiohttp.TCPConnector(limit=self._connections_max),
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[trace],
            )
        return self._session


CLOSE_AT_ONCE = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=1.0)


class AiohttpSocket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(_named(error)) from None

    async def receive(self) -> str | bytes | None:
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                data: str | bytes = message.data
                return data
            case aiohttp.WSMsgType.PING:
                await self._answer(message.data)
                return None
            case aiohttp.WSMsgType.PONG:
                return None
            case _:
                raise TransportError(f"the stream was closed ({message.type.name.lower()} {self._socket.close_code})")

    async def ping(self) -> None:
        try:
            await self._socket.ping()
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(_named(error)) from None

    async def close(self) -> None:
        await self._socket.close()

    async def _answer(self, data: bytes) -> None:
        try:
            await self._socket.pong(data)
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(_named(error)) from None


async def get_json(url: str) -> Mapping[str, object]:
    """One small document that needs no key, within five seconds of the machine. Raises Unreachable, ValueError."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session,
            session.get(url, allow_redirects=False) as reply,
        ):
            found: Mapping[str, object] = json.loads(await _bounded(reply))
            return found
    except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
        raise Unreachable(f"{url}: {_named(error)}") from error


async def _mark_left(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    # aiohttp signals this with a connection in hand and before it writes the first byte.
    exchange = getattr(context, "trace_request_ctx", None)
    if isinstance(exchange, Exchange):  # a WebSocket's handshake carries none
        exchange.left = True


async def _refuse_redirect(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestRedirectParams
) -> None:
    # A handshake has no switch for it: aiohttp would follow, and the keys go out in the first message after it.
    params.response.close()
    raise aiohttp.ClientError(f"the answer was a redirect ({params.response.status}), which is not followed")


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The body, unpacked. Raises ClientError for one beyond the bound, without having kept it."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            response.close()
            raise aiohttp.ClientError(f"the answer is longer than {BODY_BYTES_MAX} bytes")
    return bytes(body)


def _named(error: Exception) -> str:
    """The kind of error and where it happened; aiohttp's own texts hold hosts and ports, never headers."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} is not resolved ({error.os_error.strerror or error.os_error})"
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno in NOBODY_THERE:
        return f"nothing answers at {error.host}:{error.port} ({os.strerror(error.errno).lower()})"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
