"""trailing-never-arms: the trailing stop arms at +30 %, the trade peaks at +29 %, and nothing has been kept of it.

The guard's ladder begins lower: at +10 % the stop is at the entry, from +20 % on it follows the peak by eight points.
"""

from datetime import UTC, datetime
from decimal import Decimal

from standfast.core.policy import HeldBy, Policy, Rung
from standfast.drills.claims import flat
from standfast.drills.drill import Drill
from standfast.drills.line import Line
from standfast.drills.scene import AAPL, SECOND, Scene
from standfast.drills.spreads import proven
from standfast.drills.stage import Stage
from standfast.exchange.contracts import HUNDRED
from standfast.exchange.orders import Intent, Side, Terms, Ticket
from standfast.model.journal import TrailMoved

CALL = "AAPL261016C00100000"
CONTRACTS = 10
PAID = Decimal("5.00")
STOP, ARM, GIVE_BACK = Decimal("0.50"), Decimal("0.30"), Decimal("0.10")
LADDER = (Rung(Decimal("0.10"), None), Rung(Decimal("0.20"), Decimal("0.08")), Rung(Decimal("0.30"), Decimal("0.10")))
RULES = Policy(name="trend", held_by=HeldBy.GUARD, stop_loss=STOP, trailing=LADDER)
PEAK = Decimal("6.45")
"""29 % more than was paid."""
BEYOND = PAID * Decimal("1.21")
"""Eight points below the peak."""

SCENE = Scene(
    start=datetime(2026, 10, 8, 14, 30, tzinfo=UTC),
    prices={AAPL: ("101.00", "101.02"), CALL: ("4.95", "5.00")},
    every=2 * SECOND,
    policies=(RULES,),
    dialect="tradier",
    speed=10.0,
)


class Bot:
    """One trailing stop, armed at +30 % and ten points behind from there; below it a stop at half of what was paid."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says
        self.peak = Decimal(0)
        self.is_armed = False

    async def enter(self) -> None:
        await self.line.submit(order(Side.BUY, Intent.BUY_TO_OPEN))

    async def look(self) -> None:
        held = await self.line.positions()
        bid, _ = (await self.line.quotes([CALL]))[CALL]
        if CALL not in held:
            return
        result = bid / PAID - 1
        self.peak = max(self.peak, result)
        self.is_armed = self.peak >= ARM
        stop = self.peak - GIVE_BACK if self.is_armed else -STOP
        self.says(f"sees {result:+.0%}, stop at {stop:+.0%}{'' if self.is_armed else ', not trailing'}")
        if result <= stop:
            await self.line.submit(order(Side.SELL, Intent.SELL_TO_CLOSE))


def order(side: Side, intent: Intent) -> Ticket:
    return Ticket(terms=Terms(instrument=CALL, side=side, quantity=Decimal(CONTRACTS)), intent=intent)


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await bot.enter()
    await stage.wait(12)
    for bid in ("5.30", "5.60", "6.10", "6.45", "6.25", "6.05", "5.60", "5.00", "4.20", "3.30", "2.45"):
        await stage.price(bid, str(Decimal(bid) + Decimal("0.05")), CALL)
        await stage.wait(15)
        await bot.look()
    await stage.wait(15)
    first = next(quote.bid for quote in stage.board.seen if _falls_beyond(stage, quote.at) and quote.instrument == CALL)
    assert first is not None
    least = (first - PAID) * CONTRACTS * HUNDRED
    stage.claim(
        "what is kept of the peak is at least the first quote at the trailing stop",
        f"{stage.truth.result:+,.2f} USD, at the first bid at or below +21 % {least:+,.2f}",
        holds=stage.truth.result >= least,
    )
    await _told(stage)
    flat(stage, CALL)
    await proven(stage, CALL)


def _falls_beyond(stage: Stage, at: datetime) -> bool:
    """Whether this is after the peak, and at or below the stop that follows it."""
    bids = [
        quote for quote in stage.board.seen if quote.instrument == CALL and quote.at <= at and quote.bid is not None
    ]
    peak = next((quote.at for quote in bids if quote.bid == PEAK), None)
    return peak is not None and bids[-1].bid is not None and bids[-1].bid <= BEYOND and bids[-1].at > peak


async def _told(stage: Stage) -> None:
    """Which rung is armed and where the stop stands: in the ledger, and where a person looks."""
    moves = [entry.fact.trail for entry in await stage.entries() if isinstance(entry.fact, TrailMoved)]
    rungs = [f"rung {trail.rung + 1} at {trail.stop:+.0%}" for trail in moves]
    armed = moves and (moves[0].rung, moves[0].stop) == (0, Decimal(0)) and moves[-1].stop == Decimal("0.21")
    stage.claim_of_guard("break-even first, then eight points behind the peak", ", ".join(rungs), holds=bool(armed))
    lines = [line for _, positions in stage.statuses for line in positions if CALL in line and "rung" in line]
    stage.claim_of_guard(
        "the status line says which rung is armed, and where the stop is",
        lines[-1] if lines else "never",
        holds=any("rung 2 at +21.00%" in line for line in lines),
    )


DRILL = Drill(name="trailing-never-arms", scene=SCENE, story=story)
