"""What a drill starts from: when, which instruments at which prices, by which rules the guard acts.

Prices stand until the story moves them. They are quoted once a second while the session is open and once a minute
outside it, so a price that was set is what everybody sees at most a second later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from standfast.core.policy import Foreign, Limits, Mode, Policy, Rules
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.exchange.sessions import USSessions
from standfast.model.ids import AccountId

ACCOUNT = AccountId("drill")
CASH = Decimal(100_000)
SIZE = Decimal(10_000)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MORNING = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)
"""An ordinary Thursday, 10:30 in New York."""
AAPL = "AAPL"

STOP_AT_2 = Policy(name="drill", stop_loss=Decimal("0.02"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`prices`: bid and ask by instrument when the curtain rises."""

    start: datetime = MORNING
    prices: Mapping[str, tuple[str, str]] = field(default_factory=lambda: {AAPL: ("100.00", "100.02")})
    policies: tuple[Policy, ...] = (STOP_AT_2,)
    foreign: Foreign = Foreign.ADOPT
    mode: Mode = Mode.REPAIR
    exchange: ExchangeRules = field(default_factory=ExchangeRules)

    @property
    def rules(self) -> Rules:
        """Of the guard."""
        return Rules(account=ACCOUNT, mode=self.mode, foreign=self.foreign, policies=self.policies, limits=Limits())


class Board:
    """The prices of a scene, as `exchange.market.Prices`."""

    def __init__(self, scene: Scene) -> None:
        self._shown = {name: (Decimal(bid), Decimal(ask)) for name, (bid, ask) in scene.prices.items()}
        self._sessions = USSessions()

    @property
    def instruments(self) -> tuple[str, ...]:
        return tuple(sorted(self._shown))

    def set(self, instrument: str, bid: Decimal, ask: Decimal) -> None:
        """In force from the next quote on."""
        assert 0 < bid <= ask, (bid, ask)
        self._shown[instrument] = (bid, ask)

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        at = start
        while at < end:
            for name in self.instruments:
                bid, ask = self._shown[name]
                yield FileQuote(at, name, bid, ask, SIZE, SIZE)
            at += SECOND if self._sessions.is_open(at) else MINUTE
