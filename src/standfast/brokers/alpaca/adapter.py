"""The port `Broker` over one Alpaca account.

Theory: the client sends, `parse` understands, this module decides when a read is whole and what is returned.

Invariants
- A list is returned whole or not at all: orders are paged until a page provably ends them, else `Incomplete`.
- A reply to a write that does not name the very order we sent is `OutcomeUnknown`, whatever its status.
- An absent order is one Alpaca itself does not know; a 404 from anyone else is no answer.
"""

import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import msgspec

from standfast.brokers.alpaca import parse, rights
from standfast.brokers.alpaca import terms as forms
from standfast.brokers.alpaca.client import Access, AlpacaClient, Throttles
from standfast.brokers.alpaca.history import History
from standfast.brokers.alpaca.kept import KeptOrders, KeptPositions
from standfast.brokers.alpaca.open_orders import read_open_orders
from standfast.brokers.alpaca.quote_stream import QuoteStream
from standfast.brokers.alpaca.refusals import failure, is_absent
from standfast.brokers.alpaca.rows import (
    AccountRow,
    AssetRow,
    ClockRow,
    ContractRow,
    OrderRow,
    PositionRow,
    QuotesReply,
    WhitelistedRow,
)
from standfast.brokers.alpaca.stream import OrderStream, Wire
from standfast.brokers.shared import reading
from standfast.brokers.shared.courier import Deadlines
from standfast.brokers.shared.throttle import Throttle
from standfast.brokers.shared.transport import Response, Transport
from standfast.model.contract import Contract
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected
from standfast.model.evidence import AccountRead, ActivitiesRead, MarketClock, OrdersRead, PositionsRead, Rights
from standfast.model.ids import AccountId, BrokerOrderId, ClientOrderId, Holding, InstrumentId, is_told_as
from standfast.model.instrument import Instrument
from standfast.model.order import OrderReport, Terms
from standfast.model.quote import Quote
from standfast.model.secret import Secret
from standfast.ports import BrokerEvent, Clock, Ticks

CONTRACT = Contract(
    staleness=timedelta(seconds=10),
    flight=timedelta(seconds=30),
    unique_ids=True,
    searchable_ids=True,
    reduce_only=False,
    oco=True,
    native_replace=True,
    replace_keeps_cover=True,
    reserves_quantity=True,
    checks_closing=True,
    refuses_wash_trades=True,
    fractional_stops=False,
    order_life=timedelta(days=90),
    requests_per_minute=200,
)

INSTRUMENT_KEPT = 3600.0
"""Seconds an instrument's rules are believed."""

SYMBOLS_IN_A_REQUEST = 100

BAD_REQUEST = "400"
ASKED_AGAIN = 600.0
"""Seconds after which a symbol that the data host refused is tried again."""
NEVER = float("-inf")

POSITION = msgspec.json.Decoder(PositionRow)
ORDER = msgspec.json.Decoder(OrderRow)
ACCOUNT = msgspec.json.Decoder(AccountRow)
CLOCK = msgspec.json.Decoder(ClockRow)
ASSET = msgspec.json.Decoder(AssetRow)
OPTION = msgspec.json.Decoder(ContractRow)
WHITELIST = msgspec.json.Decoder(list[WhitelistedRow])
QUOTES = msgspec.json.Decoder(QuotesReply)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlpacaSettings:
    """Addresses are scheme and host; a stream address may carry its path."""

    account: AccountId
    key_id: Secret
    secret: Secret
    rest_url: str = "https://paper-api.alpaca.markets"
    stream_url: str = "wss://paper-api.alpaca.markets"
    data_url: str = "https://data.alpaca.markets"
    data_stream_url: str = "wss://stream.data.alpaca.markets"
    feed: str = "iex"
    option_feed: str = "indicative"
    rate_share: float = 0.25
    requests_per_minute: int = CONTRACT.requests_per_minute
    deadlines: Deadlines = field(default_factory=Deadlines)
    seed: int = 0
    """Of the jitter between attempts."""


class AlpacaBroker:
    """Implements `ports.Broker`; its errors are the port's and no others."""

    def __init__(self, settings: AlpacaSettings, *, clock: Clock, transport: Transport) -> None:
        answer = settings.deadlines.answer_within
        assert answer < CONTRACT.flight.total_seconds(), "a write may not be on its way for longer than declared"
        self._settings = settings
        self._contract = replace(CONTRACT, requests_per_minute=settings.requests_per_minute)
        self._clock = clock
        self._transport = transport
        access = Access(
            key_id=settings.key_id,
            secret=settings.secret,
            rest_url=settings.rest_url.rstrip("/"),
            data_url=settings.data_url.rstrip("/"),
        )
        draw = random.Random(f"{settings.account}/{settings.seed}")
        self._client = AlpacaClient(
            access,
            clock=clock,
            transport=transport,
            throttles=_throttles(settings, clock),
            draw=draw,
            deadlines=settings.deadlines,
        )
        wire = Wire(access=access, clock=clock, transport=transport, draw=draw)
        self._order_stream = OrderStream(wire, _with_path(settings.stream_url, "/stream"))
        self._quote_stream = QuoteStream(wire, _with_path(settings.data_stream_url, f"/v2/{settings.feed}"))
        self._positions = KeptPositions()
        self._orders = KeptOrders()
        self._history = History(self._client)
        self._instruments: dict[InstrumentId, tuple[float, Instrument]] = {}
        self._unquoted: dict[str, float] = {}

    @property
    def contract(self) -> Contract:
        return self._contract

    @property
    def quotes_down(self) -> str:
        """Why no streamed quotes come; empty while they do."""
        return self._quote_stream.down

    async def instrument(self, instrument: InstrumentId) -> Instrument:
        kept = self._instruments.get(instrument)
        if kept is not None and self._clock.monotonic() - kept[0] < INSTRUMENT_KEPT:
            return kept[1]
        if parse.is_option(instrument):
            found = parse.option(reading.rows(OPTION, await self._client.get_contract(instrument), "option contract"))
        else:
            found = parse.equity(reading.rows(ASSET, await self._client.get_asset(instrument), "asset"))
        if found.id != instrument:
            raise Malformed(f"asked for {instrument}, told of {found.id}")
        self._instruments[instrument] = (self._clock.monotonic(), found)
        return found

    async def positions(self, *, urgency: int = Urgency.READ) -> PositionsRead:
        began = self._clock.now()
        rows, changed = self._positions.take(await self._client.get_positions(urgency))
        return PositionsRead(rows=rows, changed=changed, began=began, ended=self._clock.now())

    async def position(self, holding: Holding) -> Decimal:
        response = await self._client.get_position(str(holding.instrument))
        if response.status == 404:
            if is_absent(response):
                return Decimal(0)
            raise failure("GET", response, None)
        found = parse.held(reading.rows(POSITION, response.body, "position"))
        if found.holding != holding:
            raise Malformed(f"asked for {holding}, told of {found.holding}")
        return found.quantity

    async def working_orders(self, *, urgency: int = Urgency.READ) -> OrdersRead:
        began = self._clock.now()
        orders, changed = self._orders.take(await read_open_orders(self._client, urgency))
        return OrdersRead(orders=orders, changed=changed, began=began, ended=self._clock.now())

    async def order(
        self, *, broker_id: BrokerOrderId | None = None, client_id: ClientOrderId | None = None
    ) -> OrderReport | None:
        assert (broker_id is None) != (client_id is None), "one of the two ids"
        if broker_id is not None:
            return _found(await self._client.get_order(broker_id))
        assert client_id is not None, "the other id"
        report = _found(await self._client.get_order_by_client_id(client_id))
        if report is not None and not is_told_as(report.client_id, client_id):
            raise Malformed(f"asked for {client_id}, told of {report.client_id}")
        if report is None or not report.order_class or report.legs:
            return report
        return _found(await self._client.get_order(report.broker_id))  # only this one shows the legs

    async def activities(self, watermark: str, *, urgency: int = Urgency.READ) -> ActivitiesRead:
        return await self._history.read(watermark, urgency)

    async def account(self) -> AccountRead:
        return parse.account(reading.rows(ACCOUNT, await self._client.get_account(), "account"))

    async def rights(self) -> Rights:
        """What is known of the key's rights: not part of the port, and raises nothing."""
        try:
            row = reading.rows(ACCOUNT, await self._client.get_account(), "account")
            is_open = not row.transfers_blocked and row.crypto_status == "ACTIVE"
            body = await self._client.get_whitelist() if is_open else b"[]"
            return rights.judge(row, reading.rows(WHITELIST, body, "whitelist"))
        except BrokerError as error:
            return Rights(may_withdraw=None, detail=f"addresses for withdrawals were not told ({error})")

    async def clock(self) -> MarketClock:
        return parse.clock(reading.rows(CLOCK, await self._client.get_clock(), "clock"))

    async def quotes(self, holdings: Sequence[Holding]) -> Mapping[Holding, Quote]:
        found: dict[Holding, Quote] = {}
        for is_option in (False, True):
            names = sorted({str(each.instrument) for each in holdings if parse.is_option(each.instrument) is is_option})
            known = [name for name in names if self._clock.monotonic() - self._unquoted.get(name, NEVER) > ASKED_AGAIN]
            for first in range(0, len(known), SYMBOLS_IN_A_REQUEST):
                found |= await self._quotes_of(known[first : first + SYMBOLS_IN_A_REQUEST], is_option=is_option)
        return {holding: found[holding] for holding in holdings if holding in found}

    async def _quotes_of(self, names: list[str], *, is_option: bool) -> dict[Holding, Quote]:
        """One symbol the data host does not like refuses all that were asked with it: find it, and go on without."""
        feed = self._settings.option_feed if is_option else self._settings.feed
        try:
            body = await self._client.get_latest_quotes(names, feed=feed, is_option=is_option)
        except Rejected as error:
            if error.code != BAD_REQUEST:
                raise
            if len(names) == 1:
                self._unquoted[names[0]] = self._clock.monotonic()
                return {}
            half = len(names) // 2
            first = await self._quotes_of(names[:half], is_option=is_option)
            return first | await self._quotes_of(names[half:], is_option=is_option)
        received = self._clock.now()
        rows = reading.rows(QUOTES, body, "latest quotes").quotes
        return {reading.holding(symbol): parse.quote(row, received) for symbol, row in rows.items()}

    async def submit(self, client_id: ClientOrderId, holding: Holding, terms: Terms, turn: Turn) -> OrderReport:
        body = forms.submission(client_id, holding, terms)
        return _acknowledged(await self._client.post_order(body, turn), client_id)

    async def cancel(self, broker_id: BrokerOrderId, turn: Turn) -> None:
        await self._client.delete_order(broker_id, turn)

    async def replace(
        self, broker_id: BrokerOrderId, client_id: ClientOrderId, terms: Terms, turn: Turn
    ) -> OrderReport:
        row = self._orders.row(broker_id)
        standing = reading.number(row.qty, "order qty") if row is not None and row.qty is not None else None
        body = forms.replacement(client_id, terms, standing=standing)
        return _acknowledged(await self._client.patch_order(broker_id, body, turn), client_id)

    def events(self) -> AsyncGenerator[BrokerEvent, None]:
        return self._order_stream.events()

    def quote_events(self) -> AsyncGenerator[Ticks, None]:
        return self._quote_stream.quotes()

    def watch(self, holdings: frozenset[Holding]) -> None:
        self._quote_stream.watch(holdings)

    async def close(self) -> None:
        await self._transport.close()


def _throttles(settings: AlpacaSettings, clock: Clock) -> Throttles:
    """One budget per host: a simulator that serves both from one address counts them together."""

    def throttle() -> Throttle:
        return Throttle(clock, requests_per_minute=settings.requests_per_minute, rate_share=settings.rate_share)

    trading = throttle()
    is_one_host = urlsplit(settings.rest_url).netloc == urlsplit(settings.data_url).netloc
    return Throttles(trading=trading, data=trading if is_one_host else throttle())


def _with_path(url: str, path: str) -> str:
    return url if urlsplit(url).path.strip("/") else url.rstrip("/") + path


def _found(response: Response) -> OrderReport | None:
    """The order, or None when Alpaca itself says that it knows none."""
    if response.status == 404:
        if is_absent(response):
            return None
        raise failure("GET", response, None)
    return parse.order(reading.rows(ORDER, response.body, "order"))


def _acknowledged(response: Response, client_id: ClientOrderId) -> OrderReport:
    """The report of the order we sent; any other answer to a write leaves the outcome open."""
    try:
        report = parse.order(reading.rows(ORDER, response.body, "order"))
    except Malformed as error:
        raise OutcomeUnknown(f"the answer cannot be understood: {error}") from None
    if not is_told_as(report.client_id, client_id):
        raise OutcomeUnknown(f"the answer is about {report.client_id}, not about {client_id}")
    return report
