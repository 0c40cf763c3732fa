"""retry-doubles: a POST that was not answered is sent again, under a fresh id; both were orders."""

from standfast.drills.claims import covered, ends_at_stop, never_beyond, orders_of_guard
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line, NoAnswer
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.faults import NeverAnswered, NeverArrives, ServerError
from standfast.exchange.orders import Side, TimeInForce

MSFT = "MSFT"
SCENE = Scene(prices={AAPL: ("100.00", "100.02"), MSFT: ("400.00", "400.04")})


class Bot:
    """Sends until somebody answers. Its client makes a new id for each request, as they do."""

    def __init__(self, line: Line) -> None:
        self.line = line

    async def enter(self) -> None:
        while True:
            try:
                await self.line.buy(AAPL, 100)
                break
            except NoAnswer:
                continue
        await self.line.sell(AAPL, 100, How(stop="98.00", lasts=TimeInForce.GTC))


async def story(stage: Stage) -> None:
    stage.fault("submit", NeverAnswered(), count=1)
    if stage.is_guarded:
        await _through_guard(stage)
    else:
        await Bot(stage.bot).enter()
    await stage.wait(10)
    never_beyond(stage, AAPL, 0, 100)
    covered(stage, AAPL, "after the retry")
    await stage.slide("99.20", "98.60", "97.90", "95.00", "91.00", "88.00")
    ends_at_stop(stage, 250)


async def _through_guard(stage: Stage) -> None:
    """The guard is killed while the first order is in doubt; the next life finds it by the id it derives again.
    The second order never arrives, and is sent again under its own id."""
    stage.fault("order", ServerError(status=503), count=3)
    asked = await stage.ask("open", instrument=AAPL, quantity="100", key="trade-1")
    await stage.until(lambda: stage.truth.net(AAPL), 10, "the order is filled, and the guard does not know")
    await stage.restart_guard()
    done = await stage.answer(asked)
    stage.claim("another life of the guard proves the opening", done.detail, holds=done.ok)
    entries = [order for order in orders_of_guard(stage, AAPL) if order.side is Side.BUY]
    stage.claim("one entry reached the exchange", f"{len(entries)}", holds=len(entries) == 1)
    stage.fault("submit", NeverArrives(), count=1)
    done = await stage.act("open", instrument=MSFT, quantity="5", key="trade-2")
    entries = [order for order in orders_of_guard(stage, MSFT) if order.side is Side.BUY]
    stage.claim("what never arrived is sent again, as the same order", done.detail, holds=done.ok and len(entries) == 1)
    again = await stage.act("open", instrument=MSFT, quantity="5", key="trade-2")
    never_beyond(stage, MSFT, 0, 5)
    stage.claim("the same key asked for twice is the same opening", again.detail, holds=again.ok)


DRILL = Drill(name="retry-doubles", scene=SCENE, story=story)
