"""kill-switch-leftovers: "flatten all" closes positions and switches the bot off; an entry still rests, and fills."""

from standfast.drills.claims import flat
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.orders import Side, TimeInForce

MSFT, KO = "MSFT", "KO"
SCENE = Scene(prices={AAPL: ("100.00", "100.02"), MSFT: ("400.00", "400.04"), KO: ("70.00", "70.02")})


class Bot:
    """A position with its stop, an entry that waits for a better price, and a kill switch."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says

    async def trade(self) -> None:
        await self.line.buy(AAPL, 100)
        await self.line.sell(AAPL, 100, How(stop="98.00", lasts=TimeInForce.GTC))
        await self.line.buy(MSFT, 100, How(limit="396.00", lasts=TimeInForce.GTC))

    async def kill_switch(self) -> None:
        for instrument, quantity in (await self.line.positions()).items():
            for order in await self.line.orders():
                if order.instrument == instrument:
                    await self.line.cancel(order)
            await self.line.sell(instrument, quantity)
        self.says("flat and switched off")


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    await bot.trade()
    await stage.wait(10)
    if stage.is_guarded:
        await stage.ask("open", instrument=KO, quantity="100", limit="69.00", key="waiting")
        await stage.until(lambda: stage.truth.working(KO), 10, "an entry of the guard's own rests too")
        pressed = stage.now
        done = await stage.act("flatten", everything="true", within=60)
        stage.claim("flatten is done when positions and entries are both gone", done.detail, holds=done.ok)
        _entries_first(stage)
        stage.claim(
            "within 30 s", f"{(stage.now - pressed).total_seconds():.1f} s", holds=(stage.now - pressed).seconds < 30
        )
    else:
        await bot.kill_switch()
    flat(stage, AAPL, MSFT, KO)
    await stage.price("68.80", "68.82", KO)
    await stage.slide("398.00", "395.80", "380.00", "350.00", instrument=MSFT)
    flat(stage, AAPL, MSFT, KO)
    lost = -stage.truth.result
    stage.claim("it cost the spread and no more", f"lost {lost:.2f}", holds=lost <= 20)


def _entries_first(stage: Stage) -> None:
    """Every entry was gone before the first position was sold."""
    entries, sales = [], []
    for event in stage.truth.tape:
        if event.kind == "canceled" and event.order.side is Side.BUY:
            entries.append(event.number)
        if event.kind == "fill" and event.order.side is Side.SELL:
            sales.append(event.number)
    right = len(entries) == 2 and bool(sales) and max(entries) < min(sales)
    stage.claim(
        "entries were cancelled first", f"cancels {entries}, sales {sales} of the exchange's events", holds=right
    )


DRILL = Drill(name="kill-switch-leftovers", scene=SCENE, story=story)
