"""One incident on perpetual futures as a value: how it begins, and what happens on a stage."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from standfast.drills.perpetual.scene import PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage


@dataclass(frozen=True, slots=True, kw_only=True)
class PerpetualDrill:
    """As `drill.Drill`. `elsewhere`: whether it can be played at the other exchange too."""

    name: str
    scene: PerpetualScene
    story: Callable[[PerpetualStage], Awaitable[None]]
    elsewhere: bool = True
