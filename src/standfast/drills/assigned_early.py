"""assigned-early: a sold put is assigned days before its end; the bot sells what is left of the spread and is done.

Three hundred shares came in the place of the put. The bot counts contracts, so it knows of none, and the put it sold
was what stood between them and the fall.
"""

from datetime import UTC, datetime
from decimal import Decimal

from standfast.core.policy import HeldBy, Match, Policy
from standfast.drills.claims import covered, ends_at_stop, flat
from standfast.drills.drill import Drill
from standfast.drills.line import Line, Refused, Spread
from standfast.drills.scene import AAPL, SECOND, Scene
from standfast.drills.spreads import LAST_DAY, alarms, names_of, proven
from standfast.drills.stage import Stage
from standfast.exchange.orders import Intent, Side, Terms, Ticket
from standfast.model.position import CloseReason

SOLD, BOUGHT = "AAPL261016P00100000", "AAPL261016P00095000"
SPREAD = Spread(legs=f"{SOLD}:-1 {BOUGHT}:+1", units=3)
LOOK = 30.0

SCENE = Scene(
    start=datetime(2026, 10, 8, 14, 30, tzinfo=UTC),
    prices={AAPL: ("97.50", "97.52"), SOLD: ("3.10", "3.20"), BOUGHT: ("1.00", "1.10")},
    every=2 * SECOND,
    policies=(
        Policy(name="shares", match=Match(kind="equity"), stop_loss=Decimal("0.03")),
        Policy(name="spreads", held_by=HeldBy.GUARD, stop_loss=Decimal("0.80"), expiring_flat_by=LAST_DAY),
    ),
    dialect="tradier",
    speed=10.0,
)


class Bot:
    """Looks at its contracts. When one leg of a spread is gone it sells the other: no half of a spread is left over."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says
        self.is_open = False

    async def enter(self) -> None:
        await self.line.open(SPREAD, "1.90")
        self.is_open = True

    async def look(self) -> None:
        held = {name: quantity for name, quantity in (await self.line.positions()).items() if name in names_of(SPREAD)}
        if not self.is_open or len(held) == 2:
            return
        self.says(f"finds {', '.join(held) or 'nothing'} of its spread: the rest is closed, sells what is left over")
        try:
            await self.line.submit(_sell(held.get(BOUGHT, Decimal(0)))) if held else None
        except Refused:
            return
        self.is_open = False
        self.says("takes the spread off its list: flat")


def _sell(quantity: Decimal) -> Ticket:
    return Ticket(terms=Terms(instrument=BOUGHT, side=Side.SELL, quantity=quantity), intent=Intent.SELL_TO_CLOSE)


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await bot.enter()
    await stage.wait(15)
    await bot.look()
    stage.say("the holder of the sold puts exercises them")
    stage.engine.assign(stage.account, SOLD)
    await stage.wait(LOOK)
    covered(stage, AAPL, f"{LOOK:g} s after the assignment")
    await bot.look()
    await stage.wait(20)
    await _booked(stage)
    for bid in ("96.80", "95.90", "94.80", "94.50", "92.00", "88.00", "84.00"):
        put = max(Decimal("1.00"), Decimal(95) - Decimal(bid) + Decimal("0.40"))
        shown = {AAPL: (bid, str(Decimal(bid) + Decimal("0.02"))), BOUGHT: (str(put), str(put + Decimal("0.10")))}
        await stage.prices(shown)
        await stage.wait(10)
    await stage.wait(20)
    ends_at_stop(stage, 800)
    flat(stage, AAPL, SOLD, BOUGHT)
    await proven(stage, SOLD, BOUGHT, AAPL)


async def _booked(stage: Stage) -> None:
    if not stage.is_guarded:
        return
    ended = [each for each in stage.closed() if each.holding.instrument == SOLD]
    shown = ", ".join(f"{each.holding} {each.close_reason}" for each in ended) or "not in the books"
    is_so = [each.close_reason for each in ended] == [CloseReason.ASSIGNMENT]
    stage.claim("the sold puts left the books as assigned", shown, holds=is_so)
    told = [text for _, text in await alarms(stage)]
    named = [text for text in told if SOLD in text and "assigned" in text]
    stage.claim("a person is told what was assigned", named[0] if named else "nobody is told", holds=bool(named))


DRILL = Drill(name="assigned-early", scene=SCENE, story=story)
