"""Tradier's HTTP API, literally: one method per call we use, bytes out.

Requests are forms, answers are JSON only where they are asked for as JSON. How a request travels, and what became of
it, is `shared.courier`'s. Three budgets, each for all who send: the account's reads, market data, and orders.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote as in_url
from urllib.parse import urlencode

from standfast.brokers.shared.courier import Courier, Deadlines, Wanted
from standfast.brokers.shared.throttle import Throttle
from standfast.brokers.shared.transport import Exchange, Response, Transport
from standfast.brokers.tradier.refusals import failure, is_over_rate
from standfast.brokers.tradier.terms import Form
from standfast.model.effects import Turn, Urgency
from standfast.model.secret import Secret
from standfast.ports import Clock

FORM = "application/x-www-form-urlencoded"
SYMBOLS_IN_AN_ADDRESS = 50
"""More are asked for in a form: an address has an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where an account is reached and with what; addresses are scheme and host, without version path."""

    token: Secret
    account_id: str
    rest_url: str
    data_url: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.reveal()}", "Accept": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttles:
    reads: Throttle
    data: Throttle
    orders: Throttle


class TradierClient:
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
        self._courier = Courier(
            clock=clock,
            transport=transport,
            draw=draw,
            deadlines=deadlines,
            judge=failure,
            is_over_rate=is_over_rate,
        )
        self._home = f"/v1/accounts/{in_url(access.account_id, safe='')}"

    def hurry(self) -> None:
        """Let what waits for its share of the requests go now."""
        self._throttles.reads.hurry()

    async def get_profile(self) -> bytes:
        return await self._body(self._account("/v1/user/profile", {}))

    async def get_balances(self) -> bytes:
        return await self._body(self._account(f"{self._home}/balances", {}))

    async def get_positions(self, urgency: int) -> bytes:
        return await self._body(self._list("/positions", {}, urgency))

    async def get_orders(self, urgency: int, *, page: int, leaves: Callable[[], None]) -> bytes:
        """Of today's session; the first page unless told otherwise."""
        params = {"includeTags": "true"} | ({"page": str(page)} if page > 1 else {})
        return await self._body(replace(self._list("/orders", params, urgency), leaves=leaves))

    async def get_past_orders(self, urgency: int, *, start: str, end: str, page: int) -> bytes:
        """Up to a month of orders. Not for polling: Tradier may take the access away."""
        params = {"filter": "all", "start": start, "end": end, "page": str(page), "includeTags": "true"}
        return await self._body(self._list("/orders", params, urgency))

    async def get_order(self, broker_id: str, urgency: int = Urgency.VERIFY) -> Response:
        """That there is none (a 404, a refusal in words) is handed back: it is no proof yet."""
        wanted = self._account(f"{self._home}/orders/{in_url(broker_id, safe='')}", {"includeTags": "true"}, urgency)
        return await self._courier.read(replace(wanted, answers=frozenset({200, 400, 404})))

    async def get_history(self, *, start: str, end: str) -> bytes:
        params = {"start": start, "end": end, "limit": "1000"}
        return await self._body(self._list("/history", params, Urgency.READ))

    async def get_clock(self) -> bytes:
        return await self._body(self._data("/v1/markets/clock", {}, Urgency.READ))

    async def get_calendar(self, *, month: int, year: int) -> bytes:
        params = {"month": f"{month:02d}", "year": str(year)}
        return await self._body(self._data("/v1/markets/calendar", params, Urgency.READ))

    async def get_quotes(self, symbols: Sequence[str], urgency: int = Urgency.VERIFY) -> bytes:
        names = {"symbols": ",".join(symbols), "greeks": "true"}
        if len(symbols) <= SYMBOLS_IN_AN_ADDRESS:
            return await self._body(self._data("/v1/markets/quotes", names, urgency))
        return await self._body(_as_form(self._data("/v1/markets/quotes", {}, urgency), names))

    async def post_session(self) -> bytes:
        """A session of the account's events, to be used within five minutes."""
        return await self._body(_as_form(self._account("/v1/accounts/events/session", {}, Urgency.VERIFY), {}))

    async def post_market_session(self) -> bytes:
        return await self._body(_as_form(self._data("/v1/markets/events/session", {}, Urgency.VERIFY), {}))

    async def post_order(self, form: Form, turn: Turn) -> Response:
        return await self._write("POST", f"{self._home}/orders", form, turn)

    async def delete_order(self, broker_id: str, turn: Turn) -> Response:
        return await self._write("DELETE", f"{self._home}/orders/{in_url(broker_id, safe='')}", None, turn)

    def _account(self, path: str, params: Mapping[str, str], urgency: int = Urgency.READ) -> Wanted:
        return Wanted(
            url=self._access.rest_url + path,
            headers=self._access.headers,
            throttle=self._throttles.reads,
            params=params,
            within=self._deadlines.answer_within,
            urgency=Urgency(urgency),
        )

    def _list(self, path: str, params: Mapping[str, str], urgency: int) -> Wanted:
        return replace(self._account(self._home + path, params, urgency), within=self._deadlines.list_within)

    def _data(self, path: str, params: Mapping[str, str], urgency: int) -> Wanted:
        wanted = self._account("", params, urgency)
        return replace(wanted, url=self._access.data_url + path, throttle=self._throttles.data)

    async def _body(self, wanted: Wanted) -> bytes:
        return (await self._courier.read(wanted)).body

    async def _write(self, method: str, path: str, form: Form | None, turn: Turn) -> Response:
        headers = self._access.headers | ({"Content-Type": FORM} if form is not None else {})
        body = urlencode(form).encode() if form is not None else None
        exchange = Exchange(method=method, url=self._access.rest_url + path, headers=headers, body=body)
        return await self._courier.write(exchange, self._throttles.orders, turn, frozenset({200, 201}))


def _as_form(wanted: Wanted, form: Mapping[str, str]) -> Wanted:
    """A read that Tradier takes as a POST."""
    headers = {**wanted.headers, "Content-Type": FORM}
    return replace(wanted, method="POST", headers=headers, body=urlencode(form).encode())
