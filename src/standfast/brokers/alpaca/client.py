"""Alpaca's HTTP API, literally: one method per call we use, bytes out.

How a request travels, and what became of it, is `shared.courier`'s.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote as in_url

from standfast.brokers.alpaca.refusals import failure
from standfast.brokers.shared.courier import Courier, Deadlines, Wanted
from standfast.brokers.shared.throttle import Throttle
from standfast.brokers.shared.transport import Exchange, Response, Transport
from standfast.model.effects import Turn, Urgency
from standfast.model.secret import Secret
from standfast.ports import Clock

PAGE_OF_ORDERS = 500
PAGE_OF_ACTIVITIES = 100


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
        self._throttles = throttles
        self._deadlines = deadlines
        self._courier = Courier(clock=clock, transport=transport, draw=draw, deadlines=deadlines, judge=failure)

    async def get_positions(self, urgency: int) -> bytes:
        return (await self._courier.read(self._list("/v2/positions", {}, urgency))).body

    async def get_position(self, symbol: str) -> Response:
        return await self._look_up(f"/v2/positions/{in_url(symbol, safe='')}", {})

    async def get_open_orders(self, until: str | None, urgency: int) -> bytes:
        """Newest first; `until` is exclusive and on submission time."""
        params = {"status": "open", "limit": str(PAGE_OF_ORDERS), "nested": "true", "direction": "desc"}
        if until is not None:
            params["until"] = until
        return (await self._courier.read(self._list("/v2/orders", params, urgency))).body

    async def get_order(self, broker_id: str) -> Response:
        return await self._look_up(f"/v2/orders/{in_url(broker_id, safe='')}", {"nested": "true"})

    async def get_order_by_client_id(self, client_id: str) -> Response:
        return await self._look_up("/v2/orders:by_client_order_id", {"client_order_id": client_id})

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
        return (await self._courier.read(self._list("/v2/account/activities", params, urgency))).body

    async def get_account(self) -> bytes:
        return (await self._courier.read(self._small("/v2/account"))).body

    async def get_whitelist(self) -> bytes:
        """Addresses that coins may be sent to."""
        return (await self._courier.read(self._small("/v2/wallets/whitelists"))).body

    async def get_clock(self) -> bytes:
        return (await self._courier.read(self._small("/v2/clock"))).body

    async def get_asset(self, symbol: str) -> bytes:
        return (await self._courier.read(self._small(f"/v2/assets/{in_url(symbol, safe='')}", Urgency.VERIFY))).body

    async def get_contract(self, symbol: str) -> bytes:
        path = f"/v2/options/contracts/{in_url(symbol, safe='')}"
        return (await self._courier.read(self._small(path, Urgency.VERIFY))).body

    async def get_latest_quotes(self, symbols: list[str], *, feed: str, is_option: bool) -> bytes:
        path = "/v1beta1/options/quotes/latest" if is_option else "/v2/stocks/quotes/latest"
        params = {"symbols": ",".join(symbols)}
        if feed:
            params["feed"] = feed
        wanted = Wanted(
            url=self._access.data_url + path,
            headers=self._access.headers,
            throttle=self._throttles.data,
            params=params,
            within=self._deadlines.answer_within,
        )
        return (await self._courier.read(wanted)).body

    async def post_order(self, body: Mapping[str, object], turn: Turn) -> Response:
        return await self._write("POST", "/v2/orders", body, turn)

    async def patch_order(self, broker_id: str, body: Mapping[str, object], turn: Turn) -> Response:
        return await self._write("PATCH", f"/v2/orders/{in_url(broker_id, safe='')}", body, turn)

    async def delete_order(self, broker_id: str, turn: Turn) -> Response:
        return await self._write("DELETE", f"/v2/orders/{in_url(broker_id, safe='')}", None, turn)

    def _list(self, path: str, params: Mapping[str, str], urgency: int) -> Wanted:
        return self._wanted(path, params, urgency, within=self._deadlines.list_within)

    def _small(self, path: str, urgency: int = Urgency.READ) -> Wanted:
        return self._wanted(path, {}, urgency, within=self._deadlines.answer_within)

    async def _look_up(self, path: str, params: Mapping[str, str]) -> Response:
        """One thing by its id or name; that there is none (404) is an answer."""
        wanted = self._wanted(path, params, Urgency.VERIFY, within=self._deadlines.answer_within)
        return await self._courier.read(replace(wanted, answers=frozenset({200, 404})))

    def _wanted(self, path: str, params: Mapping[str, str], urgency: int, *, within: float) -> Wanted:
        return Wanted(
            url=self._access.rest_url + path,
            headers=self._access.headers,
            throttle=self._throttles.trading,
            params=params,
            within=within,
            urgency=Urgency(urgency),
        )

    async def _write(self, method: str, path: str, body: Mapping[str, object] | None, turn: Turn) -> Response:
        headers = self._access.headers
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        exchange = Exchange(method=method, url=self._access.rest_url + path, headers=headers, body=data)
        answers = frozenset({200, 204}) if method == "DELETE" else frozenset({200})
        return await self._courier.write(exchange, self._throttles.trading, turn, answers)
