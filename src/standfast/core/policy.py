"""The operator's rules and limits, as frozen values. Parsed from settings; right by construction.

Results are fractions of entry (0.02 is two per cent): of the price paid, of credit or of debit. A rule
that is None is off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from standfast.model.breaks import BreakKind
from standfast.model.ids import AccountId, Holding


class Mode(StrEnum):
    """How far the guard may go. Only `repair` ever sends an order."""

    OBSERVE = "observe"
    ALERT = "alert"
    REPAIR = "repair"


class Foreign(StrEnum):
    """What is done with quantity that was not opened through Standfast."""

    ADOPT = "adopt"
    ALERT = "alert"
    IGNORE = "ignore"


class HeldBy(StrEnum):
    """Who holds the exits: resting at the broker, the guard's loop, or both."""

    BROKER = "broker"
    GUARD = "guard"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a trailing ladder: armed once the result has reached `arm`.

    `give_back` is measured in result from the peak; None means "to entry" (the break-even rung).
    """

    arm: Decimal
    give_back: Decimal | None

    def stop(self, peak: Decimal) -> Decimal:
        """The result at which the rung closes, given the best result seen."""
        return Decimal(0) if self.give_back is None else peak - self.give_back


@dataclass(frozen=True, slots=True)
class FlatBy:
    """A wall time on every trading day, in the zone it was written in."""

    at: time
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Globs; a policy holds for what all four match."""

    account: str = "*"
    strategy: str = "*"
    instrument: str = "*"
    kind: str = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is kept around one position. Distances are positive fractions of entry."""

    name: str
    match: Match = field(default_factory=Match)
    held_by: HeldBy = HeldBy.BROKER
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    emergency_stop: Decimal | None = None
    trailing: tuple[Rung, ...] = ()
    minimum_hold: timedelta = timedelta(0)
    maximum_hold: timedelta | None = None
    flat_by: FlatBy | None = None
    expiring_flat_by: FlatBy | None = None
    """Of options on their last day."""
    short_delta_limit: Decimal | None = None
    """Of what a structure has sold, without its sign."""
    user_rule: str | None = None
    """`module:name` of a rule of the operator's own."""
    adopted_too: bool = False

    def __post_init__(self) -> None:
        assert self.minimum_hold == timedelta(0) or self.emergency_stop is not None, self.name
        assert list(self.trailing) == sorted(self.trailing, key=lambda rung: rung.arm), self.name

    def with_stop(self, share: Decimal | None) -> "Policy":
        """As it holds for a position that was asked for with a stop of its own."""
        return self if share is None else replace(self, stop_loss=share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the gate holds openings to; None is no limit. Money in account currency."""

    open_positions: int | None = None
    notional_per_instrument: Decimal | None = None
    notional_per_account: Decimal | None = None
    orders_per_minute: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """How often each read is made when nothing asks for it sooner."""

    positions: timedelta = timedelta(seconds=5)
    orders: timedelta = timedelta(seconds=5)
    fills: timedelta = timedelta(seconds=10)
    full: timedelta = timedelta(seconds=60)
    status: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """What is waited for before a break is repaired or told."""

    reads: int = 2
    orphan: timedelta = timedelta(seconds=30)


OPERATOR = "operator"
"""The strategy of what is opened without naming one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotRecord:
    """What the bot's own record is held to."""

    lag: timedelta = timedelta(seconds=30)
    """How long it may be behind the broker before a difference is one. What it drops is not waited for."""
    instruments: tuple[str, ...] = ("*",)
    strategies: tuple[str, ...] = ()
    """Whose positions have to be in it; none named: everybody's but what an operator opened by hand."""

    def wants(self, instrument: str, strategy: str) -> bool:
        """Whether a position of this strategy has to be in it."""
        is_its = any(fnmatchcase(instrument, pattern) for pattern in self.instruments)
        if not self.strategies:
            return is_its and strategy != OPERATOR
        return is_its and any(fnmatchcase(strategy, pattern) for pattern in self.strategies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything the operator decided about one account."""

    account: AccountId
    mode: Mode = Mode.ALERT
    modes: Mapping[BreakKind, Mode] = field(default_factory=dict)
    foreign: Foreign = Foreign.ALERT
    foreign_ignore: tuple[str, ...] = ()
    foreign_strategies: Mapping[str, str] = field(default_factory=dict)
    policies: tuple[Policy, ...]
    limits: Limits = field(default_factory=Limits)
    every: Every = field(default_factory=Every)
    confirm: Confirm = field(default_factory=Confirm)
    rate_share: Decimal = Decimal("0.25")
    record: BotRecord | None = None
    """The bot's own record, where one is watched."""
    matched: dict[tuple[str, Holding, str], Policy] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What `policy` has found: it is asked for every position at every look, and there are few answers."""

    def policy(self, strategy: str, holding: Holding, kind: str = "equity") -> Policy:
        """The first policy that matches; one without rules where none does."""
        key = (strategy, holding, kind)
        found = self.matched.get(key)
        if found is None:
            found = self.matched[key] = self._match(strategy, holding, kind)
        return found

    def _match(self, strategy: str, holding: Holding, kind: str) -> Policy:
        for policy in self.policies:
            match = policy.match
            if (
                fnmatchcase(self.account, match.account)
                and fnmatchcase(strategy, match.strategy)
                and fnmatchcase(holding.instrument, match.instrument)
                and match.kind in ("*", kind)
            ):
                return policy
        return NO_POLICY

    @property
    def sends(self) -> bool:
        """Whether orders may be sent at all."""
        return self.mode is Mode.REPAIR

    def mode_for(self, kind: BreakKind) -> Mode:
        return self.modes.get(kind, self.mode)

    def foreign_for(self, holding: Holding) -> Foreign:
        if any(fnmatchcase(holding.instrument, glob) for glob in self.foreign_ignore):
            return Foreign.IGNORE
        return self.foreign

    def foreign_strategy(self, client_id: str) -> str:
        """The strategy of what is adopted, by the client order id its opener used."""
        for glob, strategy in self.foreign_strategies.items():
            if fnmatchcase(client_id, glob):
                return strategy
        return "foreign"


NO_POLICY = Policy(name="none")
