"""Binance USD-M's API, literally: one method per call we use, decoded and judged, lists whole.

Each call counts in the budget for what Binance weighs it, in tens.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from standfast.brokers.ccxt.binance.refusals import ABSENT, taken
from standfast.brokers.ccxt.binance.rows import (
    AccountRow,
    AlgoRow,
    BalanceRow,
    IncomeRow,
    KeyRow,
    ModeRow,
    OrderRow,
    PositionRow,
    TickerRow,
    TimeRow,
    TradeRow,
)
from standfast.brokers.ccxt.client import CcxtClient
from standfast.brokers.shared.reading import rows
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import Incomplete, Malformed, OutcomeUnknown, Rejected

PRIVATE, PRIVATE_3, PUBLIC, KEYS = "fapiPrivate", "fapiPrivateV3", "fapiPublic", "sapi"
OF_A_PAGE, PAGES_MAX = 1000, 50
HEAVY, HISTORY = 4, 3
"""Budget of what weighs forty, and thirty."""

POSITIONS = msgspec.json.Decoder(list[PositionRow])
ORDERS = msgspec.json.Decoder(list[OrderRow])
ORDER = msgspec.json.Decoder(OrderRow)
ALGOS = msgspec.json.Decoder(list[AlgoRow])
ALGO = msgspec.json.Decoder(AlgoRow)
TRADES = msgspec.json.Decoder(list[TradeRow])
INCOME = msgspec.json.Decoder(list[IncomeRow])
ACCOUNT = msgspec.json.Decoder(AccountRow)
BALANCES = msgspec.json.Decoder(list[BalanceRow])
MODE = msgspec.json.Decoder(ModeRow)
TICKER = msgspec.json.Decoder(TickerRow)
TICKERS = msgspec.json.Decoder(list[TickerRow])
KEY = msgspec.json.Decoder(KeyRow)
TIME = msgspec.json.Decoder(TimeRow)

Found = TypeVar("Found")


class Calls:
    def __init__(self, client: CcxtClient) -> None:
        self._client = client

    async def positions(self, urgency: int, symbol: str = "") -> list[PositionRow]:
        """Of every contract that is held or has orders, or of one."""
        params = {"symbol": symbol} if symbol else {}
        return await self._get(f"{PRIVATE_3}/positionRisk", params, POSITIONS, urgency, is_list=True)

    async def open_orders(self, urgency: int) -> list[OrderRow]:
        return await self._get(f"{PRIVATE}/openOrders", {}, ORDERS, urgency, is_list=True, turns=HEAVY)

    async def open_algos(self, urgency: int) -> list[AlgoRow]:
        return await self._get(f"{PRIVATE}/openAlgoOrders", {}, ALGOS, urgency, is_list=True, turns=HEAVY)

    async def order(self, params: Mapping[str, str]) -> OrderRow | None:
        return await self._or_none(f"{PRIVATE}/order", params, ORDER)

    async def algo(self, params: Mapping[str, str]) -> AlgoRow | None:
        return await self._or_none(f"{PRIVATE}/algoOrder", params, ALGO)

    async def algos_of(self, symbol: str, urgency: int) -> list[AlgoRow]:
        """The latest of one contract, those that are over too."""
        params = {"symbol": symbol, "limit": str(OF_A_PAGE)}
        return await self._get(f"{PRIVATE}/allAlgoOrders", params, ALGOS, urgency, is_list=True)

    async def trades(self, symbol: str, since: int, until: int, urgency: int) -> list[TradeRow]:
        """Of a window of seven days at most."""
        found: dict[int, TradeRow] = {}
        start = since
        for _ in range(PAGES_MAX):
            params = {"symbol": symbol, "startTime": str(start), "endTime": str(until), "limit": str(OF_A_PAGE)}
            page = await self._get(f"{PRIVATE}/userTrades", params, TRADES, urgency, is_list=True)
            before = len(found)
            found |= {row.id: row for row in page}
            if len(page) < OF_A_PAGE or len(found) == before:
                return list(found.values())
            start = max(row.time for row in page)
        raise Incomplete(f"trades of {symbol}: no end after {PAGES_MAX} pages")

    async def income(self, since: int, until: int, urgency: int) -> list[IncomeRow]:
        """Of the whole account: commissions say which contracts were traded."""
        found: list[IncomeRow] = []
        for page in range(1, PAGES_MAX):
            params = {"startTime": str(since), "endTime": str(until), "limit": str(OF_A_PAGE), "page": str(page)}
            rows_of_page = await self._get(f"{PRIVATE}/income", params, INCOME, urgency, is_list=True, turns=HISTORY)
            found += rows_of_page
            if len(rows_of_page) < OF_A_PAGE:
                return found
        raise Incomplete(f"income: no end after {PAGES_MAX} pages")

    async def account(self) -> AccountRow:
        return await self._get(f"{PRIVATE_3}/account", {}, ACCOUNT, Urgency.READ)

    async def balances(self) -> list[BalanceRow]:
        return await self._get(f"{PRIVATE_3}/balance", {}, BALANCES, Urgency.READ)

    async def is_hedged(self) -> bool:
        found = await self._get(f"{PRIVATE}/positionSide/dual", {}, MODE, Urgency.VERIFY, turns=HISTORY)
        return found.dual_side_position

    async def key(self) -> KeyRow:
        return await self._get(f"{KEYS}/account/apiRestrictions", {}, KEY, Urgency.READ)

    async def time(self) -> int:
        return (await self._get(f"{PUBLIC}/time", {}, TIME, Urgency.READ)).server_time

    async def ticker(self, symbol: str) -> TickerRow:
        return await self._get(f"{PUBLIC}/ticker/bookTicker", {"symbol": symbol}, TICKER, Urgency.VERIFY)

    async def tickers(self) -> list[TickerRow]:
        return await self._get(f"{PUBLIC}/ticker/bookTicker", {}, TICKERS, Urgency.VERIFY, is_list=True)

    async def post_order(self, form: Mapping[str, object], turn: Turn) -> OrderRow:
        return await self._write("POST", f"{PRIVATE}/order", form, turn, ORDER)

    async def post_algo(self, form: Mapping[str, object], turn: Turn) -> AlgoRow:
        return await self._write("POST", f"{PRIVATE}/algoOrder", form, turn, ALGO)

    async def delete(self, path: str, form: Mapping[str, object], turn: Turn) -> None:
        """Returning means received."""
        taken(await self._client.write(f"{PRIVATE}/{path}", form, turn, method="DELETE"))

    async def _write(
        self,
        method: str,
        address: str,
        form: Mapping[str, object],
        turn: Turn,
        decoder: "msgspec.json.Decoder[Found]",
    ) -> Found:
        response = await self._client.write(address, form, turn, method=method)
        taken(response)
        try:
            return rows(decoder, response.body, address)
        except Malformed as error:
            raise OutcomeUnknown(f"the answer cannot be understood: {error}") from None

    async def _or_none(
        self, address: str, params: Mapping[str, str], decoder: "msgspec.json.Decoder[Found]"
    ) -> Found | None:
        """None where Binance says that it knows no such order."""
        try:
            return await self._get(address, params, decoder, Urgency.VERIFY)
        except Rejected as refused:
            if refused.code in {str(code) for code in ABSENT}:
                return None
            raise

    async def _get(
        self,
        address: str,
        params: Mapping[str, str],
        decoder: "msgspec.json.Decoder[Found]",
        urgency: int,
        *,
        is_list: bool = False,
        turns: int = 1,
    ) -> Found:
        response = await self._client.read(address, params, urgency, is_list=is_list, turns=turns)
        taken(response)
        return rows(decoder, response.body, address)
