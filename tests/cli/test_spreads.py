"""Tests of `cli/spreads.py`: a spread as a row."""

from standfast.cli.render import Cell
from standfast.cli.spreads import row
from standfast.core.policy import Policy
from tests.core.situations import ruled
from tests.core.spreads import SPREADS, SpreadDesk, opened, spread_desk


def protection(desk: SpreadDesk, policy: Policy = SPREADS) -> tuple[str, str]:
    """Stop and cover, as they are shown."""
    *_, stop, cover, _, _, _ = (each.text if isinstance(each, Cell) else each for each in shown(desk, policy))
    return stop, cover


def shown(desk: SpreadDesk, policy: Policy) -> list[Cell | str]:
    return row(desk.book, desk.structure, ruled(policy))


def test_what_is_held_shows_the_stop_that_the_guard_keeps() -> None:
    assert protection(opened()) == ("-5.4", "3 by guard")


def test_without_a_stop_that_is_said() -> None:
    assert protection(opened(), Policy(name="none")) == ("-", "no stop by policy")


def test_an_opening_that_has_not_filled_needs_none() -> None:
    resting = spread_desk(fills_together=lambda effect: False)
    resting.open()
    resting.run()

    assert protection(resting) == ("-", "-")
