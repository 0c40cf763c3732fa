"""Alpaca's HTTP API, literally: one method per call we use, bytes out.

Invariants
- A write is sent once. A read may be sent again, never past its deadline.
- A write that fails did one of three things: it never left (`Unreachable`), it was refused (`Rejected`,
  `Unauthorised`), or nobody knows (`OutcomeUnknown`).
- Every wait is bounded: for a turn by `turn_within`, for an answer by `answer_within`, in the account's own clock.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote as in_url

from standfast.brokers.alpaca.refusals import failure
from standfast.brokers.shared.sessions import Backoff
from standfast.brokers.shared.throttle import FIRST, Throttle
from standfast.brokers.shared.transport import Exchange, Response, Transport, TransportError
from standfast.model.effects import Urgency
from standfast.model.errors import OutcomeUnknown, Unreachable, Withdrawn
from standfast.model.secret import Secret
from standfast.ports import Clock, IsWanted

READ_ATTEMPTS_MAX = 3
PAGE_OF_ORDERS = 500
PAGE_OF_ACTIVITIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds of the account's clock. What waits for its turn has not left; an answer comes within the flight time.

    A close or a stop waits for two whole windows of the broker's rate and more (three hundred closes, and the first
    window spent by somebody else): giving up would only lose its place. Whether it shall still leave is asked when its
    turn comes.
    """

    urgent_turn_within: float = 130.0
    turn_within: float = 5.0
    answer_within: float = 5.0
    list_within: float = 15.0
    """For answers whose length grows with the account."""

    def turn(self, urgency: int) -> float:
        return self.urgent_turn_within if urgency <= Urgency.PROTECT else self.turn_within


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where an account is reached and with what; addresses are scheme and host, without version path."""

    key_id: Secret
    secret: Secret
    rest_url: str
    data_url: str

    @property
    def headers(self) -> dict[str, str]:
        return {
            "APCA-API-KEY-ID": self.key_id.reveal(),
            "APCA-API-SECRET-KEY": self.secret.reveal(),
            "Accept": "application/json",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttles:
    """The trading host and the data host count requests apart."""

    trading: Throttle
    data: Throttle


@dataclass(frozen=True, slots=True)
class Turn:
    """When a write may leave, and whether it still shall when it may."""

    urgency: int
    rank: float = 0.0
    is_wanted: IsWanted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One read: where, what, how urgent, and how long its answer may take."""

    path: str
    params: Mapping[str, str]
    within: float
    urgency: Urgency = Urgency.READ
    is_data: bool = False
    absent_is_answer: bool = False
    """Whether a 404 is handed back instead of raised."""


class AlpacaClient:
    """Each method is one documented call; the adapter knows what they mean."""

    def __init__(
        self,
        access: Access,
        *,
        clock: Clock,
        transport: Transport,
        throttles: Throttles,
        draw: random.Random,
        deadlines: Deadlines,
    ) -> None:
        self._access = access
        self._clock = clock
        self._transport = transport
        self._throttles = throttles
        self._draw = draw
        self._deadlines = deadlines

    async def get_positions(self, urgency: int) -> bytes:
        return (await self._read(self._list("/v2/positions", {}, urgency))).body

    async def get_position(self, symbol: str) -> Response:
        return await self._read(
            Wanted(
                path=f"/v2/positions/{in_url(symbol, safe='')}",
                params={},
                within=self._deadlines.answer_within,
                urgency=Urgency.VERIFY,
                absent_is_answer=True,
            )
        )

    async def get_open_orders(self, until: str | None, urgency: int) -> bytes:
        """Newest first; `until` is exclusive and on submission time."""
        params = {"status": "open", "limit": str(PAGE_OF_ORDERS), "nested": "true", "direction": "desc"}
        if until is not None:
            params["until"] = until
        return (await self._read(self._list("/v2/orders", params, urgency))).body

    async def get_order(self, broker_id: str) -> Response:
        return await self._read(
            Wanted(
                path=f"/v2/orders/{in_url(broker_id, safe='')}",
                params={"nested": "true"},
                within=self._deadlines.answer_within,
                urgency=Urgency.VERIFY,
                absent_is_answer=True,
            )
        )

    async def get_order_by_client_id(self, client_id: str) -> Response:
        return await self._read(
            Wanted(
                path="/v2/orders:by_client_order_id",
                params={"client_order_id": client_id},
                within=self._deadlines.answer_within,
                urgency=Urgency.VERIFY,
                absent_is_answer=True,
            )
        )

    async def get_activities(
        self, urgency: int, *, after: str | None = None, page_token: str | None = None, newest: int | None = None
    ) -> bytes:
        """Oldest first after `after` (exclusive); or only the `newest` so many, newest first."""
        params = {"direction": "asc", "page_size": str(PAGE_OF_ACTIVITIES)}
        if newest is not None:
            params = {"direction": "desc", "page_size": str(newest)}
        if after is not None:
            params["after"] = after
        if page_token is not None:
            params["page_token"] = page_token
        return (await self._read(self._list("/v2/account/activities", params, urgency))).body

    async def get_account(self) -> bytes:
        return (await self._read(self._small("/v2/account"))).body

    async def get_whitelist(self) -> bytes:
        """Addresses that coins may be sent to."""
        return (await self._read(self._small("/v2/wallets/whitelists"))).body

    async def get_clock(self) -> bytes:
        return (await self._read(self._small("/v2/clock"))).body

    async def get_asset(self, symbol: str) -> bytes:
        return (await self._read(self._small(f"/v2/assets/{in_url(symbol, safe='')}", Urgency.VERIFY))).body

    async def get_contract(self, symbol: str) -> bytes:
        path = f"/v2/options/contracts/{in_url(symbol, safe='')}"
        return (await self._read(self._small(path, Urgency.VERIFY))).body

    async def get_latest_quotes(self, symbols: list[str], *, feed: str, is_option: bool) -> bytes:
        path = "/v1beta1/options/quotes/latest" if is_option else "/v2/stocks/quotes/latest"
        params = {"symbols": ",".join(symbols)}
        if feed:
            params["feed"] = feed
        wanted = Wanted(path=path, params=params, within=self._deadlines.answer_within, is_data=True)
        return (await self._read(wanted)).body

    async def post_order(self, body: Mapping[str, object], turn: Turn) -> Response:
        return await self._write("POST", "/v2/orders", body, turn)

    async def patch_order(self, broker_id: str, body: Mapping[str, object], turn: Turn) -> Response:
        return await self._write("PATCH", f"/v2/orders/{in_url(broker_id, safe='')}", body, turn)

    async def delete_order(self, broker_id: str, turn: Turn) -> Response:
        return await self._write("DELETE", f"/v2/orders/{in_url(broker_id, safe='')}", None, turn)

    def _list(self, path: str, params: Mapping[str, str], urgency: int) -> Wanted:
        return Wanted(path=path, params=params, within=self._deadlines.list_within, urgency=Urgency(urgency))

    def _small(self, path: str, urgency: Urgency = Urgency.READ) -> Wanted:
        return Wanted(path=path, params={}, within=self._deadlines.answer_within, urgency=urgency)

    async def _read(self, wanted: Wanted) -> Response:
        """The answer, asked for again while it fails in a way that may pass and the deadline allows it."""
        is_urgent = wanted.urgency <= Urgency.PROTECT  # a close waits for it: it keeps its turn as the close would
        turn = self._deadlines.turn(wanted.urgency) if is_urgent else 0.0
        deadline = self._clock.monotonic() + wanted.within + turn
        backoff = Backoff(self._draw, first=0.2, longest=2.0)
        for attempt in range(1, READ_ATTEMPTS_MAX + 1):
            try:
                left = deadline - self._clock.monotonic()
                return await self._read_once(
                    wanted, min(left, wanted.within), turn or min(left, self._deadlines.turn_within)
                )
            except (Unreachable, OutcomeUnknown):
                wait = backoff.wait()
                if attempt == READ_ATTEMPTS_MAX or self._clock.monotonic() + wait >= deadline:
                    raise
                await self._clock.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _read_once(self, wanted: Wanted, within: float, turn_within: float) -> Response:
        """`within` covers the turn too, unless that may take longer."""
        throttle = self._throttles.data if wanted.is_data else self._throttles.trading
        host = self._access.data_url if wanted.is_data else self._access.rest_url
        started = self._clock.monotonic()
        rank = FIRST if wanted.urgency <= Urgency.PROTECT else 0.0
        number = await throttle.admit(wanted.urgency, rank=rank, within=turn_within)
        exchange = Exchange(method="GET", url=host + wanted.path, headers=self._access.headers, params=wanted.params)
        waited = 0.0 if turn_within > within else self._clock.monotonic() - started
        response = await self._exchange(exchange, within - waited)
        retry_after = throttle.heard(number, response.headers, refused=response.status == 429)
        if response.status == 200 or (response.status == 404 and wanted.absent_is_answer):
            return response
        raise failure("GET", response, retry_after)

    async def _write(self, method: str, path: str, body: Mapping[str, object] | None, turn: Turn) -> Response:
        within = self._deadlines.turn(turn.urgency)
        number = await self._throttles.trading.admit(turn.urgency, rank=turn.rank, within=within)
        if turn.is_wanted is not None and not turn.is_wanted():
            self._throttles.trading.give_back(number)
            raise Withdrawn(f"{method} {path}: not wanted any more when its turn came")
        headers = self._access.headers
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        exchange = Exchange(method=method, url=self._access.rest_url + path, headers=headers, body=data)
        response = await self._exchange(exchange, self._deadlines.answer_within)
        retry_after = self._throttles.trading.heard(number, response.headers, refused=response.status == 429)
        if response.status in ({200, 204} if method == "DELETE" else {200}):
            return response
        raise failure(method, response, retry_after)

    async def _exchange(self, exchange: Exchange, within: float) -> Response:
        what = f"{exchange.method} {exchange.url}"
        try:
            async with self._clock.timeout(within):
                return await self._transport.request(exchange)
        except TimeoutError:
            reason = f"{what}: no answer within {within:.3g} s"
        except TransportError as error:
            reason = f"{what}: {error}"
        if exchange.left:
            raise OutcomeUnknown(reason)
        raise Unreachable(f"{reason}; it was not sent")
