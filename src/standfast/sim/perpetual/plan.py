"""The plan of a seed that plays perpetual futures: an account at Bybit or at Binance, one-way or hedged.

Its market, its rules, its faults and its people are drawn with it.

As `plan`, from streams of its own, so no kind of seed changes with another.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from standfast.core.policy import Confirm, Foreign, HeldBy, Limits, Mode, Policy, Rules
from standfast.exchange.market import Drift, Event, Walk
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.model.ids import AccountId
from standfast.sim.catalogue import KINDS
from standfast.sim.knobs import draw_every, draw_trailing
from standfast.sim.perpetual.deeds import WEIGHTS
from standfast.sim.perpetual.faults import PLAYED
from standfast.sim.plan import HOUR, QUIET, Perps, Plan, draw_deeds, draw_strokes, draw_travel
from standfast.sim.spells import draw_spells

START = datetime(2026, 10, 8, 14, 0, 3, tzinfo=UTC)
MARKETS = (("BTCUSDT", 50_000, "0.1"), ("ETHUSDT", 2_000, "0.01"), ("SOLUSDT", 100, "0.01"), ("XRPUSDT", 1, "0.0001"))
"""Name, price, and how far bid and ask are apart at least."""


def draw_perps(seed: int, *, hours: float = 1.0, policies: Sequence[Policy] | None = None) -> Plan:
    """The plan of this seed: pure. `policies`: a user's own, kept as they are; all else is drawn."""
    chance = Random(f"perpetual/plan-{seed}")
    chaos = hours * HOUR
    lulls = Random(f"perpetual/lulls-{seed}")
    spells = draw_spells(lulls, chaos)
    walks = _walks(Random(f"perpetual/market-{seed}"))
    names = [walk.instrument for walk in walks]
    return Plan(
        seed=seed,
        start=START,
        chaos=chaos,
        quiet=QUIET,
        guard_at=round(chance.choice((0.5, chance.uniform(1, 60))), 3),
        rules=_rules(Random(f"perpetual/rules-{seed}"), policies),
        walks=walks,
        perps=_perps(Random(f"perpetual/account-{seed}"), streams=Random(f"perpetual/quotes-{seed}").random() < 0.6),
        moves=_moves(Random(f"perpetual/moves-{seed}"), walks, chaos),
        every=timedelta(seconds=chance.choice((1, 2, 5))),
        exchange=ExchangeRules(),
        spells=spells,
        slow=timedelta(seconds=lulls.choice((4, 15, 30))),
        partly=Decimal(0),
        travel=draw_travel(Random(f"perpetual/travel-{seed}")),
        sessions=(),
        strokes=draw_strokes(Random(f"perpetual/faults-{seed}"), spells, names, {n: KINDS[n] for n in PLAYED}),
        deeds=draw_deeds(Random(f"perpetual/workload-{seed}"), spells, names, WEIGHTS, (15, 30, 60, 100)),
        order_seed=seed if chance.random() < 0.5 else None,
        restart_after=round(chance.choice((0.2, 1, 2, chance.uniform(1, 20))), 3),
        through="ccxt",
    )


def _perps(chance: Random, *, streams: bool) -> Perps:
    lag = chance.choice((None, None, (0.0, 5.0), (0.0, 30.0)))
    return Perps(
        at=chance.choice(("bybit", "binance")),
        hedged=chance.random() < 0.4,
        isolated=chance.random() < 0.3,
        leverage=Decimal(chance.choice((3, 10, 10, 25))),
        cash=Decimal(100_000),
        funding_every=timedelta(minutes=chance.choice((5, 10, 480))),
        funding_rate=Decimal(chance.choice(("0.0001", "-0.0003", "0.00375"))),
        lag=lag,
        streams=streams,
    )


def _walks(chance: Random) -> tuple[Walk, ...]:
    first = chance.randrange(len(MARKETS))
    chosen = (MARKETS[first:] + MARKETS[:first])[: chance.choice((1, 1, 2, 3))]
    return tuple(
        Walk(
            instrument=name,
            price=Decimal(price),
            volatility=chance.choice((0.002, 0.005, 0.01, 0.03)),
            reversion=chance.choice((0.0, 0.0, 2.0)),
            spread=Decimal(apart) * chance.choice((1, 2, 5)),
            tick=Decimal(apart),
            size=Decimal(1_000_000),
        )
        for name, price, apart in chosen
    )


def _moves(chance: Random, walks: Sequence[Walk], chaos: float) -> tuple[Event, ...]:
    moves: list[Event] = []
    for walk in walks:
        for _ in range(chance.choice((0, 1, 2, 4))):
            at = START + timedelta(seconds=round(chance.uniform(0, chaos)))
            lasts = timedelta(seconds=chance.choice((1, 1, 20, 300)))
            moves.append(Drift(walk.instrument, at, at + lasts, Decimal(chance.randrange(-60, 61)) / 1000))
    return tuple(moves)


def _rules(chance: Random, policies: Sequence[Policy] | None) -> Rules:
    return Rules(
        account=AccountId("sim"),
        mode=Mode.REPAIR,
        foreign=chance.choices((Foreign.ADOPT, Foreign.ALERT), (0.85, 0.15))[0] if policies is None else Foreign.ADOPT,
        policies=(_policy(chance),) if policies is None else tuple(policies),
        limits=Limits(orders_per_minute=chance.choice((None, None, 5))),
        every=draw_every(chance),
        confirm=Confirm(reads=chance.choice((2, 2, 3)), orphan=timedelta(seconds=chance.choice((5, 30, 60)))),
    )


def _policy(chance: Random) -> Policy:
    stop = Decimal(chance.choice((3, 8, 20, 50))) / 1000
    emergency = stop * chance.choice((2, 3)) if chance.random() < 0.4 else None
    held_by = chance.choices((HeldBy.BROKER, HeldBy.GUARD, HeldBy.BOTH), (0.65, 0.15, 0.2))[0]
    if held_by is HeldBy.BOTH and emergency is None:
        emergency = stop * 3
    return Policy(
        name="drawn",
        held_by=held_by,
        stop_loss=stop,
        emergency_stop=emergency,
        minimum_hold=timedelta(seconds=chance.choice((0, 0, 45, 300))) if emergency is not None else timedelta(0),
        take_profit=chance.choice((None, None, Decimal("0.005"), Decimal("0.05"))),
        trailing=draw_trailing(chance),
        maximum_hold=chance.choice((None, None, None, timedelta(seconds=chance.randrange(60, 600)))),
        adopted_too=chance.random() < 0.3,
    )
