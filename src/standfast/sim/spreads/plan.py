"""The plan of a seed that plays spreads: an account of options at Tradier, its market, its rules, faults and people.

As `plan`, from streams of its own, so neither kind of seed changes with the other. Some of these runs begin shortly
before the close of the last day of the nearer contracts, and end after it: they expire, are assigned, or are sold out
by the broker before.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from standfast.core.policy import Confirm, FlatBy, Foreign, HeldBy, Mode, Policy, Rules
from standfast.exchange.dialects import tradier
from standfast.exchange.market import Drift, Event, Walk
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.model.ids import AccountId
from standfast.sim.board import Board, Chain
from standfast.sim.catalogue import KINDS
from standfast.sim.knobs import draw_every, draw_trailing
from standfast.sim.plan import HOUR, QUIET, Plan, draw_deeds, draw_exchange, draw_strokes, draw_travel
from standfast.sim.spells import draw_spells
from standfast.sim.spreads.deeds import WEIGHTS

NEW_YORK = ZoneInfo("America/New_York")
DAY = datetime(2026, 10, 8, 14, 0, tzinfo=UTC)
"""A Thursday, 10:00 in New York."""
CLOSES = datetime(2026, 10, 8, 20, 0, tzinfo=UTC)
TODAY, LATER, LATEST = "261008", "261016", "261023"
SPLITS, BUSTS, FLOODS, NIGHTS, GTC, PAIRS = 76, 27, 51, 40, 23, 24
NAMES, WORDS, IDS = 34, 36, 21
OLD_LISTS = 32
LEFT_OUT = frozenset({SPLITS, BUSTS, FLOODS, NIGHTS, GTC, PAIRS, NAMES, WORDS, IDS, OLD_LISTS})
"""Kinds that are about shares, about orders nobody has here, or spoil answers in the words of another dialect; and
lists that are minutes old, against A1: here a guard that has just begun cannot tell them from new ones."""
PLAYED = {number: kind for number, kind in KINDS.items() if number not in LEFT_OUT}
UNDERLYINGS = (("SPX", "SPXW", 4000, 25), ("SPY", "SPY", 400, 2), ("AAPL", "AAPL", 200, 2))
"""Name, root, price, and how far its strikes are apart; the first is settled in cash."""


def draw_spreads(seed: int, *, hours: float = 1.0, policies: Sequence[Policy] | None = None) -> Plan:
    """The plan of this seed: pure. `policies`: a user's own, kept as they are; all else is drawn."""
    chance = Random(f"spreads/plan-{seed}")
    chaos = hours * HOUR
    lulls = Random(f"spreads/lulls-{seed}")
    spells = draw_spells(lulls, chaos)
    expires = chance.random() < 0.4
    start = DAY if not expires else CLOSES - timedelta(seconds=round(chaos * chance.uniform(0.3, 0.9)))
    walks, board = _market(Random(f"spreads/market-{seed}"), expires=expires)
    names = (*board.contracts, *(walk.instrument for walk in walks))
    return Plan(
        seed=seed,
        start=start,
        chaos=chaos,
        quiet=QUIET,
        guard_at=round(chance.choice((0.5, chance.uniform(1, 60))), 3),
        rules=_rules(Random(f"spreads/rules-{seed}"), start, chaos, policies),
        walks=walks,
        board=board,
        moves=_moves(Random(f"spreads/moves-{seed}"), walks, start, chaos),
        every=timedelta(seconds=chance.choice((2, 5))),
        exchange=_exchange(Random(f"spreads/exchange-{seed}")),
        spells=spells,
        slow=timedelta(seconds=lulls.choice((15, 30))),
        partly=Decimal(chance.choice((0, 5, 10, 30))) / 100,
        travel=draw_travel(Random(f"spreads/travel-{seed}")),
        sessions=(),
        strokes=draw_strokes(Random(f"spreads/faults-{seed}"), spells, names, PLAYED),
        deeds=draw_deeds(
            Random(f"spreads/workload-{seed}"), spells, [walk.instrument for walk in walks], WEIGHTS, (15, 30, 60)
        ),
        order_seed=seed if chance.random() < 0.5 else None,
        restart_after=round(chance.choice((0.2, 1, 2, chance.uniform(1, 20))), 3),
        through="tradier",
    )


def _market(chance: Random, *, expires: bool) -> tuple[tuple[Walk, ...], Board]:
    days = (TODAY if expires else LATER, LATEST)
    chains, walks = [], []
    for name, root, price, step in chance.choice((UNDERLYINGS[:1], UNDERLYINGS[1:2], UNDERLYINGS[:2], UNDERLYINGS[2:])):
        side = chance.choice((2, 3, 4))
        strikes = tuple(price + n * step for n in range(-side, side + 1))
        chains.append(Chain(underlying=name, root=root, days=days, strikes=strikes))
        walk = Walk(
            instrument=name,
            price=Decimal(price + chance.randrange(-step, step + 1)),
            volatility=chance.choice((0.002, 0.005, 0.01)),
            reversion=chance.choice((0.0, 0.0, 2.0)),
            spread=Decimal(chance.choice((2, 10))) / 100,
        )
        walks.append(walk)
    every = timedelta(seconds=chance.choice((5, 10)))
    return tuple(walks), Board(chains=tuple(chains), volatility=chance.choice((0.12, 0.2, 0.4)), every=every)


def _rules(chance: Random, start: datetime, chaos: float, policies: Sequence[Policy] | None) -> Rules:
    return Rules(
        account=AccountId("sim"),
        mode=Mode.REPAIR,
        foreign=chance.choices((Foreign.ADOPT, Foreign.ALERT), (0.9, 0.1))[0] if policies is None else Foreign.ADOPT,
        policies=(_policy(chance, start, chaos),) if policies is None else tuple(policies),
        every=draw_every(chance),
        confirm=Confirm(reads=chance.choice((2, 2, 3)), orphan=timedelta(seconds=chance.choice((5, 30, 60)))),
    )


def _policy(chance: Random, start: datetime, chaos: float) -> Policy:
    """The guard holds everything: nothing of a spread can rest at a broker."""
    stop = chance.choice((None, Decimal("0.15"), Decimal("0.4"), Decimal(1), Decimal(2)))
    emergency = stop * chance.choice((2, 3)) if stop is not None and chance.random() < 0.4 else None
    at = (start + timedelta(seconds=chance.uniform(chaos / 4, chaos))).astimezone(NEW_YORK)
    flat = FlatBy(at=at.time().replace(microsecond=0), zone=NEW_YORK)
    ending = chance.choice((None, None, None, flat, FlatBy(at=time(15, 50), zone=NEW_YORK)))
    return Policy(
        name="drawn",
        held_by=HeldBy.GUARD,
        stop_loss=stop,
        emergency_stop=emergency,
        minimum_hold=timedelta(seconds=chance.choice((0, 0, 60, 600))) if emergency is not None else timedelta(0),
        take_profit=chance.choice((None, None, Decimal("0.1"), Decimal("0.5"))),
        trailing=draw_trailing(chance),
        maximum_hold=chance.choice((None, None, None, None, None, timedelta(seconds=chance.randrange(120, 1200)))),
        flat_by=flat if chance.random() < 0.1 else None,
        expiring_flat_by=ending,
        adopted_too=chance.random() < 0.5,
    )


def _moves(chance: Random, walks: Sequence[Walk], start: datetime, chaos: float) -> tuple[Event, ...]:
    """Drifts and sudden moves: by them most options change their price manifold."""
    moves: list[Event] = []
    for walk in walks:
        for _ in range(chance.choice((0, 1, 2, 4))):
            at = start + timedelta(seconds=round(chance.uniform(0, chaos)))
            lasts = timedelta(seconds=chance.choice((1, 20, 300)))
            moves.append(Drift(walk.instrument, at, at + lasts, Decimal(chance.randrange(-25, 26)) / 1000))
    return tuple(moves)


def _exchange(chance: Random) -> ExchangeRules:
    drawn = replace(
        draw_exchange(chance),
        expiry_settles_after=timedelta(seconds=chance.choice((1, 60, 300))),
        liquidates_expiring_at=chance.choice((None, None, time(15, 45))),
    )
    return tradier.rules(drawn)
