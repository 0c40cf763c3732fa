"""exits-expire: several positions entered as brackets with day legs; at the close the legs expire.

The bot's database says that both positions have their exits, so it sleeps well. The next morning one of them slides.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from standfast.core.policy import Policy
from standfast.drills.claims import cover_told, ends_at_stop, stops_of_guard
from standfast.drills.drill import Drill
from standfast.drills.line import How, Line
from standfast.drills.scene import AAPL, Scene
from standfast.drills.stage import Stage
from standfast.exchange.orders import TimeInForce

MSFT = "MSFT"
HELD = {AAPL: Decimal(100), MSFT: Decimal(40)}
CLOSE = datetime(2026, 10, 8, 20, 0, tzinfo=UTC)
OPEN = datetime(2026, 10, 9, 13, 30, tzinfo=UTC)

SCENE = Scene(
    start=datetime(2026, 10, 8, 19, 59, 20, tzinfo=UTC),
    prices={AAPL: ("100.00", "100.02"), MSFT: ("400.00", "400.04")},
    policies=(Policy(name="drill", stop_loss=Decimal("0.02"), take_profit=Decimal("0.30")),),
)


class Bot:
    """Enters brackets and writes into its database that they have their exits. `day` is the default of the broker's
    own client, and nobody thought of it."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.has_exits: dict[str, bool] = {}

    async def enter(self, instrument: str, quantity: Decimal, target: str, stop: str) -> None:
        await self.line.buy(instrument, quantity, How(target_leg=target, stop_leg=stop))
        self.has_exits[instrument] = True

    def look(self) -> list[str]:
        """The positions without exits, as far as it knows."""
        return [name for name, has in self.has_exits.items() if not has]


async def story(stage: Stage) -> None:
    bot = Bot(stage.bot)
    await bot.enter(AAPL, HELD[AAPL], "130.00", "98.00")
    await bot.enter(MSFT, HELD[MSFT], "520.00", "392.00")
    await stage.wait_until(CLOSE + timedelta(seconds=60))
    stage.says(f"looks at its database: positions without exits: {bot.look() or 'none'}")
    for name, quantity in HELD.items():
        _claim_exits(stage, name, quantity)
    await stage.night(OPEN)
    for name in HELD:
        live = [order for order in stage.truth.stops(name) if order.is_live]
        stage.claim(f"the stop of {name} is live at the open", f"{len(live)} live stop(s)", holds=len(live) == 1)
    await stage.slide("99.20", "98.60", "97.90", "95.00", "91.00", "88.00")
    stage.says(f"looks at its database: positions without exits: {bot.look() or 'none'}")
    ends_at_stop(stage, 230)
    stage.claim(
        "MSFT is still held, and still covered", cover_told(stage, MSFT), holds=stage.truth.cover(MSFT) == HELD[MSFT]
    )
    for name in HELD:
        made = len(stops_of_guard(stage, name))
        stage.claim_of_guard(f"the exit of {name} was recreated once", f"{made} stop(s)", holds=made == 1)


def _claim_exits(stage: Stage, name: str, quantity: Decimal) -> None:
    lasting = all(order.terms.time_in_force is TimeInForce.GTC for order in stage.truth.stops(name))
    stage.claim(
        f"a minute after the close {name} has a lasting exit for exactly its quantity",
        cover_told(stage, name),
        holds=lasting and stage.truth.cover(name) == quantity,
    )


DRILL = Drill(name="exits-expire", scene=SCENE, story=story)
