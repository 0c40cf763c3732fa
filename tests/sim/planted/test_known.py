"""Every planted bug is found in its own story, and the same story without it is blameless."""

import pytest

from standfast.core import closing
from standfast.runtime.sender import Sender
from standfast.sim.planted.known import EACH, PLANTED
from standfast.sim.planted.of_spreads import OF_SPREADS
from standfast.sim.planted.plant import Planted, hunt, switched_on


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_bug_is_found_and_its_story_without_it_is_blameless(planted: Planted) -> None:
    found = hunt(planted.setting, planted)
    assert found is not None, f"{planted.name} was not found: {planted.why}"
    assert found.id in planted.caught_by, f"{planted.name} was found by another check: {found}"
    blameless = hunt(planted.setting)
    assert blameless is None, f"the story of {planted.name}, without it: {blameless}"


def test_there_are_enough_of_them_and_each_says_why_and_from_where() -> None:
    assert len(PLANTED) == len(EACH) + len(OF_SPREADS) >= 45
    assert all(each.why and each.origin and each.caught_by for each in PLANTED.values())


def test_everything_is_as_it_was_when_none_is_switched_on_any_more() -> None:
    before = (vars(Sender)["_submit"], vars(closing)["settle"], vars(closing)["reducing"])
    with switched_on(*PLANTED.values()):
        assert vars(Sender)["_submit"] is not before[0]
    assert (vars(Sender)["_submit"], vars(closing)["settle"], vars(closing)["reducing"]) == before
