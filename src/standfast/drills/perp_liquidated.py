"""perp-liquidated: a stop rests beyond the price at which the exchange takes the position away, and can do nothing.

At fifty times a position lives for two per cent. The bot's stop, five per cent away as ever, is never reached.
"""

from decimal import Decimal

from standfast.drills.perpetual.claims import flat, never_beyond, settled
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import AVL, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.exchange.perpetual.books import ExecutionKind
from standfast.model.alert import Severity
from standfast.model.journal import AlertRaised

QUANTITY = 1000
SCENE = PerpetualScene(prices={AVL: ("19.999", "20.000")}, leverage=Decimal(50), isolated=True)
NEARER = "19.85"


class Bot:
    """Places its stop five per cent below its entry, whatever the leverage."""

    def __init__(self, stage: PerpetualStage) -> None:
        self.line = stage.bot
        self.says = stage.says

    async def enter(self) -> None:
        await self.line.buy(AVL, QUANTITY)
        await self.line.sell(AVL, QUANTITY, trigger="19.000", reduces=True)
        self.says("protected")


async def story(stage: PerpetualStage) -> None:
    if stage.is_guarded:
        await _through_guard(stage)
    else:
        await Bot(stage).enter()
    await stage.wait(10)
    await stage.slide(AVL, "19.900", "19.840", "19.700", "19.550", "19.450", "19.300")
    taken = [each for each in stage.truth.executions() if each.kind is ExecutionKind.LIQUIDATION]
    told = ", ".join(f"{each.quantity} at {each.price}" for each in taken) or "nothing"
    stage.claim("the exchange took nothing away", told, holds=not taken)
    never_beyond(stage, AVL, 0, QUANTITY)
    flat(stage, AVL)
    lost = -stage.result
    stage.claim("the loss ends at the nearer stop", f"lost {lost:.2f}, at most 200 allowed", holds=lost <= 200)
    settled(stage, "stop_loss")


async def _through_guard(stage: PerpetualStage) -> None:
    """The policy's stop is as far away; the guard says that it protects nothing, and its owner listens."""
    opened = await stage.act("open", instrument=AVL, quantity=str(QUANTITY), key="trade-1")
    stage.claim("the opening is proven", opened.detail, holds=opened.ok)
    await stage.wait(10)
    alarms = [fact for entry in await stage.entries() if isinstance(fact := entry.fact, AlertRaised)]
    said = [alarm.text for alarm in alarms if alarm.severity is Severity.CRITICAL and "protects nothing" in alarm.text]
    stage.claim("within 10 s it is said that this stop protects nothing", said[0] if said else "not", holds=bool(said))
    done = await stage.act("protect", position=stage.position().id, stop=NEARER)
    stage.claim("its owner chooses a nearer one", done.detail, holds=done.ok)


DRILL = PerpetualDrill(name="perp-liquidated", scene=SCENE, story=story)
