"""Situations that chance alone brings about too seldom to be met in an evening: a few seeds play one on purpose.

Theory: some promises are put to the test only when several things come together: a rule that is rarely drawn, a price
that moves just then, a deed just after another. Each scene is a few strokes, deeds and moves beside those of its seed,
drawn from a stream of its own, so a seed without one is as it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from standfast.core.policy import Foreign, HeldBy, Mode, Rules
from standfast.exchange.market import Drift
from standfast.sim.spells import Spells
from standfast.sim.strokes import Stroke, late_endpoint
from standfast.sim.workload import Deed

OFTEN = 1 / 6
"""The chance of each scene in a seed."""
FIRST = 30.0
"""Seconds until the first scene: the guard is there, or soon will be."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """What comes to a seed's own faults, deeds and moves, and the rules it is played under."""

    rules: Rules
    strokes: tuple[Stroke, ...] = ()
    deeds: tuple[Deed, ...] = ()
    moves: tuple[Drift, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stage:
    """When and about what one scene is."""

    chance: Random
    at: float
    left: float
    """Seconds of faults from there on."""
    instrument: str
    start: datetime

    def deed(self, verb: str, after: float) -> Deed:
        at = round(self.at + after, 3)
        return Deed(verb=verb, at=at, instrument=self.instrument, draw=self.chance.getrandbits(32))

    def move(self, after: float, by: Decimal) -> Drift:
        at = self.start + timedelta(seconds=round(self.at + after, 3))
        return Drift(self.instrument, at, at + timedelta(seconds=10), by)


def draw_scenes(
    chance: Random, spells: Spells, names: Sequence[str], rules: Rules, start: datetime, *, may_rule: bool
) -> Scenes:
    """`may_rule`: whether the rules are drawn as well, and may be others for the sake of a scene."""
    scenes = Scenes(rules)
    for scene in (_fall_within_the_shortest_hold, _flatten_beside_an_entry, _fills_after_the_list):
        is_on, at, name = chance.random() < OFTEN, chance.uniform(FIRST, spells.busy * 0.7), chance.choice(list(names))
        if not is_on or (scene is _fall_within_the_shortest_hold and not may_rule):
            continue
        begins = round(spells.at(at), 3)
        more = scene(_Stage(chance, begins, spells.chaos - begins, name, start), scenes.rules)
        scenes = Scenes(more.rules, scenes.strokes + more.strokes, scenes.deeds + more.deeds, scenes.moves + more.moves)
    return scenes


Scene = Callable[[_Stage, Rules], Scenes]


def _fall_within_the_shortest_hold(stage: _Stage, rules: Rules) -> Scenes:
    """The guard holds the rules, and the price falls through the emergency stop while the position is too young."""
    stop = Decimal(stage.chance.randrange(4, 15)) / 1000
    policy = replace(
        rules.policies[0],
        held_by=HeldBy.GUARD,
        stop_loss=stop,
        emergency_stop=2 * stop,
        minimum_hold=timedelta(seconds=stage.chance.choice((300, 1200))),
        maximum_hold=None,
    )
    by = -3 * stop - Decimal("0.01")
    deeds = (stage.deed("ask to open", 0), stage.deed("ask to open", 5))
    moves = (stage.move(stage.chance.uniform(15, 60), by),)
    return Scenes(replace(rules, mode=Mode.REPAIR, policies=(policy,)), deeds=deeds, moves=moves)


def _flatten_beside_an_entry(stage: _Stage, rules: Rules) -> Scenes:
    """An entry of ours rests far from the market when everything is flattened."""
    after = stage.chance.uniform(3, 20)
    return Scenes(rules, deeds=(stage.deed("ask to open below", 0), stage.deed("flatten", after)))


def _fills_after_the_list(stage: _Stage, rules: Rules) -> Scenes:
    """What is bought shows in the list, and its fills only long after it was taken in."""
    seconds = round(min(stage.chance.uniform(45, 120), stage.left - 1), 3)
    strokes = (
        late_endpoint("activities", at=stage.at, seconds=seconds),
        Stroke(kind=49, at=stage.at, seconds=seconds, strength=0.9),
    )
    return Scenes(
        replace(rules, mode=Mode.REPAIR, foreign=Foreign.ADOPT), strokes=strokes, deeds=(stage.deed("buy", 2),)
    )
