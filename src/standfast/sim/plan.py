"""Everything about one simulated run, drawn from one seed before it begins.

Theory: a run is a function of its plan. The plan is a frozen value that can be printed, shortened (`sim.shrink`) and
played again; what is drawn at run time comes from streams that are named after the seed. Each subsystem draws from a
stream of its own, so a change in how one draws leaves the others as they were.

Not only the world is drawn but the account's own rules too: a flaw that needs a tight stop or an impatient time-out
does not show under the settings everybody uses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from standfast.core.policy import Policy, Rules
from standfast.exchange.market import Drift, Event, Walk
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.exchange.sessions import USSessions
from standfast.sim.board import Board
from standfast.sim.catalogue import KINDS, Kind
from standfast.sim.knobs import draw_rules
from standfast.sim.scenes import draw_scenes
from standfast.sim.spells import Spells, draw_spells
from standfast.sim.strokes import ON_WRITES, ONCE_BELOW, Stroke
from standfast.sim.swarm import split_ratio
from standfast.sim.wire import Travel
from standfast.sim.workload import WEIGHTS, Deed

HOUR = 3600.0
LYING_IN_WAIT = (60.0, 900.0)
"""Seconds for which what strikes once waits for something to strike."""
CONVERGES = 300.0
STILL = 620.0
QUIET = CONVERGES + STILL
"""Seconds after the last fault: everything converges, and then nothing moves."""
AN_HOUR = (10, 25, 50, 100)
IN_A_LULL = 4.0
"""Deeds an hour."""
SYMBOLS = ("AAPL", "MSFT", "SPY", "QQQ", "TSLA", "F")
ORDINARY = datetime(2026, 10, 8, 14, 0, tzinfo=UTC)
"""A Thursday, 10:00 in New York."""
SPECIAL_DAYS = (
    datetime(2026, 3, 9, 13, 40, tzinfo=UTC),  # the first session of daylight saving
    datetime(2026, 11, 2, 14, 40, tzinfo=UTC),  # the first after it
    datetime(2026, 11, 27, 16, 40, tzinfo=UTC),  # a half day: it ends at 13:00 in New York
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Perps:
    """How the account holds perpetual futures, and at which exchange."""

    at: str
    """"bybit" or "binance"."""
    hedged: bool
    isolated: bool
    leverage: Decimal
    cash: Decimal
    funding_every: timedelta
    funding_rate: Decimal
    lag: tuple[float, float] | None
    """Seconds by which the positions are late, all the time, drawn for each read; None: they are not."""
    streams: bool
    """Whether quotes can be had on a stream; else they are polled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. Seconds are counted from `start`."""

    seed: int
    start: datetime
    chaos: float
    quiet: float
    guard_at: float
    """When the guard first starts: what was held before is none of its doing."""
    rules: Rules
    walks: tuple[Walk, ...]
    moves: tuple[Event, ...]
    """Jumps, gaps, drifts and wide spreads of the market."""
    every: timedelta
    """Between two quotes."""
    spells: Spells
    """When faults begin and people act; in between the account is guarded, and little happens."""
    slow: timedelta
    """Between two quotes in a lull."""
    exchange: ExchangeRules
    partly: Decimal
    """Share of orders that fill in parts."""
    travel: Travel
    sessions: tuple[tuple[datetime, datetime], ...]
    """Empty: those of US equities."""
    strokes: tuple[Stroke, ...]
    deeds: tuple[Deed, ...]
    order_seed: int | None
    restart_after: float
    through: str
    """"engine": the fast adapter; "alpaca" or "tradier": the real one, over simulated HTTP."""
    board: Board | None = None
    """The options there are, where spreads are played (`sim.spreads.plan`): of the walks' instruments."""
    perps: Perps | None = None
    """How contracts are held, where perpetual futures are played (`sim.perpetual.plan`)."""

    @property
    def instruments(self) -> tuple[str, ...]:
        contracts = self.board.contracts if self.board is not None else ()
        return (*(walk.instrument for walk in self.walks), *contracts)

    def __str__(self) -> str:
        """Everything in it, a line each."""
        head = (
            f"seed {self.seed}: {self.chaos / HOUR:.2f} h of chaos from {self.start:%Y-%m-%d %H:%M} UTC, "
            f"{', '.join(walk.instrument for walk in self.walks)}, "
            f"guard after {self.guard_at:.1f} s, through {self.through}, "
            f"{len(self.spells.stretches)} spells of {self.spells.busy / HOUR:.2f} h, order "
            f"{'first come' if self.order_seed is None else self.order_seed}, restart after {self.restart_after:.1f} s"
        )
        policy = self.rules.policies[0]
        about = (f"rules: {self.rules}", f"exchange: {self.exchange}", f"travel: {self.travel}", f"policy: {policy}")
        return "\n".join([head, *about, *map(str, self.moves), *map(str, self.strokes), *map(str, self.deeds)])


def draw(seed: int, *, hours: float = 1.0, policies: Sequence[Policy] | None = None) -> Plan:
    """The plan of this seed: pure. `policies`: a user's own, kept as they are; all else is drawn."""
    chance = Random(f"plan-{seed}")
    chaos = hours * HOUR
    walks = _walks(Random(f"market-{seed}"))
    names = [walk.instrument for walk in walks]
    lulls = Random(f"lulls-{seed}")
    spells = draw_spells(lulls, chaos)
    start, sessions = _times(Random(f"sessions-{seed}"), spells)
    strokes = draw_strokes(Random(f"faults-{seed}"), spells, names)
    if sessions:
        strokes = _over_nights(strokes, start, sessions)
    rules = draw_rules(Random(f"rules-{seed}"), names, start, chaos, policies)
    deeds = draw_deeds(Random(f"workload-{seed}"), spells, names, WEIGHTS, AN_HOUR, IN_A_LULL)
    scenes = draw_scenes(Random(f"scenes-{seed}"), spells, names, rules, start, may_rule=policies is None)
    return Plan(
        seed=seed,
        start=start,
        chaos=chaos,
        quiet=QUIET,
        guard_at=round(chance.choice((0.5, chance.uniform(1, 60))), 3),
        rules=scenes.rules,
        walks=walks,
        moves=_moves(Random(f"moves-{seed}"), walks, start, chaos, strokes) + scenes.moves,
        every=timedelta(seconds=chance.choice((1, 2, 2, 5))),
        exchange=draw_exchange(Random(f"exchange-{seed}")),
        spells=spells,
        slow=timedelta(seconds=lulls.choice((4, 15, 30, 60))),
        partly=Decimal(chance.choice((0, 0, 5, 10, 30))) / 100,
        travel=draw_travel(Random(f"travel-{seed}")),
        sessions=sessions,
        strokes=tuple(sorted((*strokes, *scenes.strokes), key=lambda stroke: stroke.at)),
        deeds=tuple(sorted((*deeds, *scenes.deeds), key=lambda deed: deed.at)),
        order_seed=seed if chance.random() < 0.5 else None,
        restart_after=round(chance.choice((0.2, 1, 2, chance.uniform(1, 20))), 3),
        through="alpaca" if seed % 10 == 0 else "engine",
    )


def _walks(chance: Random) -> tuple[Walk, ...]:
    names = SYMBOLS[: chance.choice((1, 1, 2, 2, 3, 4, 6))]
    return tuple(
        Walk(
            instrument=name,
            price=Decimal(chance.choice((12, 48, 100, 260, 600))),
            volatility=chance.choice((0.002, 0.005, 0.01, 0.03)),
            reversion=chance.choice((0.0, 0.0, 2.0, 10.0)),
            spread=Decimal(chance.choice((1, 2, 5, 10))) / 100,
            size=Decimal(chance.choice((20, 100, 1000))),
        )
        for name in names
    )


def _times(chance: Random, spells: Spells) -> tuple[datetime, tuple[tuple[datetime, datetime], ...]]:
    """When it begins, and the sessions it passes; the quiet phase lies within one."""
    chaos = spells.chaos
    if chance.random() < 0.1:
        start = chance.choice(SPECIAL_DAYS)
        end = start + timedelta(seconds=chaos + QUIET + HOUR / 4)
        if USSessions().next_close(start) > end:
            return start, ()
        return USSessions().next_open(start) + timedelta(seconds=round(chance.uniform(-300, 1800))), ()
    edges = [ORDINARY - timedelta(hours=1)]
    if chance.random() < 0.4:
        at = spells.at(chance.uniform(20, spells.busy / 2))
        for _ in range(chance.choice((1, 1, 2, 3))):
            night = chance.uniform(60, 900)
            if at + night > chaos - 120:
                break
            edges += [ORDINARY + timedelta(seconds=round(at)), ORDINARY + timedelta(seconds=round(at + night))]
            at += night + chance.uniform(120, 1800)
    last = ORDINARY + timedelta(seconds=chaos + QUIET) + timedelta(hours=10)
    edges += [last, last + timedelta(hours=12), last + timedelta(hours=20)]
    return ORDINARY, tuple(zip(edges[::2], edges[1::2], strict=False))


def draw_strokes(
    chance: Random, spells: Spells, names: Sequence[str], kinds: Mapping[int, Kind] = KINDS
) -> tuple[Stroke, ...]:
    """Each kind on with a chance of one half, and a strength of its own."""
    strokes: list[Stroke] = []
    busy = chance.choice((0.1, 0.4, 0.8, 1.5, 2.5))
    for number, kind in kinds.items():
        is_on, strength = chance.random() < 0.5, round(chance.random() ** 1.5, 3)
        hourly, seed = kind.an_hour * busy * chance.uniform(0.3, 1.5), chance.getrandbits(48)
        if is_on and hourly:
            strokes += _of_kind(Random(f"kind-{number}-{seed}"), number, strength, hourly, spells, names)
    return tuple(sorted(strokes, key=lambda stroke: stroke.at))


def _of_kind(
    chance: Random, number: int, strength: float, hourly: float, spells: Spells, names: Sequence[str]
) -> list[Stroke]:
    kind, found = KINDS[number], []
    busy, at = spells.busy, chance.expovariate(hourly / HOUR)
    while at < busy - 5:
        lasts = LYING_IN_WAIT if number in ON_WRITES and strength < ONCE_BELOW else kind.lasts
        begins = spells.at(at)
        seconds = min(round(chance.uniform(*lasts), 3), spells.chaos - begins - 1)
        found.append(
            Stroke(
                kind=number,
                at=round(begins, 3),
                seconds=round(seconds, 3),
                strength=strength,
                target=chance.choice(list(names)) if kind.about_one else "",
                draw=chance.getrandbits(32),
            )
        )
        at += seconds + chance.expovariate(hourly / HOUR)
    return found


def _over_nights(
    strokes: Sequence[Stroke], start: datetime, sessions: Sequence[tuple[datetime, datetime]]
) -> tuple[Stroke, ...]:
    """Outages of kind 40 begin shortly before a close; without one there are none."""
    closes = [(closes - start).total_seconds() for _, closes in sessions[:-2]]
    kept = []
    for stroke in strokes:
        if stroke.kind != OVER_A_CLOSE:
            kept.append(stroke)
        elif closes:
            close = stroke.random().choice(closes)
            at = max(0.0, close - stroke.random().uniform(5, 100))
            kept.append(Stroke(kind=stroke.kind, at=at, seconds=stroke.seconds, strength=stroke.strength))
    return tuple(sorted(kept, key=lambda stroke: stroke.at))


OVER_A_CLOSE = 40
SPLIT = 76
HALT = 78


def _moves(
    chance: Random, walks: Sequence[Walk], start: datetime, chaos: float, strokes: Sequence[Stroke]
) -> tuple[Event, ...]:
    """Price moves: drifts of the day, sudden ones, those behind a halt, and the price after a split."""
    moves: list[Event] = []
    for walk in walks:
        for _ in range(chance.choice((0, 1, 2, 4))):
            at = start + timedelta(seconds=round(chance.uniform(0, chaos)))
            lasts = timedelta(seconds=chance.choice((1, 1, 20, 300)))
            moves.append(Drift(walk.instrument, at, at + lasts, Decimal(chance.randrange(-60, 61)) / 1000))
    for stroke in strokes:
        at = start + timedelta(seconds=stroke.at)
        if stroke.kind == SPLIT:
            by = 1 / split_ratio(stroke) - 1
            moves.append(Drift(stroke.target, at, at + timedelta(microseconds=1), by.quantize(Decimal("1e-9"))))
        elif stroke.kind == HALT:
            end = at + timedelta(seconds=stroke.seconds)
            gap = Decimal(stroke.random().randrange(-80, 81)) / 1000
            moves.append(Drift(stroke.target, end, end + timedelta(microseconds=1), gap))
    return tuple(moves)


def draw_exchange(chance: Random) -> ExchangeRules:
    """Ways of an exchange that differ from broker to broker and from day to day."""

    def sometimes(share: float) -> bool:
        return chance.random() < share

    def delay(most: float) -> timedelta:
        return timedelta(seconds=round(chance.choice((0, 0, chance.uniform(0, most))), 3))

    return ExchangeRules(
        accept_after=delay(0.5),
        cancel_after=delay(1.0),
        replace_after=delay(1.0),
        fill_after=delay(1.0),
        cancels_wait_for_open=sometimes(0.3),
        limited_by_size=sometimes(0.3),
        day_orders_end_as_canceled=sometimes(0.3),
        gtc_done_for_day=sometimes(0.2),
        stop_leg_stays_held=sometimes(0.3),
        split_adjusts_orders=sometimes(0.6),
        refuses_wash_trades=sometimes(0.6),
    )


def draw_travel(chance: Random) -> Travel:
    slow = chance.choice((0.02, 0.1, 0.4))
    return Travel(
        there=(0.002, slow),
        back=(0.002, slow),
        stream=(0.002, chance.choice((0.03, 0.3, 2.0))),
        deadline=round(chance.choice((5.0, 5.0, chance.uniform(1.5, 8))), 2),
        reconnect=(0.5, chance.choice((1.5, 10.0))),
    )


def draw_deeds(
    chance: Random,
    spells: Spells,
    names: Sequence[str],
    weights: Mapping[str, float],
    an_hour: Sequence[int],
    in_a_lull: float = 0.0,
) -> tuple[Deed, ...]:
    """A bot's and an operator's, more at the beginning, so that there is something to guard; few in a lull."""
    hourly = chance.choice(an_hour)
    drawn = [weight * (0.2 + chance.random() * 1.6) for weight in weights.values()]
    deeds: list[Deed] = []

    def act(at: float) -> None:
        verb = chance.choices(list(weights), drawn)[0]
        deeds.append(
            Deed(verb=verb, at=round(at, 3), instrument=chance.choice(list(names)), draw=chance.getrandbits(32))
        )

    at, end = chance.expovariate(1 / 20), min(spells.busy, spells.chaos - 60)
    while at < end:
        act(spells.at(at))
        at += chance.expovariate(hourly * (4 if at < 300 else 1) / HOUR)
    for begin, until in spells.lulls if in_a_lull else ():
        at = begin + chance.expovariate(in_a_lull / HOUR)
        while at < min(until, spells.chaos - 60):
            act(at)
            at += chance.expovariate(in_a_lull / HOUR)
    return tuple(sorted(deeds, key=lambda deed: deed.at))
