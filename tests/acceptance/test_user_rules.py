"""A rule of the operator's own closes what it is for, and one that fails is told of."""

from standfast.model.journal import PositionSettled
from tests.acceptance.stage import BROKER_HOLDS, Stage, until

RULE = """
def after_a_purchase(seen):
    if seen.instrument == "MSFT":
        raise LookupError("no data for it")
    return f"{seen.quantity} of {seen.instrument} is enough" if seen.quantity > 0 else None
"""


def test_a_rule_of_the_operators_own_closes_and_one_that_raises_is_told(stage: Stage) -> None:
    exchange = stage.exchange()
    (stage.folder / "own_rules.py").write_text(RULE)
    stage.settings(exchange.url, BROKER_HOLDS + 'user_rule = "own_rules:after_a_purchase"\n')
    guard = stage.guarded()  # in the folder in which the rule stands

    exchange.buy("AAPL")
    (settled,) = until(lambda: stage.facts(PositionSettled), "its close", told=guard.tail)
    assert settled.reason == "user_rule"
    exchange.buy("MSFT")
    until(lambda: stage.alarms("own_rules:after_a_purchase", "no data for it"), "the alarm", told=guard.tail)
    assert set(exchange.positions()) == {"MSFT"}
    assert guard.stop() == 0
    stage.assert_whole()
