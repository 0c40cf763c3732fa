"""gone-between-polls: positions bought and closed by the broker's brackets before the bot's next look.

The bot learns of positions by asking for them every five minutes. What lives shorter than that never was: no record, no
result, and its own rules never ran. The loss counted here is money that is in nobody's books.
"""

from datetime import timedelta
from decimal import Decimal

from standfast.core.policy import HeldBy, Match, Policy
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line
from standfast.drills.scene import STOP_AT_2, Scene
from standfast.drills.stage import Stage
from standfast.model.position import CloseReason

BMY, WMT, KO = "BMY", "WMT", "KO"
POLL = 300.0
PATIENT = Policy(
    name="patient",
    match=Match(strategy="patient"),
    held_by=HeldBy.GUARD,
    stop_loss=Decimal("0.02"),
    emergency_stop=Decimal("0.10"),
    minimum_hold=timedelta(minutes=30),
)

SCENE = Scene(
    prices={BMY: ("50.00", "50.02"), WMT: ("60.00", "60.02"), KO: ("70.00", "70.02")}, policies=(PATIENT, STOP_AT_2)
)


class Bot:
    """Keeps a record of each position it finds in the broker's list, and of its result once it is gone again."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.record: dict[str, Decimal] = {}

    async def enter(self) -> None:
        await self.line.buy(BMY, 100, How(target_leg="51.50", stop_leg="49.00"))
        await self.line.buy(WMT, 100, How(target_leg="61.20", stop_leg="58.80"))

    async def poll(self) -> None:
        for instrument, quantity in (await self.line.positions()).items():
            self.record[instrument] = quantity


async def story(stage: Stage) -> None:
    bot = Bot(stage.bot)
    await bot.poll()
    await stage.wait(10)
    await bot.enter()
    await stage.wait(200)
    await stage.price("48.90", "48.92", BMY)
    await stage.price("61.30", "61.32", WMT)
    await stage.wait(POLL - 212)
    await bot.poll()
    stage.says(f"asks for positions, five minutes after the last time: {bot.record or 'none, and none before'}")
    await stage.wait(20)
    _claims(stage, bot)
    if stage.is_guarded:
        await _patience(stage)


def _claims(stage: Stage, bot: Bot) -> None:
    true = stage.engine.truth(stage.account).realised_by_instrument()
    booked = dict.fromkeys(true, Decimal(0))
    lived = 0
    for position in stage.closed() if stage.is_guarded else ():
        booked[str(position.holding)] += position.pnl
        times = position.opened_at is not None and position.closed_at is not None
        lived += times and position.close_reason is CloseReason.BROKER_EXIT and position.exit_price is not None
    known = set(bot.record) | {name for name, amount in booked.items() if amount}
    stage.claim("both positions are in somebody's books", f"known: {sorted(known) or 'none'}", holds=known == set(true))
    stage.lost = sum((abs(amount - booked[name]) for name, amount in true.items()), Decimal(0))
    shown = ", ".join(f"{name} {booked[name]:.2f} of {amount:.2f}" for name, amount in true.items())
    stage.claim("their results are booked to the cent", shown, holds=stage.lost == 0)
    stage.claim_of_guard(
        "each with open and close time, price and reason (broker_exit)", f"{lived} of 2", holds=lived == 2
    )


async def _patience(stage: Stage) -> None:
    """`exits_held_by = guard` sends no bracket to the broker; a minimum hold waits for all but the emergency stop."""
    opened = await stage.act("open", instrument=KO, quantity="100", strategy="patient")
    resting = stage.truth.working(KO)
    stage.claim(
        "held by the guard: nothing rests at the broker", f"{len(resting)} orders", holds=opened.ok and not resting
    )
    await stage.price("68.00", "68.02", KO)
    await stage.wait(20)
    stage.claim(
        "beyond its stop, a position younger than its minimum hold is kept",
        f"{stage.truth.net(KO)} held at -2.9 %",
        holds=stage.truth.net(KO) == 100,
    )
    await stage.price("62.00", "62.02", KO)
    await stage.wait(20)
    reasons = [position.close_reason for position in stage.closed() if position.holding.instrument == KO]
    stage.claim("the emergency stop does not wait", f"{reasons}", holds=reasons == [CloseReason.EMERGENCY_STOP])


DRILL = Drill(name="gone-between-polls", scene=SCENE, story=story)
