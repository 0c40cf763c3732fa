"""The port `Broker` over one Tradier account.

Theory: the client sends, `parse` and `order_rows` understand, `orders` decides when a list is whole, this module what
is returned. Tradier has no client order ids: ours travel as tags, which it neither checks nor lets one search for. So
an order in doubt is looked for among today's orders, and never sent again.

Invariants
- A list is returned whole or not at all.
- A reply to a write that names no order is `OutcomeUnknown`, whatever its status; "ok" acknowledges, and no more: an
  order may be rejected afterwards.
- No position is read by name: Tradier has only the list. So `position` reads it anew, and what today's orders add up to
  beside it: a list that shows what it showed before they filled is an old one.
"""

import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from standfast.brokers.shared.courier import Deadlines
from standfast.brokers.shared.reading import rows
from standfast.brokers.shared.throttle import Throttle, Told
from standfast.brokers.shared.transport import Transport
from standfast.brokers.shared.wire import Wire
from standfast.brokers.shared.writing import acknowledged
from standfast.brokers.tradier import parse, refusals
from standfast.brokers.tradier import terms as forms
from standfast.brokers.tradier.acknowledged import acknowledged_together
from standfast.brokers.tradier.client import Access, Throttles, TradierClient
from standfast.brokers.tradier.history import History
from standfast.brokers.tradier.order_rows import NO_HOLDING
from standfast.brokers.tradier.orders import Orders
from standfast.brokers.tradier.quote_stream import QuoteStream, no_quotes
from standfast.brokers.tradier.rows import ProfileReply, each
from standfast.brokers.tradier.seen_before import SeenBefore, traded
from standfast.brokers.tradier.sessions import Sessions
from standfast.brokers.tradier.stream import OrderStream
from standfast.model.contract import Contract
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected
from standfast.model.evidence import (
    AccountRead,
    ActivitiesRead,
    EndTold,
    HeldReport,
    MarketClock,
    OrdersRead,
    PositionsRead,
)
from standfast.model.greeks import Greeks
from standfast.model.ids import AccountId, BrokerOrderId, ClientOrderId, Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.model.order import ZERO, FilledTotal, LegTerms, OrderReport, Terms
from standfast.model.quote import Quote
from standfast.model.secret import Secret
from standfast.ports import BrokerEvent, Clock, Ticks

SANDBOX = "https://sandbox.tradier.com"
ORDERS_PER_MINUTE = 60
"""Writes are counted apart from reads."""

CONTRACT = Contract(
    staleness=timedelta(seconds=15),
    flight=timedelta(seconds=30),
    unique_ids=False,
    searchable_ids=True,
    reduce_only=False,
    oco=True,
    native_replace=False,
    replace_keeps_cover=False,
    reserves_quantity=True,
    checks_closing=True,
    tells_movements=False,
    one_source=True,
    multileg=True,
    fractional_stops=False,
    order_life=None,
    requests_per_minute=120,
    orders_per_minute=ORDERS_PER_MINUTE,
)
PAPER_REQUESTS_PER_MINUTE = 60

HEADERS = Told(limit="x-ratelimit-allowed", remaining="x-ratelimit-available", reset="x-ratelimit-expiry", units=1000)
DEADLINES = Deadlines(steady_turn_within=90.0)
"""The budget is small: a steady read that has to wait for its turn has not failed."""

INSTRUMENT_KEPT = 3600.0
PROFILE_KEPT = 600.0
"""Seconds an instrument's rules, and the account's standing, are believed."""
SYMBOLS_IN_A_REQUEST = 200
PROFILE = msgspec.json.Decoder(ProfileReply)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradierSettings:
    """Addresses are scheme and host. `secret` is the access token."""

    account: AccountId
    account_id: str
    secret: Secret
    rest_url: str = SANDBOX
    stream_url: str = "wss://sandbox-ws.tradier.com"
    data_url: str = SANDBOX
    data_stream_url: str = ""
    """Empty: quotes are polled. The sandbox has no stream of them."""
    rate_share: float = 0.25
    requests_per_minute: int = PAPER_REQUESTS_PER_MINUTE
    orders_per_minute: int = ORDERS_PER_MINUTE
    deadlines: Deadlines = field(default=DEADLINES)
    seed: int = 0
    """Of the jitter between attempts."""


class TradierBroker:
    """Implements `ports.Broker`; its errors are the port's and no others."""

    def __init__(self, settings: TradierSettings, *, clock: Clock, transport: Transport) -> None:
        answer = settings.deadlines.answer_within
        assert answer < CONTRACT.flight.total_seconds(), "a write may not be on its way for longer than declared"
        self._settings = settings
        self._contract = replace(CONTRACT, requests_per_minute=settings.requests_per_minute)
        self._clock = clock
        self._transport = transport
        draw = random.Random(f"{settings.account}/{settings.seed}")
        self._client = TradierClient(
            _access(settings),
            clock=clock,
            transport=transport,
            throttles=_throttles(settings, clock),
            draw=draw,
            deadlines=settings.deadlines,
        )
        self._orders = Orders(self._client, clock)
        self._history = History(self._orders)
        self._sessions = Sessions(self._client)
        wire = Wire(clock=clock, transport=transport, draw=draw)
        self._quote_stream = QuoteStream(wire, self._client, settings.data_stream_url)
        self._stream = OrderStream(
            wire,
            self._client,
            self._orders,
            url=settings.stream_url,
            account_id=settings.account_id,
        )
        self.greeks: Mapping[Holding, Greeks] = {}
        self._held: dict[Holding, HeldReport] | None = None
        self._held_body = b""
        self._seen = SeenBefore()
        self._working: dict[BrokerOrderId, OrderReport] | None = None
        self._instruments: dict[InstrumentId, tuple[float, Instrument]] = {}
        self._underlyings: dict[InstrumentId, InstrumentId] = {}
        self._standing: tuple[float, str] | None = None

    @property
    def quotes_down(self) -> str:
        """Why no streamed quotes come; empty while they do."""
        return self._quote_stream.down

    @property
    def contract(self) -> Contract:
        return self._contract

    def hurry(self) -> None:
        self._client.hurry()

    async def instrument(self, instrument: InstrumentId) -> Instrument:
        kept = self._instruments.get(instrument)
        if kept is not None and self._clock.monotonic() - kept[0] < INSTRUMENT_KEPT:
            return kept[1]
        found = [
            row for row in parse.quote_rows(await self._client.get_quotes([instrument])) if row.symbol == instrument
        ]
        if not found:
            raise Rejected(f"{instrument} is not known to the broker", kind="not_found", code="local")
        known = parse.instrument(found[0])
        under = parse.underlying(found[0])
        if under is not None:
            self._underlyings[instrument] = under
        self._instruments[instrument] = (self._clock.monotonic(), known)
        return known

    async def positions(self, *, urgency: int = Urgency.READ) -> PositionsRead:
        began = self._clock.now()
        body = await self._client.get_positions(urgency)
        before = self._held
        if before is None or body != self._held_body:
            held = parse.positions(body)
            self._held_body = body
            self._held = held if held != before else before
        assert self._held is not None, "read just now"
        changed = _differing(before, self._held)
        self._seen.note(self._held, changed if before is not None else self._held.keys(), began)
        return PositionsRead(rows=self._held, changed=changed, began=began, ended=self._clock.now())

    async def position(self, holding: Holding) -> Decimal:
        found = parse.positions(await self._client.get_positions(Urgency.VERIFY)).get(holding)
        listed = ZERO if found is None else found.quantity
        since = self._seen.first(holding, listed)
        if since is None:
            return listed  # never seen before, so it is no old one
        until = self._clock.now() - CONTRACT.staleness
        orders = await self._orders.every(Urgency.VERIFY)
        return listed + traded(orders.values(), holding, since=since, until=until)

    async def working_orders(self, *, urgency: int = Urgency.READ) -> OrdersRead:
        began = self._clock.now()
        before, self._working = self._working, await self._orders.working(urgency)
        changed = _differing(before, self._working)
        return OrdersRead(orders=self._working, changed=changed, began=began, ended=self._clock.now())

    async def order(
        self, *, broker_id: BrokerOrderId | None = None, client_id: ClientOrderId | None = None
    ) -> OrderReport | None:
        assert (broker_id is None) != (client_id is None), "one of the two ids"
        if broker_id is not None:
            return await self._orders.by_id(broker_id)
        assert client_id is not None, "the other id"
        return await self._orders.by_tag(client_id)

    async def activities(self, watermark: str, *, urgency: int = Urgency.READ) -> ActivitiesRead:
        read = await self._history.read(watermark, urgency)
        for total in read.totals:
            await self._check_name(total)
        return read

    async def _check_name(self, total: FilledTotal) -> None:
        """An order may be told under another name than its own: what the broker does not quote was not traded today."""
        name = total.holding.instrument
        if name in self._instruments:
            return
        try:
            await self.instrument(name)
        except Rejected as error:
            raise Malformed(f"order {total.broker_order_id} is of {name}: {error}") from None

    async def account(self) -> AccountRead:
        status = await self._account_status()
        body = await self._client.get_balances()
        return parse.account(body, account_id=self._settings.account_id, status=status)

    async def _account_status(self) -> str:
        """The account's standing by the profile. Raises Malformed when the token does not reach the account."""
        now = self._clock.monotonic()
        if self._standing is not None and now - self._standing[0] < PROFILE_KEPT:
            return self._standing[1]
        reached = each(rows(PROFILE, await self._client.get_profile(), "profile").profile.account)
        ours = [row for row in reached if str(row.account_number) == self._settings.account_id]
        if not ours:
            raise Malformed("profile: the token does not reach the account that is configured")
        self._standing = (now, str(ours[0].status))
        return self._standing[1]

    async def clock(self) -> MarketClock:
        return await self._sessions.clock()

    async def quotes(self, holdings: Sequence[Holding]) -> Mapping[Holding, Quote]:
        names = sorted({str(each.instrument) for each in holdings})
        found: dict[Holding, Quote] = {}
        greeks: dict[Holding, Greeks] = {}
        for first in range(0, len(names), SYMBOLS_IN_A_REQUEST):
            body = await self._client.get_quotes(names[first : first + SYMBOLS_IN_A_REQUEST])
            found |= parse.quotes(body, self._clock.now())
            greeks |= parse.greeks(body)
        self.greeks = greeks
        return {holding: found[holding] for holding in holdings if holding in found}

    async def ends(self, day: date) -> tuple[EndTold, ...] | None:
        if self._settings.rest_url == SANDBOX:
            return None  # it has no history
        text = day.isoformat()
        return parse.ends(await self._client.get_history(start=text, end=text))

    async def submit(self, client_id: ClientOrderId, holding: Holding, terms: Terms, turn: Turn) -> OrderReport:
        form = forms.submission(client_id, holding, terms, self._underlying(holding))
        response = await self._client.post_order(form, turn)
        broker_id = refusals.accepted("POST", response)
        self._orders.note_sent(broker_id, client_id, holding)
        if terms.target_price is not None or terms.attached_stop is not None:
            return await self._with_legs(broker_id)
        return acknowledged(broker_id, client_id, holding, terms)

    async def _with_legs(self, broker_id: BrokerOrderId) -> OrderReport:
        """The answer names no legs, and a pair without its stop would look like one that has lost it."""
        try:
            found = await self._orders.by_id(broker_id)
        except BrokerError as error:
            raise OutcomeUnknown(f"it was taken as {broker_id}, and its legs were not read: {error}") from None
        if found is None:
            raise OutcomeUnknown(f"it was taken as {broker_id}, which is not known yet")
        return found

    async def submit_together(
        self, client_id: ClientOrderId, legs: Sequence[LegTerms], net: Decimal | None, turn: Turn
    ) -> OrderReport:
        option = next((leg.holding for leg in legs if forms.is_option(leg.holding)), NO_HOLDING)
        form = forms.together(client_id, legs, net, self._underlying(option))
        broker_id = refusals.accepted("POST", await self._client.post_order(form, turn))
        self._orders.note_sent(broker_id, client_id, NO_HOLDING)
        return acknowledged_together(broker_id, client_id, legs, net)

    def _underlying(self, holding: Holding) -> InstrumentId:
        """By the broker's word, where it has told; else by the name."""
        return self._underlyings.get(holding.instrument) or forms.underlying_of(holding.instrument)

    async def cancel(self, broker_id: BrokerOrderId, turn: Turn) -> None:
        refusals.accepted("DELETE", await self._client.delete_order(broker_id, turn))

    async def replace(
        self, broker_id: BrokerOrderId, client_id: ClientOrderId, terms: Terms, turn: Turn
    ) -> OrderReport:
        """Not declared, so never asked for: Tradier changes an order under its old id and tag, and no quantity."""
        raise Rejected(f"{broker_id} cannot be replaced here: it was not sent", kind="other", code="local")

    def events(self) -> AsyncGenerator[BrokerEvent, None]:
        return self._stream.events()

    def quote_events(self) -> AsyncGenerator[Ticks, None]:
        return self._quote_stream.quotes() if self._settings.data_stream_url else no_quotes(self._clock)

    def watch(self, holdings: frozenset[Holding]) -> None:
        self._quote_stream.watch(holdings)

    async def close(self) -> None:
        await self._transport.close()


def _access(settings: TradierSettings) -> Access:
    return Access(
        token=settings.secret,
        account_id=settings.account_id,
        rest_url=settings.rest_url.rstrip("/"),
        data_url=settings.data_url.rstrip("/"),
    )


def _throttles(settings: TradierSettings, clock: Clock) -> Throttles:
    """Reads of the account, market data and orders are counted apart, also on one host."""

    def throttle(per_minute: int, share: float) -> Throttle:
        return Throttle(clock, requests_per_minute=per_minute, rate_share=share, told=HEADERS)

    reads = settings.requests_per_minute
    return Throttles(
        reads=throttle(reads, settings.rate_share),
        data=throttle(reads, settings.rate_share),
        orders=throttle(settings.orders_per_minute, settings.rate_share),
    )


def _differing(before: Mapping[Any, Any] | None, now: Mapping[Any, Any]) -> frozenset[Any]:
    """The keys under which something else stands; the first time, all."""
    if before is None:
        return frozenset(now)
    if before is now:
        return frozenset()
    return frozenset(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
