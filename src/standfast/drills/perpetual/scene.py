"""What a drill of perpetual futures starts from. Prices stand until the story moves them, quoted each second."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from standfast.core.policy import Foreign, Limits, Mode, Policy, Rules
from standfast.drills.scene import ACCOUNT, MORNING, SECOND
from standfast.exchange.perpetual.contract import Perpetual, perpetual, symbol_of
from standfast.exchange.perpetual.rules import PerpetualRules
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.serving_perpetuals import RULES

BTC, AVL = "BTC/USDT:USDT", "AVL/USDT:USDT"
SIZE = Decimal(1_000_000)
CASH = Decimal(10_000)
STOP_AT_5 = Policy(name="drill", stop_loss=Decimal("0.05"))

At = Literal["bybit", "binance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerpetualScene:
    """`prices`: bid and ask by contract when the curtain rises. `hedged`: two positions in each contract, not one."""

    start: datetime = MORNING
    prices: Mapping[str, tuple[str, str]] = field(default_factory=lambda: {AVL: ("0.1999", "0.2000")})
    every: timedelta = SECOND
    policies: tuple[Policy, ...] = (STOP_AT_5,)
    foreign: Foreign = Foreign.ADOPT
    mode: Mode = Mode.REPAIR
    at: At = "bybit"
    cash: Decimal = CASH
    leverage: Decimal = Decimal(10)
    hedged: bool = False
    isolated: bool = False
    """Whether each position has margin of its own, and can lose no more."""
    changes: Mapping[str, object] = field(default_factory=dict)
    """Of every contract, where it is not as the exchanges list it."""
    speed: float = 5.0
    """Of a served exchange in real time: its seconds in one of ours."""

    @property
    def rules(self) -> Rules:
        """Of the guard."""
        return Rules(account=ACCOUNT, mode=self.mode, foreign=self.foreign, policies=self.policies, limits=Limits())

    @property
    def exchange_rules(self) -> PerpetualRules:
        return RULES[self.at]

    def contracts(self) -> list[Perpetual]:
        return [perpetual(symbol_of(name), **self.changes) for name in sorted(self.prices)]


class Board:
    """The prices of a scene, as `exchange.market.Prices`."""

    def __init__(self, scene: PerpetualScene) -> None:
        self._shown = {name: (Decimal(bid), Decimal(ask)) for name, (bid, ask) in scene.prices.items()}
        self._every = scene.every

    def set(self, instrument: str, bid: Decimal, ask: Decimal) -> None:
        """In force from the next quote on."""
        assert 0 < bid < ask, (bid, ask)
        self._shown[instrument] = (bid, ask)

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        at = start
        while at < end:
            for name, (bid, ask) in sorted(self._shown.items()):
                yield FileQuote(at, name, bid, ask, SIZE, SIZE)
            at += self._every
