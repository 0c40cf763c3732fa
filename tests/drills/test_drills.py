"""Every drill holds: what is lost without a guard is kept with one."""

import pytest

from standfast import drills


@pytest.mark.parametrize("name", list(drills.NAMES))
def test_the_guard_holds_what_the_bare_bot_loses(name: str) -> None:
    played = drills.run(name, wire=False)
    story = "\n".join(played.timeline)
    assert played.guarded.held, story
    assert not played.bare.held, story
    assert played.bare.loss > played.guarded.loss, story
    assert played.passed
