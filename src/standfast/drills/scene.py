"""What a drill starts from: when, which instruments at which prices, by which rules the guard acts.

Prices stand until the story moves them. They are quoted once a second while the session is open and once a minute
outside it, so a price that was set is what everybody sees at most a second later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

from standfast.core.policy import BotRecord, Foreign, Limits, Mode, Policy, Rules
from standfast.exchange.assets import Asset, asset_of
from standfast.exchange.contracts import contract_of
from standfast.exchange.dialects import tradier
from standfast.exchange.quotes_file import FileQuote, quotes
from standfast.exchange.refreshed import Refreshed
from standfast.exchange.replay import Replay
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.exchange.sessions import USSessions
from standfast.model.ids import AccountId
from standfast.model.tracked import RecordMap

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
    """`prices`: bid and ask by instrument when the curtain rises. `every`: how often they are quoted in the session."""

    start: datetime = MORNING
    prices: Mapping[str, tuple[str, str]] = field(default_factory=lambda: {AAPL: ("100.00", "100.02")})
    every: timedelta = SECOND
    replay: tuple[Path, ...] = ()
    """Recorded quotes, played at their own time, instead of `prices`."""
    policies: tuple[Policy, ...] = (STOP_AT_2,)
    foreign: Foreign = Foreign.ADOPT
    mode: Mode = Mode.REPAIR
    dialect: Literal["alpaca", "tradier"] = "alpaca"
    exchange: ExchangeRules = field(default_factory=ExchangeRules)
    cash: Decimal = CASH
    record: RecordMap | None = None
    """Of the bot's own record, where the guard watches it."""
    speed: float = 5.0
    """Of a served exchange: its seconds in one of ours."""

    @property
    def rules(self) -> Rules:
        """Of the guard."""
        return Rules(
            account=ACCOUNT,
            mode=self.mode,
            foreign=self.foreign,
            policies=self.policies,
            limits=Limits(),
            record=BotRecord() if self.record is not None else None,
        )

    @property
    def exchange_rules(self) -> ExchangeRules:
        """Of the exchange, as the broker of this scene has them."""
        return tradier.rules(self.exchange) if self.dialect == "tradier" else self.exchange


class Board:
    """The prices of a scene, as `exchange.market.Prices`."""

    def __init__(self, scene: Scene) -> None:
        self._shown = {name: (Decimal(bid), Decimal(ask)) for name, (bid, ask) in scene.prices.items()}
        self._sessions = USSessions()
        self._every = scene.every
        self._replay = scene.replay
        self.seen: list[FileQuote] = []
        """Every quote so far, as the exchange was given it."""
        if scene.replay:
            self._shown = {name: (Decimal(0), Decimal(0)) for path in scene.replay for name in quotes(path).instruments}

    @property
    def instruments(self) -> tuple[str, ...]:
        return tuple(sorted(self._shown))

    @property
    def assets(self) -> list[Asset]:
        """What is quoted, and what lies under it."""
        known = {contract.underlying for name in self._shown if (contract := contract_of(name)) is not None}
        return [asset_of(name) for name in sorted(known | self._shown.keys())]

    def set(self, instrument: str, bid: Decimal, ask: Decimal) -> None:
        """In force from the next quote on. An option may have nobody who bids."""
        assert 0 <= bid <= ask, (bid, ask)
        assert bid or (ask and contract_of(instrument) is not None), (instrument, bid, ask)
        self._shown[instrument] = (bid, ask)

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        for quote in self._recorded(start, end) if self._replay else self._set(start, end):
            self.seen.append(quote)
            yield quote

    def _recorded(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        played = Replay(self._replay, begin=start, at=start)
        return Refreshed(played, self._sessions).quotes(start, end)

    def _set(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        at = start
        while at < end:
            for name in self.instruments:
                bid, ask = self._shown[name]
                yield FileQuote(at, name, bid, ask, SIZE, SIZE)
            at += self._every if self._sessions.is_open(at) else MINUTE
