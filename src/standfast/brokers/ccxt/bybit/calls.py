"""Bybit v5, literally: one method per call we use, decoded and judged, lists whole.

Invariants
- A list is read page by page until one says that none follows, else `Incomplete`.
- An order is looked for where working ones are, where conditional ones are, and in the past, before it is unknown.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from standfast.brokers.ccxt.bybit.refusals import taken, taken_write
from standfast.brokers.ccxt.bybit.rows import (
    Created,
    Envelope,
    ExecutionList,
    ExecutionRow,
    KeyRow,
    OrderList,
    OrderRow,
    PositionList,
    PositionRow,
    TickerList,
    TickerRow,
    TimeRow,
    WalletList,
    WalletRow,
)
from standfast.brokers.ccxt.client import CcxtClient
from standfast.brokers.shared.reading import rows
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Incomplete, Malformed, OutcomeUnknown

PRIVATE, PUBLIC = "private/v5", "public/v5"
PAGES_MAX = 200
POSITIONS_OF_A_PAGE, ORDERS_OF_A_PAGE, EXECUTIONS_OF_A_PAGE = "200", "50", "100"
CONDITIONAL = {"orderFilter": "StopOrder"}
"""Conditional orders are a list of their own."""

Listed = TypeVar("Listed", PositionList, OrderList, ExecutionList)
Found = TypeVar("Found")

POSITIONS = msgspec.json.Decoder(PositionList)
ORDERS = msgspec.json.Decoder(OrderList)
EXECUTIONS = msgspec.json.Decoder(ExecutionList)
TICKERS = msgspec.json.Decoder(TickerList)
WALLET = msgspec.json.Decoder(WalletList)
KEY = msgspec.json.Decoder(KeyRow)
TIME = msgspec.json.Decoder(TimeRow)
CREATED = msgspec.json.Decoder(Created)


class Calls:
    def __init__(self, client: CcxtClient) -> None:
        self._client = client

    async def positions(self, settle: str, urgency: int) -> list[PositionRow]:
        params = {"category": "linear", "settleCoin": settle, "limit": POSITIONS_OF_A_PAGE}
        return [row for page in await self._pages("position/list", params, POSITIONS, urgency) for row in page.list]

    async def position(self, symbol: str) -> list[PositionRow]:
        """One row for each side of the account, flat ones too."""
        params = {"category": "linear", "symbol": symbol}
        return (await self._get("position/list", params, POSITIONS, Urgency.VERIFY)).list

    async def orders(self, settle: str, urgency: int) -> list[OrderRow]:
        """Conditional orders first: one that fires between the two reads is in one of them."""
        params = {"category": "linear", "settleCoin": settle, "limit": ORDERS_OF_A_PAGE}
        stops = await self._pages("order/realtime", params | CONDITIONAL, ORDERS, urgency)
        plain = await self._pages("order/realtime", params, ORDERS, urgency)
        return [row for page in (*stops, *plain) for row in page.list]

    async def order(self, ids: Mapping[str, str]) -> list[OrderRow]:
        """Every row that any of the lists has of this id."""
        params = {"category": "linear", **ids}
        for where in ("order/realtime", "order/history"):
            for wanted in (params, params | CONDITIONAL):
                found = (await self._get(where, wanted, ORDERS, Urgency.VERIFY)).list
                if found:
                    return found
        return []

    async def executions(self, since: int, until: int, urgency: int) -> list[ExecutionRow]:
        """Of a window of seven days at most, newest first; in milliseconds."""
        params = {
            "category": "linear",
            "startTime": str(since),
            "endTime": str(until),
            "limit": EXECUTIONS_OF_A_PAGE,
        }
        pages = await self._pages("execution/list", params, EXECUTIONS, urgency)
        return [row for page in pages for row in page.list]

    async def wallet(self) -> WalletRow:
        params = {"accountType": "UNIFIED"}
        found = (await self._get("account/wallet-balance", params, WALLET, Urgency.READ)).list
        if len(found) != 1:
            raise Malformed(f"wallet: {len(found)} accounts are told")
        return found[0]

    async def key(self) -> KeyRow:
        return await self._get("user/query-api", {}, KEY, Urgency.READ)

    async def time(self) -> str:
        return (await self._get("market/time", {}, TIME, Urgency.READ, api=PUBLIC)).time_nano

    async def tickers(self, symbol: str) -> tuple[list[TickerRow], Envelope]:
        """Of one contract, or of all."""
        params = {"category": "linear"} | ({"symbol": symbol} if symbol else {})
        envelope = await self._envelope("market/tickers", params, Urgency.VERIFY, api=PUBLIC, is_list=True)
        return rows(TICKERS, bytes(envelope.result), "tickers").list, envelope

    async def create(self, body: Mapping[str, object], turn: Turn) -> Created:
        return await self._post("order/create", body, turn)

    async def cancel(self, body: Mapping[str, object], turn: Turn) -> Created:
        return await self._post("order/cancel", body, turn)

    async def _post(self, path: str, body: Mapping[str, object], turn: Turn) -> Created:
        envelope = taken_write(await self._client.write(f"{PRIVATE}/{path}", body, turn), path)
        try:
            return rows(CREATED, bytes(envelope.result), path)
        except Malformed as error:
            raise OutcomeUnknown(f"the answer names no order: {error}") from None

    async def _pages(
        self, path: str, params: Mapping[str, str], decoder: "msgspec.json.Decoder[Listed]", urgency: int
    ) -> list[Listed]:
        found: list[Listed] = []
        cursor = ""
        for _ in range(PAGES_MAX):
            asked = {**params, "cursor": cursor} if cursor else params
            page = await self._get(path, asked, decoder, urgency, is_list=True)
            found.append(page)
            following = page.next_page_cursor or ""
            if not following or not page.list:
                return found
            if following == cursor:
                raise Incomplete(f"{path}: a page names itself as the next")
            cursor = following
        raise Incomplete(f"{path}: no end after {PAGES_MAX} pages")

    async def _get(
        self,
        path: str,
        params: Mapping[str, str],
        decoder: "msgspec.json.Decoder[Found]",
        urgency: int,
        **how: Any,
    ) -> Found:
        envelope = await self._envelope(path, params, urgency, **how)
        found = rows(decoder, bytes(envelope.result), path)
        category = getattr(found, "category", "")
        if category not in ("", "linear"):
            raise Malformed(f"{path}: asked for linear contracts, told of {category[:20]}")
        return found

    async def _envelope(
        self, path: str, params: Mapping[str, str], urgency: int, *, api: str = PRIVATE, is_list: bool = False
    ) -> Envelope:
        response = await self._client.read(f"{api}/{path}", params, urgency, is_list=is_list)
        return taken(response, path)
