"""Exhaustive anomalies: at every effect of a flow, kill the guard there, fail that effect once, fail it for a while.

Theory: random kills hit the few moments that matter once in many runs; a flow has a few hundred effects, so they can
all be tried. A flow is told once without an anomaly to count its effects, and then once for each of them and each kind
of anomaly; some are told with two (`flow_points`). Every telling ends in quiet, and is judged by the same `Checker` as
the swarm's runs: nothing unsafe on the way, everything converged at the end.

Invariants
1. Up to the effect at which it goes wrong, a telling is the one that was counted: same seed, same effects.
2. An anomaly that strikes nowhere is reported as such, never as passed.
"""

import os
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from multiprocessing import get_context

from standfast.core.policy import Foreign, Mode, Policy, Rules
from standfast.exchange.events import Event
from standfast.exchange.faults import RefusedWith, Rule
from standfast.exchange.orders import OrderType, Side, Terms, Ticket
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.script import Script
from standfast.model.ids import AccountId
from standfast.model.journal import Entry
from standfast.sim import flow_points, tale
from standfast.sim.effects import Kind
from standfast.sim.flow_points import ALPACA, ENGINE, Point
from standfast.sim.judge.checker import Checker
from standfast.sim.loop import Deadlock, TooSlow, run
from standfast.sim.watch import Violation
from standfast.sim.world import World

START = datetime(2026, 10, 8, 14, 30, tzinfo=UTC)  # a Thursday, 10:30 in New York
RULES = Rules(
    account=AccountId("sim"),
    mode=Mode.REPAIR,
    foreign=Foreign.ADOPT,
    policies=(Policy(name="default", stop_loss=Decimal("0.02"), take_profit=Decimal("0.30")),),
)
FAILS_FOR = 45.0
"""Seconds for which an effect that fails on does so."""
QUIET = 420.0
"""Seconds after the last anomaly: the bound of convergence, and two minutes in which nothing may move."""
RESTARTED = 0.5
"""Seconds after which the parent starts a guard again."""
REAL_SECONDS = 240.0
RESTRICTED: dict[str, object] = {"code": 40310000, "message": "account is restricted to liquidation only"}
CALM = Script({"AAPL": [(timedelta(0), "100.00", "100.02")]}, every=timedelta(seconds=2))
FALLEN = Decimal("97.00"), Decimal("97.02")
SIZE = Decimal(1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One canonical course of events. Effects count from the end of `before` to the end of `act`."""

    name: str
    before: Callable[[World], Awaitable[None]]
    act: Callable[[World], Awaitable[None]]


def named(text: str) -> Point:
    """The point of this name; ValueError when there is none of that form."""
    return flow_points.named(text, list(BY_NAME))


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What became of one telling."""

    point: Point
    effects: int
    """Of the flow itself, from `before` to the end of `act`."""
    struck: str = ""
    """The effect at which it went wrong first."""
    missed: bool = False
    """Whether something that was planned struck nowhere."""
    violation: tuple[str, str] | None = None
    digest: str = ""
    timeline: tuple[str, ...] = ()


@dataclass(slots=True)
class FlowsReport:
    """All tellings of all flows."""

    effects: dict[str, int] = field(default_factory=dict)
    """Of each flow."""
    played: Counter[str] = field(default_factory=Counter)
    """Tellings of each kind of anomaly."""
    missed: list[Point] = field(default_factory=list)
    """Whose anomaly struck nowhere."""
    violations: list[Played] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return not self.violations and not self.missed

    def take(self, played: Played) -> None:
        if played.point.number == 0:
            self.effects[played.point.flow] = played.effects
        else:
            self.played[played.point.what] += 1
            if played.missed:
                self.missed.append(played.point)
        if played.violation is not None:
            self.violations.append(played)


# --- the flows ------------------------------------------------------------------------------------


async def _guarded(world: World) -> None:
    await world.start_guard()
    await world.run_for(8)


async def _holding(world: World) -> None:
    """A position of our own that has been adopted and covered."""
    await _guarded(world)
    await _buy(world)
    await world.run_for(15)


async def _buy(world: World) -> None:
    await world.submit(Ticket(terms=Terms(instrument="AAPL", side=Side.BUY, quantity=Decimal(40))))


async def _open(world: World) -> None:
    await world.operate("open", instrument="AAPL", quantity="40")
    await world.run_for(12)


def _open_refusing_stops(count: int) -> Callable[[World], Awaitable[None]]:
    async def tell(world: World) -> None:
        refusal = RefusedWith(status=403, body=RESTRICTED)
        world.faults.install(Rule(operation="submit", fault=refusal, skip=1, count=count))
        await world.operate("open", instrument="AAPL", quantity="40")
        await world.run_for(30 if count > 1 else 12)

    return tell


async def _ask_to_close(world: World) -> None:
    (position,) = world.book.state.positions
    await world.operate("close", position=position)


async def _close(world: World) -> None:
    await _ask_to_close(world)
    await world.run_for(12)


async def _close_at_the_fall(world: World) -> None:
    """The price goes through the stop while the cancel that the close needs is on its way."""
    _Once(world, "send cancel", lambda: world.take(FileQuote(world.now, "AAPL", *FALLEN, SIZE, SIZE)))
    await _ask_to_close(world)
    await world.run_for(12)


async def _adopt(world: World) -> None:
    await _buy(world)
    await world.run_for(15)


async def _restart(world: World) -> None:
    world.kill_guard()
    await _buy(world)  # what happens while nobody guards
    await world.run_for(2)
    world.keeper.start("guard", "the worker ended: killed by SIGKILL")
    await world.run_for(12)


async def _with_a_second(world: World) -> None:
    await _holding(world)
    await world.start_guard("second", wait=False)
    await world.run_for(3)


async def _takeover(world: World) -> None:
    """The first stands still for longer than its lease, its closing order on the way; the second takes over."""
    _Once(world, "send submit", lambda: world.pause_guard(25, "guard"))
    await _ask_to_close(world)
    await world.run_for(45)


class _Once:
    """A watcher that does something right after the first effect of a name, once."""

    def __init__(self, world: World, name: str, deed: Callable[[], None]) -> None:
        self._world, self._name, self._deed = world, name, deed
        world.watchers.append(self)

    def effect(self, name: str) -> None:
        if name == self._name:
            self._name = ""
            self._world.wire.later(0.0, self._deed)

    def happened(self, event: Event) -> None: ...

    def committed(self, entries: Sequence[Entry]) -> None: ...

    def tick(self, now: datetime) -> None: ...

    @property
    def is_idle(self) -> bool:
        return True


FLOWS = (
    Flow(name="open", before=_guarded, act=_open),
    Flow(name="stop-refused", before=_guarded, act=_open_refusing_stops(1)),
    Flow(name="roll-back", before=_guarded, act=_open_refusing_stops(3)),
    Flow(name="close", before=_holding, act=_close),
    Flow(name="close-races-stop", before=_holding, act=_close_at_the_fall),
    Flow(name="adopt", before=_guarded, act=_adopt),
    Flow(name="restart", before=_holding, act=_restart),
    Flow(name="takeover", before=_with_a_second, act=_takeover),
)
BY_NAME = {flow.name: flow for flow in FLOWS}
WHICH = ("once", "twice", "pairs", "alpaca")
"""One anomaly; a second death in every recovery; two anomalies of any kind, drawn; one, through the Alpaca adapter."""

# --- one telling ----------------------------------------------------------------------------------


def play(point: Point) -> Played:
    """Tell it to its end. Never raises for what the guard does."""
    return tell(point).outcome()


def tell(point: Point) -> "Telling":
    """As `play`; with the world as it was left."""
    telling = Telling(point)
    try:
        run(telling.through(), start=START, real_seconds=REAL_SECONDS)
    except (TooSlow, Deadlock) as error:
        telling.violation = ("error", f"{type(error).__name__}: {error}")
    return telling


class Telling:
    """One flow being told, and what became of it."""

    def __init__(self, point: Point) -> None:
        self.point = point
        self.flow = BY_NAME[point.flow]
        self.violation: tuple[str, str] | None = None
        self.effects = 0
        self.missed = point.number > 0
        self.held = Decimal(0)
        """What is truly held at the end."""
        self.covered = Decimal(0)
        """What live stops would sell at the end."""
        self.world: World

    async def through(self) -> None:
        self.world = World(RULES, CALM, seed=1, restart_after=RESTARTED, through=self.point.through)
        self.checker = Checker(self.world)
        self.world.watchers.append(self.checker)
        try:
            async with self.world:
                await self._tell()
        except Violation as found:
            self.violation = (found.id, found.text)
        except Exception as error:  # noqa: BLE001 - whatever it is, the point that shows it is what is wanted
            self.violation = ("error", "".join(traceback.format_exception(error))[-4000:])

    async def _tell(self) -> None:
        world, point = self.world, self.point
        await self.flow.before(world)
        began = world.effects.count
        planned = point.anomalies(began, FAILS_FOR)
        world.effects.plan(*planned)
        await self.flow.act(world)
        self.effects = world.effects.count - began
        while planned and world.effects.count <= planned[-1].number:
            await world.run_for(1)  # the second may fall into what follows
        if Kind.FAIL_ON in {anomaly.kind for anomaly in planned}:
            await world.run_for(FAILS_FOR)
        struck = world.effects.struck
        self.missed = bool(planned) and (not struck or struck[-1].number < planned[-1].number)
        world.effects.heal()
        world.faults.clear()
        await self._restarted()
        self.checker.quiet()
        await world.run_for(QUIET)
        await self.checker.finish()
        assert world.account is not None, "nobody guards"
        self.held = world.net()
        stops = [order for order in world.working() if order.terms.type is OrderType.STOP]
        self.covered = sum((order.remaining for order in stops), Decimal(0))

    async def _restarted(self) -> None:
        """Whoever stands for the machine's operator: a guard that ended for good is started once more."""
        await self.world.run_for(2)
        if not any(guard.is_alive for guard in self.world.guards.values()):
            self.world.keeper.start("guard")

    def outcome(self) -> Played:
        world = self.world
        entries = world.entries_now()
        return Played(
            point=self.point,
            effects=self.effects,
            struck=world.effects.struck[0].name if world.effects.struck else "",
            missed=self.missed,
            violation=self.violation,
            digest=tale.digest(world.effects, world.tape, entries),
            timeline=tuple(tale.timeline(world.tape[-80:], entries[-80:])[-80:]) if self.violation else (),
        )


# --- all of them ----------------------------------------------------------------------------------


def count(through: str = ENGINE) -> list[Played]:
    """Every flow as it goes when nothing goes wrong."""
    return [play(Point(flow.name, through=through)) for flow in FLOWS]


def points(which: str, effects: dict[str, int], *, first: int = 0, some: int = 2_000) -> list[Point]:
    """Which of `WHICH` there are; of pairs `some`, from number `first` on."""
    match which:
        case "twice":
            return list(flow_points.doubles(effects))
        case "pairs":
            return list(islice(flow_points.pairs(effects, first), some))
        case _:
            return list(flow_points.singles(effects, ALPACA if which == ALPACA else ENGINE))


def play_all(
    jobs: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    which: str = "once",
    *,
    first: int = 0,
    some: int = 2_000,
) -> FlowsReport:
    """All points of these (`WHICH`); `progress` hears how many tellings are done, and of how many.

    `jobs`: processes at once; all processors, if not given.
    """
    report = FlowsReport()
    for plain in count(ALPACA if which == ALPACA else ENGINE):
        report.take(plain)
    every = points(which, report.effects, first=first, some=some)
    with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for done, played in enumerate(pool.map(play, every, chunksize=8), start=1):
            report.take(played)
            progress(done, len(every))
    return report


def play_some(chosen: Iterable[Point]) -> FlowsReport:
    """These tellings, one after the other, in this process."""
    report = FlowsReport()
    for point in chosen:
        report.take(play(point))
    return report
