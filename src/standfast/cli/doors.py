"""What the command line asks of the rooms it enters only when a verb needs them, and the way in.

Each Protocol is the agreement with one room: `standfast.app` composes everything real, `standfast.drills` plays
incidents. They are opened by name, so that no verb's help pays for an event loop or an HTTP client.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from standfast.cli.doors_seeds import SeedFigures, SeedRan
from standfast.model.breaks import Break
from standfast.model.evidence import AccountRead, Guarded, MarketClock, Rights
from standfast.model.ids import AccountId, Holding

if TYPE_CHECKING:
    from standfast.model.greeks import Greeks
    from standfast.model.quote import Quote
    from standfast.model.tracked import RecordRead, TrackedEntry
    from standfast.settings.shapes import Settings


class Scanned(Protocol):
    """One read-only comparison. `unverified` names what could not be read, and why."""

    @property
    def breaks(self) -> Sequence[tuple[AccountId, Break]]: ...

    @property
    def unverified(self) -> Sequence[str]: ...


class Probe(Protocol):
    """What one account's broker answered, once; None where it did not, with the reason in `failures`."""

    @property
    def account(self) -> AccountRead | None: ...

    @property
    def clock(self) -> MarketClock | None: ...

    @property
    def asked_at(self) -> datetime:
        """Our time half-way between asking for the broker's clock and its answer."""
        ...

    @property
    def positions(self) -> int | None: ...

    @property
    def rights(self) -> Rights | None:
        """What the key may do beyond trading; None where the broker has no word for it."""
        ...

    @property
    def guarded(self) -> Sequence[Guarded]:
        """What is and is not guarded there, where the broker tells."""
        ...

    @property
    def failures(self) -> Mapping[str, str]:
        """By `account`, `clock` and `positions`: why there was no answer."""
        ...


class App(Protocol):
    """`standfast.app`, the composition root."""

    def guard(self, config: Path, *, once: bool, heartbeat: int | None, parent: int | None, restarted: str) -> int:
        """Guard every account until told to stop; returns the exit code."""
        ...

    def scan(self, config: Path, account: str | None) -> Scanned: ...

    def act(
        self, config: Path, account: str, verb: str, arguments: Mapping[str, str], wait_seconds: float
    ) -> tuple[bool, str]:
        """Take the lease, carry out one request, prove it, release; whether it is proven, and the detail."""
        ...

    def act_on_all(
        self, config: Path, account: str, verb: str, each: Sequence[Mapping[str, str]], wait_seconds: float
    ) -> list[tuple[bool, str]]:
        """As `act`, for several requests under one lease."""
        ...


class Probing(Protocol):
    """`standfast.probing`: what `doctor` asks."""

    def probe(self, config: Path, account: str) -> Probe: ...

    def record(self, config: Path, account: str) -> "RecordRead | None": ...

    def misunderstood(self, settings: "Settings") -> Sequence[str]:
        """Labels of the channels whose address lacks something its service needs."""
        ...

    def send_test_alert(self, config: Path) -> Sequence[tuple[str, str]]:
        """Each channel's label, and why it did not take the test message (empty: it did)."""
        ...


class Planned(Protocol):
    """One entry of the bot's record, and what taking it in would do, or why it is refused."""

    @property
    def entry(self) -> "TrackedEntry": ...

    @property
    def arguments(self) -> Mapping[str, str]: ...

    @property
    def ok(self) -> bool: ...

    @property
    def detail(self) -> str: ...

    @property
    def is_new(self) -> bool: ...


class ImportPlan(Protocol):
    """`standfast.import_plan`: what `import` asks before it does anything."""

    def plan(self, config: Path, account: str) -> Sequence[Planned]: ...


class Priced(Protocol):
    """What one account's broker said of prices. `failure`: why it said nothing."""

    @property
    def quotes(self) -> "Mapping[Holding, Quote]": ...

    @property
    def greeks(self) -> "Mapping[Holding, Greeks]": ...

    @property
    def failure(self) -> str: ...


class Pricing(Protocol):
    """`standfast.pricing`: what `portfolio` asks."""

    def priced(self, config: Path, wanted: Mapping[AccountId, Sequence[Holding]]) -> Mapping[AccountId, Priced]: ...


class Side(Protocol):
    """One half of a drill."""

    @property
    def held(self) -> bool: ...

    @property
    def loss(self) -> Decimal: ...


class Played(Protocol):
    """One incident, played bare and guarded."""

    @property
    def name(self) -> str: ...

    @property
    def bare(self) -> Side: ...

    @property
    def guarded(self) -> Side: ...

    @property
    def timeline(self) -> Sequence[str]: ...


class Drills(Protocol):
    """`standfast.drills`."""

    NAMES: Mapping[str, str]
    """Each drill's name, and what happened."""
    SEEDED: str

    def run(self, name: str, *, wire: bool, replay: Path | None = None, at: str | None = None) -> Played: ...

    def seeds(self, first: int, count: int, told: Callable[[SeedRan], None]) -> SeedFigures: ...


class FuzzOutcome(Protocol):
    """What became of one seed."""

    @property
    def seed(self) -> int: ...

    @property
    def digest(self) -> str: ...

    @property
    def timeline(self) -> Sequence[str]: ...


class FuzzFailure(Protocol):
    """One seed that broke a promise; `faults` is what is left of its plan once it is shrunk."""

    @property
    def seed(self) -> int: ...

    @property
    def id(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def at(self) -> float: ...

    @property
    def faults(self) -> Sequence[str]: ...

    @property
    def timeline(self) -> Sequence[str]: ...

    @property
    def replay(self) -> str: ...


class FuzzFound(Protocol):
    """The sum of what was played."""

    @property
    def seeds(self) -> int: ...

    @property
    def hours(self) -> float: ...

    @property
    def healthy(self) -> float: ...

    @property
    def cpu(self) -> float: ...

    @property
    def effects(self) -> int: ...

    @property
    def kills(self) -> int: ...

    @property
    def orders(self) -> int: ...

    @property
    def sometimes(self) -> Mapping[str, int]: ...

    @property
    def states(self) -> Set[str]: ...

    @property
    def worst(self) -> Mapping[str, float]: ...

    @property
    def failures(self) -> Sequence[FuzzFailure]: ...

    @property
    def bound(self) -> float: ...

    def named_faults(self) -> Mapping[str, int]: ...


class Fuzz(Protocol):
    """`standfast.drills.fuzz`."""

    def run(  # noqa: PLR0913 - one argument for each thing a person can wish
        self,
        *,
        first: int,
        seeds: int | None,
        hours: float,
        jobs: int,
        policy: Path | None,
        plays: str,
        whole: bool,
        told: Callable[[FuzzFound, FuzzOutcome], None],
    ) -> FuzzFound:
        """Play seeds from `first` on; `seeds` None: until one fails. `told` hears of each as it ends."""
        ...


class FlowPoint(Protocol):
    @property
    def name(self) -> str:
        """FLOW:KIND:NUMBER."""
        ...


class FlowPlayed(Protocol):
    @property
    def point(self) -> FlowPoint: ...

    @property
    def struck(self) -> str:
        """The effect at which it went wrong; empty when it struck nowhere."""
        ...

    @property
    def violation(self) -> tuple[str, str] | None: ...

    @property
    def timeline(self) -> Sequence[str]: ...


class FlowsFound(Protocol):
    @property
    def effects(self) -> Mapping[str, int]: ...

    @property
    def played(self) -> Mapping[str, int]: ...

    @property
    def missed(self) -> Sequence[FlowPoint]: ...

    @property
    def violations(self) -> Sequence[FlowPlayed]: ...

    @property
    def held(self) -> bool: ...


class Flows(Protocol):
    """`standfast.sim.flows`."""

    def named(self, text: str) -> FlowPoint: ...

    def play(self, point: FlowPoint) -> FlowPlayed: ...

    def play_all(
        self, jobs: int | None, progress: Callable[[int, int], None], which: str, *, first: int, some: int
    ) -> FlowsFound: ...


class Demo(Protocol):
    """`standfast.drills.demo`."""

    def run(self, *, replay: Path | None) -> int:
        """Show it on this terminal; returns the exit code."""
        ...


@contextmanager
def quietly() -> Iterator[None]:
    """Whatever is said meanwhile goes to standard error: standard output carries the outcome, and nothing else."""
    with redirect_stdout(sys.stderr):
        yield


def app() -> App:
    return cast("App", import_module("standfast.app"))


def probing() -> Probing:
    return cast("Probing", import_module("standfast.probing"))


def import_plan() -> ImportPlan:
    return cast("ImportPlan", import_module("standfast.import_plan"))


def pricing() -> Pricing:
    return cast("Pricing", import_module("standfast.pricing"))


def drills() -> Drills:
    return cast("Drills", import_module("standfast.drills"))


def fuzz() -> Fuzz:
    return cast("Fuzz", import_module("standfast.drills.fuzz"))


def flows() -> Flows:
    return cast("Flows", import_module("standfast.sim.flows"))


def demo() -> Demo:
    return cast("Demo", import_module("standfast.drills.demo"))
