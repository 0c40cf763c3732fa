"""half-spread: an order for both legs fills in one of them, and the rest is rejected: a put sold alone.

The bot reads `rejected` and takes it that nothing happened.
"""

from datetime import UTC, datetime
from decimal import Decimal

from standfast.core.policy import HeldBy, Policy
from standfast.drills.claims import flat
from standfast.drills.drill import Drill
from standfast.drills.line import Line, Spread
from standfast.drills.scene import SECOND, Scene
from standfast.drills.spreads import LAST_DAY, names_of, proven, result_of
from standfast.drills.stage import Stage
from standfast.exchange.contracts import HUNDRED
from standfast.exchange.orders import Order, Status

SPX, SOLD, BOUGHT = "SPX", "SPXW261016P06700000", "SPXW261016P06690000"
SPREAD = Spread(legs=f"{SOLD}:-1 {BOUGHT}:+1", units=3)
ASKED = "3.90"
"""More than the market gives: the order rests."""
FILLED_AT = Decimal("8.60")
ALONE_AT_MOST = 30.0

SCENE = Scene(
    start=datetime(2026, 10, 8, 14, 30, tzinfo=UTC),
    prices={SPX: ("6719.50", "6720.50"), SOLD: ("8.60", "8.70"), BOUGHT: ("4.80", "4.90")},
    every=2 * SECOND,
    policies=(Policy(name="spreads", held_by=HeldBy.GUARD, stop_loss=Decimal("0.50"), expiring_flat_by=LAST_DAY),),
    dialect="tradier",
    speed=10.0,
)


class Bot:
    """Sends both legs as one order and reads what became of it. Rejected is rejected."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        self.order = await self.line.open(SPREAD, ASKED)

    async def look(self) -> None:
        now = await self.line.order(self.order)
        if now.status in (Status.REJECTED, Status.CANCELED):
            self.says(f"reads its order: {now.status}; deletes it: nothing is open")


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    asked = None
    if stage.is_guarded:
        asked = await stage.ask("open", legs=SPREAD.legs, quantity=str(SPREAD.units), credit=ASKED)
    else:
        await bot.enter()
    await stage.until(lambda: _whole(stage) is not None, 20, "the order for both legs to rest")
    await stage.wait(3)
    _half(stage)
    if asked is not None:
        answered = await stage.answer(asked, 60)
        is_said = not answered.ok and "closed again" in answered.detail and SOLD in answered.detail
        stage.claim("who asked for it is told that it was rolled back, and the proof", answered.detail, holds=is_said)
    else:
        await stage.wait(5)
        await bot.look()
    await stage.wait(ALONE_AT_MOST)
    fills = [fill for fill in stage.engine.truth(stage.account).fills if fill.instrument == SOLD]
    ends = next((fill.at for fill in fills if fill.quantity > 0), stage.now)
    alone = (ends - fills[0].at).total_seconds()
    stage.claim(
        f"the sold puts were not alone for more than {ALONE_AT_MOST:g} s",
        f"{alone:.1f} s, {stage.truth.net(SOLD)} held now",
        holds=alone <= ALONE_AT_MOST and not stage.truth.net(SOLD),
    )
    for spx, sold, bought in (("6700", "14.00", "9.00"), ("6660", "46.00", "37.50"), ("6620", "83.00", "74.00")):
        await stage.prices({SPX: _around(spx, "0.50"), SOLD: _around(sold, "0.10"), BOUGHT: _around(bought, "0.10")})
        await stage.wait(20)
    await _claims(stage)


def _around(price: str, by: str) -> tuple[str, str]:
    return str(Decimal(price) - Decimal(by)), str(Decimal(price) + Decimal(by))


def _whole(stage: Stage) -> Order | None:
    """The order for both legs, once it can trade."""
    return next((order for order in stage.truth.working(SPX) if order.is_multileg and order.is_live), None)


def _half(stage: Stage) -> None:
    """The exchange trades the sold leg by itself, and rejects what is left."""
    whole = _whole(stage)
    assert whole is not None
    stage.say("the exchange fills the sold leg alone and rejects the rest")
    leg = next(each for each in stage.engine.legs(whole) if each.instrument == SOLD)
    stage.engine.fill_now(leg.id, Decimal(SPREAD.units), FILLED_AT)
    stage.engine.reject_working(whole.id)


async def _claims(stage: Stage) -> None:
    flat(stage, *names_of(SPREAD))
    lost = -result_of(stage, *names_of(SPREAD))
    most = (Decimal("8.70") - FILLED_AT) * SPREAD.units * HUNDRED
    stage.claim("it cost the width of a quote", f"lost {lost:,.2f} USD of {most:,.2f}", holds=lost <= most)
    await proven(stage, SOLD)


DRILL = Drill(name="half-spread", scene=SCENE, story=story)
