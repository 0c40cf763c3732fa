"""dns-outage: no name resolves for a minute; the bot takes three silences in a row for `order not found`.

It forgets an accepted entry, which fills meanwhile: a short position that nobody watches.
"""

from datetime import timedelta

from standfast.drills.claims import covered, ends_at_stop
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line, NoAnswer, Seen
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.orders import TimeInForce
from standfast.model.journal import OrderNeverArrived, PositionSettled

MSFT = "MSFT"
OUTAGE = 60.0
SILENCES = 3
SCENE = Scene(prices={AAPL: ("100.00", "100.02"), MSFT: ("400.00", "400.04")})


class Bot:
    """Sells short at a limit, looks after its order until it fills, and only then thinks of a stop."""

    def __init__(self, stage: Stage) -> None:
        self.line: Line = stage.bot
        self.says = stage.says
        self.order: Seen | None = None
        self.silences = 0

    async def enter(self) -> None:
        self.order = await self.line.sell(AAPL, 100, How(limit="100.50", lasts=TimeInForce.GTC))

    async def look(self) -> None:
        if self.order is None:
            return
        try:
            now = await self.line.order(self.order)
        except NoAnswer as error:
            self.silences += 1
            self.says(f"order not found, {self.silences} of {SILENCES}: {error}")
            if self.silences == SILENCES:
                self.says("drops the order: it does not exist")
                self.order = None
            return
        self.silences = 0
        if not now.is_open:
            await self.line.buy(AAPL, now.quantity, How(stop="102.50", lasts=TimeInForce.GTC))
            self.order = None


async def story(stage: Stage) -> None:
    bot = Bot(stage)
    if stage.is_guarded:
        opened = await stage.act("open", instrument=MSFT, quantity="10", strategy="mine")
        stage.claim("a position of the guard's own is open beside it", opened.detail, holds=opened.ok)
    await bot.enter()
    await stage.wait(10)
    began = stage.now
    stage.outage(OUTAGE)
    await bot.look()
    await stage.price("100.60", "100.62")
    for _ in range(4):
        await stage.wait(10)
        await bot.look()
    await stage.price("101.20", "101.22")
    await stage.wait(max(0.0, OUTAGE - (stage.now - began).total_seconds()))
    ended = [
        type(entry.fact).__name__
        for entry in await stage.entries()
        if entry.at >= began and isinstance(entry.fact, OrderNeverArrived | PositionSettled)
    ]
    stage.claim_of_guard("silence ends nothing in the books", f"{ended or 'nothing ended'}", holds=not ended)
    blind = (
        [found for found in stage.book.state.breaks.values() if found.finding.kind == "blind"]
        if stage.is_guarded
        else []
    )
    stage.claim_of_guard("being blind is itself a break", f"{len(blind)} open", holds=bool(blind))
    back = stage.now
    await stage.wait(20)
    assert stage.now - back >= timedelta(seconds=20)
    await bot.look()
    covered(stage, AAPL, "20 s after the network is back")
    await stage.slide("102.00", "102.60", "105.00", "109.00", "112.00")
    ends_at_stop(stage, 270)


DRILL = Drill(name="dns-outage", scene=SCENE, story=story)
