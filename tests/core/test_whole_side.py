"""An exit of a bot for all that is held of a contract: it takes no more than there is, however many lots that are."""

from dataclasses import replace

from standfast.core.policy import Foreign, Policy
from standfast.model import journal as j
from standfast.model.breaks import BreakKind
from standfast.model.ids import BrokerOrderId, PositionId
from standfast.model.order import OrderType, Side
from tests.core.situations import D, adopted, report, ruled, with_contract
from tests.core.toy_broker import Desk, desk

MARKS = with_contract(reduce_only=True, oco=False, reserves_quantity=False)
RULES = ruled(Policy(name="stop", stop_loss=D("0.02")), foreign=Foreign.ADOPT)
BOTS = BrokerOrderId("bot-stop")


def two_lots() -> Desk:
    """Of ten each; the bot's one stop is for whatever is held, twenty by now."""
    at = desk(adopted(10, id=PositionId("one")), rules=RULES, contract=MARKS)
    stop = report(BOTS, client="bot-1", side=Side.SELL, type=OrderType.STOP, stop="90", quantity=10)
    at.orders[BOTS] = replace(stop, closes=True)
    at.run()
    at.tell(adopted(10, id=PositionId("two")))
    at.net = {holding: D(20) for holding in at.net}
    at.orders[BOTS] = replace(at.orders[BOTS], quantity=D(20))
    at.tell(j.OrderObserved(report=at.orders[BOTS], position=PositionId("one")))
    for _ in range(30):
        at.wait(1)
        at.run()
    return at


def test_it_covers_the_first_and_stays_and_the_other_has_its_own() -> None:
    """It was called too much for the first, and cancelled; the bot sets it again with every trade."""
    at = two_lots()

    resting = sorted((order.client_id == "bot-1", order.remaining) for order in at.alive())
    assert resting == [(False, D(10)), (True, D(20))]
    told = [fact.finding.kind for fact in at.facts if isinstance(fact, j.BreakSeen)]
    assert BreakKind.OVER_COVERED not in told
