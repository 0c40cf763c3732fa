"""An account that does a bit of everything, step by step, for properties."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import Asset
from standfast.exchange.engine import Engine
from standfast.exchange.orders import OrderType, Side, Terms, Ticket, TimeInForce
from standfast.exchange.refusal import Refused
from standfast.exchange.sessions import USSessions

NAMES = ["AAA", "BBB", "CCC", "DDD"]
START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
STEPS = st.lists(
    st.tuples(st.sampled_from(["buy", "sell", "rest", "quote", "split", "night", "read"]), st.sampled_from(NAMES)),
    max_size=40,
)


class Account:
    def __init__(self) -> None:
        self.engine = Engine(
            [Asset(instrument=name) for name in NAMES],
            [AccountSpec(name="paper", key_id="key", secret="secret", cash=Decimal(10_000_000))],
            start=START,
            calendar=USSessions(),
        )
        self.price = Decimal(100)
        for name in NAMES:
            self.quote(name)

    def quote(self, name: str) -> None:
        self.price += Decimal("0.01")
        size = Decimal(10_000)
        self.engine.quote(name, self.price, self.price + Decimal("0.02"), size, size, self.engine.now)

    def submit(self, name: str, side: Side, **more: object) -> None:
        terms = {"instrument": name, "side": side, "quantity": Decimal(3)} | more
        try:
            self.engine.submit("paper", Ticket(terms=Terms(**terms)))  # type: ignore[arg-type]  # keywords of terms
        except Refused:
            pass  # too much held or a wash trade: the step does nothing

    def step(self, what: str, name: str) -> None:
        match what:
            case "buy":
                self.submit(name, Side.BUY)
            case "sell":
                self.submit(name, Side.SELL)
            case "rest":
                self.submit(
                    name, Side.SELL, type=OrderType.LIMIT, limit_price=Decimal(500), time_in_force=TimeInForce.GTC
                )
            case "quote":
                self.quote(name)
            case "split":
                self.engine.split(name, Decimal(2))
            case "night":
                self.engine.advance(self.engine.now + timedelta(hours=24))
            case _:
                assert what == "read"  # a step of whoever watches
