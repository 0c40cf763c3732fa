"""Scenes: what chance alone brings about too seldom is met by fresh seeds all the same."""

from collections import Counter

from standfast.core.policy import Foreign, HeldBy
from standfast.sim.chaos import play
from standfast.sim.plan import Plan, draw
from standfast.sim.scenes import OFTEN

MANY = [draw(seed, hours=0.5) for seed in range(300)]


def has_fall(plan: Plan) -> bool:
    policy = plan.rules.policies[0]
    return policy.held_by is HeldBy.GUARD and policy.emergency_stop is not None and policy.minimum_hold.seconds >= 300


def has_late_fills(plan: Plan) -> bool:
    lasts = {(stroke.at, stroke.seconds) for stroke in plan.strokes if stroke.kind == 49}
    return any(stroke.kind == 32 and (stroke.at, stroke.seconds) in lasts for stroke in plan.strokes)


def has_flatten(plan: Plan) -> bool:
    return any(deed.verb == "ask to open below" for deed in plan.deeds)


def test_each_scene_is_in_about_so_many_seeds() -> None:
    found = Counter(name for plan in MANY for name, has in SCENES.items() if has(plan))

    assert all(0.5 * OFTEN < found[name] / len(MANY) < 2 * OFTEN for name in SCENES), found


SCENES = {"fall": has_fall, "late fills": has_late_fills, "flatten": has_flatten}


def test_a_scene_lies_in_its_seed_and_what_is_bought_in_one_of_late_fills_is_adopted() -> None:
    for plan in MANY:
        assert all(stroke.at + stroke.seconds <= plan.chaos for stroke in plan.strokes)
        assert all(deed.at <= plan.chaos - 60 for deed in plan.deeds)
        if has_late_fills(plan):
            assert plan.rules.foreign is Foreign.ADOPT


def test_with_rules_of_ones_own_none_is_changed_for_a_scene() -> None:
    own = MANY[0].rules.policies[0]

    assert all(draw(seed, hours=0.5, policies=[own]).rules.policies == (own,) for seed in range(40))


def test_a_fill_that_comes_after_the_list_is_met() -> None:
    outcomes = [play(plan) for plan in [plan for plan in MANY if has_late_fills(plan)][:4]]

    assert any(outcome.sometimes.get("a fill matched what had been adopted") for outcome in outcomes)
