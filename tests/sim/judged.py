"""A world without a guard: what a guard would do is done by hand, right or wrong, and judged."""

import dataclasses
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from standfast.core.policy import Foreign, Mode, Policy, Rules
from standfast.exchange import orders as theirs
from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import Asset
from standfast.exchange.engine import Engine
from standfast.exchange.refusal import Refused
from standfast.model import journal as j
from standfast.model.ids import (
    AccountId,
    BrokerOrderId,
    ClientOrderId,
    ExecutionId,
    Holding,
    InstrumentId,
    PositionId,
    client_order_id,
)
from standfast.model.order import Fill, OrderReport, OrderType, Role, Side, Terms, TimeInForce
from standfast.model.position import CloseReason, Standing
from standfast.sim import translate
from standfast.sim.disk import at_once
from standfast.sim.judge.checker import Checker
from standfast.stores.memory import MemoryStore

D = Decimal
START = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)
ACCOUNT = AccountId("sim")
HOLDING = Holding(InstrumentId("AAPL"))
POSITION = PositionId("p1")
POLICY = Policy(name="default", stop_loss=D("0.02"))
RULES = Rules(account=ACCOUNT, mode=Mode.REPAIR, foreign=Foreign.ADOPT, policies=(POLICY,))
CANARY = "canary-of-the-tests"


class Judged:
    """One account at an exchange whose session never ends, a journal, and the checker over both."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.rules = rules
        spec = AccountSpec(name=ACCOUNT, key_id="k", secret="s")
        self.engine = Engine([Asset(instrument="AAPL")], [spec], start=START)
        self.store = MemoryStore()
        self.journal = at_once(self.store.acquire(ACCOUNT, "one", START))
        self.account = None
        self.guards: dict[str, Any] = {}
        self.is_healthy = True
        self.health = lambda instrument: self.is_healthy
        self.quote("100.00", "100.02")
        self.checker = Checker(self, canaries=(CANARY,))
        self.engine.listeners.append(self.checker.happened)
        self.commit(j.GuardStarted(version="1", mode="repair"))
        self.commit(j.GuardingBegan(broker="b", at_broker=START, watermark=""))
        self.attempts = 0

    def quote(self, bid: str, ask: str) -> None:
        self.engine.quote("AAPL", D(bid), D(ask), D(1000), D(1000), self.engine.now)

    def commit(self, *facts: j.Fact) -> None:
        self.checker.committed(at_once(self.journal.append(facts, self.engine.now)))

    def wait(self, seconds: int) -> None:
        """So many seconds pass, one by one."""
        for _ in range(seconds):
            self.engine.advance(self.engine.now + timedelta(seconds=1))
            self.checker.tick(self.engine.now)

    # --- somebody else --------------------------------------------------------------------------

    def bot(self, signed: int, id: str = "bot-1", target: str | None = None) -> theirs.Order:
        side = theirs.Side.BUY if signed > 0 else theirs.Side.SELL
        terms = theirs.Terms(instrument="AAPL", side=side, quantity=D(abs(signed)))
        ticket = theirs.Ticket(terms=terms, client_order_id=id)
        if target is not None:
            brings = theirs.TakeProfit(limit_price=D(target))
            ticket = dataclasses.replace(ticket, order_class=theirs.OrderClass.OTO, take_profit=brings)
        order = self.engine.submit(ACCOUNT, ticket)
        return self.engine.order(ACCOUNT, order.id)

    def bot_limit(self, signed: int) -> theirs.Order:
        """A limit order far from the market, of which nothing fills by itself."""
        side = theirs.Side.BUY if signed > 0 else theirs.Side.SELL
        price = D(50) if signed > 0 else D(200)
        terms = theirs.Terms(
            instrument="AAPL", side=side, quantity=D(abs(signed)), type=theirs.OrderType.LIMIT, limit_price=price
        )
        return self.engine.submit(ACCOUNT, theirs.Ticket(terms=terms, client_order_id="bot-limit"))

    # --- the guard, by hand ---------------------------------------------------------------------

    def adopt(
        self,
        signed: int,
        position: PositionId = POSITION,
        standing: Standing = Standing.ADOPTED,
        *,
        target: str | None = None,
    ) -> None:
        """A bot's purchase, and the entries that take it in."""
        order = self.bot(signed, f"bot-{position}", target)
        sign = 1 if signed > 0 else -1
        found = j.LotFound(
            position=position,
            holding=HOLDING,
            sign=sign,
            standing=standing,
            strategy="foreign",
            order=BrokerOrderId(order.id),
        )
        self.commit(found, self.booked(order, position, opens=True))

    def booked(
        self, order: theirs.Order, position: PositionId, *, opens: bool, quantity: int | None = None, id: str = ""
    ) -> j.FillBooked:
        """The entry for what an order has filled."""
        filled = D(quantity) if quantity is not None else order.filled
        fill = Fill(
            execution_id=ExecutionId(id or f"x-{order.id}"),
            broker_order_id=BrokerOrderId(order.id),
            holding=HOLDING,
            side=Side(order.side.value),
            quantity=filled,
            price=D("100.02"),
            at=self.engine.now,
        )
        part = j.Allocation(position=position, quantity=filled, opens=opens)
        return j.FillBooked(fill=fill, allocations=(part,))

    def mean(
        self,
        role: Role,
        side: Side,
        quantity: int,
        *,
        stop: str | None = None,
        position: PositionId = POSITION,
        commits: bool = True,
    ) -> j.OrderIntended:
        """An intent, committed unless it shall not be."""
        self.attempts += 1
        made = j.OrderIntended(
            id=client_order_id(ACCOUNT, position, role, self.attempts),
            position=position,
            role=role,
            holding=HOLDING,
            terms=Terms(
                side=side,
                quantity=D(quantity),
                type=OrderType.MARKET if stop is None else OrderType.STOP,
                time_in_force=TimeInForce.DAY if stop is None else TimeInForce.GTC,
                stop_price=D(stop) if stop is not None else None,
                reduces=role is not Role.OPEN,
            ),
            attempt=self.attempts,
            reason="",
        )
        if commits:
            self.commit(made)
        return made

    def send(self, intent: j.OrderIntended, terms: Terms | None = None) -> theirs.Order | None:
        """It arrives; None when the exchange refuses it. Raises what the checker found on its arrival."""
        ticket = translate.ticket(intent.id, HOLDING, terms or intent.terms)
        try:
            order = self.engine.submit(ACCOUNT, ticket)
        except Refused:
            self.checker.effect("answer submit")
            return None
        self.checker.effect("answer submit")
        return self.engine.order(ACCOUNT, order.id)

    def mean_to_move(self, order: theirs.Order, quantity: int, *, stop: str) -> j.OrderIntended:
        """An intent to put another stop in the place of this one."""
        made = self.mean(Role.STOP, Side.SELL, quantity, stop=stop, commits=False)
        made = dataclasses.replace(made, replaces=ClientOrderId(order.client_order_id))
        self.commit(made)
        return made

    def move(self, order: theirs.Order, intent: j.OrderIntended) -> None:
        """As `send`, in the place of an order that rests."""
        change = translate.change(intent.id, intent.terms, order.terms.quantity)
        with suppress(Refused):
            self.engine.replace(ACCOUNT, order.id, change)
        self.checker.effect("answer replace")

    def observe(self, order: theirs.Order, **changes: Any) -> None:
        """The journal's word on an order, as it is or as somebody says it is."""
        report = translate.report(self.engine.order(ACCOUNT, order.id))
        fields = {name: getattr(report, name) for name in OrderReport.__dataclass_fields__} | changes
        self.commit(j.OrderObserved(report=OrderReport(**fields), position=POSITION, role=Role.STOP))

    def protect(self, quantity: int, *, stop: str = "98.02", position: PositionId = POSITION) -> theirs.Order:
        """A stop as it should be: meant, sent, observed."""
        order = self.send(self.mean(Role.STOP, Side.SELL, quantity, stop=stop, position=position))
        assert order is not None
        self.observe(order)
        return order

    def cancel_and_place_anew(self) -> None:
        """What a guard that cannot keep still does with its stops."""
        order = self.engine.orders(ACCOUNT)[0]
        self.commit(j.CancelIntended(broker_id=BrokerOrderId(order.id), holding=HOLDING, reason="to move it"))
        self.engine.cancel(ACCOUNT, order.id)
        self.observe(order)
        self.wait(1)

    def request_close(self, position: PositionId = POSITION, remain: int = 0) -> None:
        self.commit(
            j.CloseRequested(position=position, reason=CloseReason.OPERATOR, by="operator", detail="", remain=D(remain))
        )

    def close(self, quantity: int, position: PositionId = POSITION) -> theirs.Order:
        order = self.send(self.mean(Role.CLOSE, Side.SELL, quantity, position=position))
        assert order is not None
        self.observe(order)
        return order

    def settle(self, position: PositionId = POSITION) -> None:
        self.commit(j.PositionSettled(position=position, reason=CloseReason.OPERATOR, proof="fills"))


def own_id(text: str) -> ClientOrderId:
    """An id in this account's own form that no intent has."""
    return client_order_id(ACCOUNT, PositionId(text), "stop", 99)
