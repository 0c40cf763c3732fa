"""How calls travel: unsigned until their turn has come, then signed and sent once, in the account's own budgets.

What became of a request is `shared.courier`'s to say. An address here is `API/PATH`; the library makes the real one.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from standfast.brokers.ccxt.library import Library
from standfast.brokers.shared.courier import Courier, Deadlines, Judge, Wanted
from standfast.brokers.shared.throttle import Budgeted
from standfast.brokers.shared.transport import Exchange, Response, Socket, Transport, TransportError
from standfast.model.effects import Turn, Urgency
from standfast.ports import Clock

ASKED: ContextVar[int] = ContextVar("urgency of the call of the library that is being made", default=Urgency.VERIFY)

EVERY_STATUS = frozenset(range(200, 600))


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttles:
    reads: Budgeted
    orders: Budgeted


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """What an answer that is no success stands for; which statuses are answers; which say that we ask too much."""

    failure: Judge
    is_over_rate: Callable[[Response], bool]
    answers: frozenset[int] = frozenset({200})


class CcxtClient:
    def __init__(  # noqa: PLR0913 - all that a request travels by, each named where it is put together
        self,
        library: Library,
        *,
        clock: Clock,
        transport: Transport,
        throttles: Throttles,
        deadlines: Deadlines,
        judges: Judges,
        draw: random.Random,
    ) -> None:
        self.library = library
        self._throttles = throttles
        self._deadlines = deadlines
        self._answers = judges.answers
        self._courier = Courier(
            clock=clock,
            transport=Signing(library, transport),
            draw=draw,
            deadlines=deadlines,
            judge=judges.failure,
            is_over_rate=judges.is_over_rate,
        )

    async def read(  # noqa: PLR0913 - what a read may be asked with, each named where it is
        self,
        address: str,
        params: Mapping[str, str],
        urgency: int,
        *,
        is_list: bool = False,
        method: str = "GET",
        turns: int = 1,
        body: bytes | None = None,
    ) -> Response:
        """Asked for again while that may help. `turns`: what it counts for in the budget; `body`: parameters that are
        more than names and texts, as JSON."""
        within = self._deadlines.list_within if is_list else self._deadlines.answer_within
        wanted = Wanted(
            url=address,
            headers={},
            throttle=self._throttles.reads,
            params=params if method == "GET" else {},
            within=within,
            method=method,
            body=body or (None if method == "GET" else json.dumps(params).encode()),
            urgency=Urgency(urgency),
            answers=self._answers,
            turns=turns,
        )
        return await self._courier.read(wanted)

    async def write(self, address: str, params: Mapping[str, object], turn: Turn, *, method: str = "POST") -> Response:
        """Sent once."""
        exchange = Exchange(method=method, url=address, body=json.dumps(params).encode())
        return await self._courier.write(exchange, self._throttles.orders, turn, self._answers)

    async def send(self, path: str, api: Sequence[str], method: str, params: Mapping[str, Any]) -> Response:
        """A call of the library's own (`library.send_through`): a read."""
        plain = {name: each if isinstance(each, str) else json.dumps(each) for name, each in params.items()}
        return await self.read(f"{'.'.join(api)}/{path}", plain, ASKED.get(), is_list=True, method=method)


class Signing:
    """A transport for calls: each becomes a request in the moment it leaves."""

    def __init__(self, library: Library, inner: Transport) -> None:
        self._library = library
        self._inner = inner

    async def request(self, exchange: Exchange) -> Response:
        signed = self._signed(exchange)
        try:
            return await self._inner.request(signed)
        finally:
            exchange.left = signed.left

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        return await self._inner.connect(url, headers)

    async def close(self) -> None:
        await self._inner.close()

    def _signed(self, exchange: Exchange) -> Exchange:
        api, _, path = exchange.url.partition("/")
        params = dict(exchange.params) if exchange.body is None else json.loads(exchange.body)
        try:
            made = self._library.sign(path, api.split("."), exchange.method, params)
        except Exception as error:  # noqa: BLE001 - whatever ccxt cannot sign has not left
            raise TransportError(f"it cannot be signed: {type(error).__name__}") from None
        body = made["body"]
        return Exchange(
            method=made["method"],
            url=made["url"],
            headers=made["headers"] or {},
            body=body.encode() if isinstance(body, str) else body,
            as_written=True,
        )
