"""expired-worthless: a spread is left to expire, does, and the bot's record never hears of it.

The bot knows a trade to be over by its own closing order. What expires has none: the record stays open, the profit is
in nobody's books, and the next morning the bot closes something that no longer exists. The loss counted here is money
that is in nobody's books.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from standfast.core.policy import HeldBy, Policy
from standfast.drills.claims import orders_of_guard
from standfast.drills.drill import Drill
from standfast.drills.line import Line, Refused, Spread
from standfast.drills.scene import SECOND, Scene
from standfast.drills.spreads import brought, compared, names_of, proven, result_of
from standfast.drills.stage import Stage
from standfast.exchange.contracts import HUNDRED
from standfast.exchange.orders import Status
from standfast.model.alert import Severity
from standfast.model.journal import AlertRaised
from standfast.model.position import CloseReason

SPX, SOLD, BOUGHT = "SPX", "SPXW261008P06700000", "SPXW261008P06690000"
SPREAD = Spread(legs=f"{SOLD}:-1 {BOUGHT}:+1", units=3)
START = datetime(2026, 10, 8, 19, 56, tzinfo=UTC)
CLOSE = datetime(2026, 10, 8, 20, 0, tzinfo=UTC)
GONE = CLOSE + timedelta(minutes=65)
OPEN = datetime(2026, 10, 9, 13, 30, tzinfo=UTC)

SCENE = Scene(
    start=START,
    prices={SPX: ("6739.50", "6740.50"), SOLD: ("0.55", "0.60"), BOUGHT: ("0.15", "0.20")},
    every=10 * SECOND,
    policies=(Policy(name="to expire", held_by=HeldBy.GUARD, stop_loss=Decimal("5.00")),),
    dialect="tradier",
    speed=10.0,
)
"""`expiring_flat_by` is off: its owner lets what is far from the money expire."""


class Bot:
    """A trade in its record ends when its closing order has filled."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says
        self.is_open = False
        self.result = Decimal(0)

    async def enter(self) -> None:
        await self.line.open(SPREAD, "0.30")
        self.is_open = True

    def report(self, when: str) -> None:
        self.says(f"{when}: {'one spread open' if self.is_open else 'nothing open'}, made so far {self.result:.2f}")

    async def close(self) -> None:
        try:
            sent = await self.line.close(SPREAD)
        except Refused:
            return
        self.is_open = (await self.line.order(sent)).status is not Status.FILLED


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await bot.enter()
    await stage.wait(60)
    credit = brought(stage, SPREAD) * SPREAD.units * HUNDRED
    await stage.prices({SPX: ("6754.50", "6755.50"), SOLD: ("0", "0.05"), BOUGHT: ("0", "0.05")})
    await stage.wait_until(CLOSE + timedelta(minutes=2))
    held = len(stage.positions()) if stage.is_guarded else 0
    stage.claim_of_guard(
        "two minutes after the close, while the broker still lists it, it is in the books",
        f"{held} legs",
        holds=held == 2,
    )
    await stage.hours(GONE)
    await stage.wait(30)
    bot.report("in the evening")
    await stage.night(OPEN)
    bot.report("in the morning")
    await bot.close()
    await stage.wait(20)
    await _claims(stage, bot, credit)


async def _claims(stage: Stage, bot: Bot, credit: Decimal) -> None:
    booked = bot.result
    if stage.is_guarded:
        booked += sum((position.pnl for position in stage.closed()), Decimal(0))
    true = result_of(stage, *names_of(SPREAD))
    stage.claim("its result is in somebody's books, to the cent", f"{booked:.2f} of {true:.2f}", holds=booked == true)
    stage.claim("what was received is what was made", f"{true:.2f} of {credit:.2f}", holds=true == credit)
    stage.lost = abs(true - booked)
    if not stage.is_guarded:
        return
    reasons = {position.close_reason for position in stage.closed()}
    stage.claim("it ended by expiry", ", ".join(sorted(map(str, reasons))), holds=reasons == {CloseReason.EXPIRY})
    sent = [order for name in names_of(SPREAD) for order in orders_of_guard(stage, name)]
    stage.claim("no order was sent for it", f"{len(sent)} orders of the guard", holds=not sent)
    told = [entry.fact for entry in await stage.entries() if isinstance(entry.fact, AlertRaised)]
    named = [alert for alert in told if "expired" in alert.text]
    shouted = [alert.text for alert in told if alert.severity is Severity.CRITICAL]
    stage.claim(
        "a person is told to compare it with the statement, and woken for nothing",
        f"{len(named)} messages about it; critical: {shouted or 'none'}",
        holds=len(named) >= len(names_of(SPREAD)) and not shouted,
    )
    await compared(stage)
    await proven(stage, *names_of(SPREAD))


DRILL = Drill(name="expired-worthless", scene=SCENE, story=story)
