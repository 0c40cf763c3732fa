"""Spreads under fire through Tradier's real adapter: in a market that stands still the guard closes nothing unasked."""

import os
from decimal import Decimal

import pytest

from standfast.sim.spread_life import RULES, Life, assets, lived, prices
from standfast.sim.world import World, play
from tests.sim.stories import START

FRESH = int.from_bytes(os.urandom(3))


def played(seed: int, minutes: float = 10.0) -> Life:
    async def story(world: World) -> Life:
        return await lived(world, seed, minutes)

    return play(
        story, RULES, prices(), start=START, seed=seed, instruments=assets(), cash=Decimal(10_000_000),
        real_seconds=120, restart_after=2.0, through="tradier",
    )  # fmt: skip


@pytest.mark.parametrize("seed", [*range(1, 9), pytest.param(FRESH, id=f"fresh-{FRESH}")])
def test_nothing_is_closed_unasked_and_the_books_agree_in_the_end(seed: int) -> None:
    life = played(seed)

    assert sum(life.acts.values()) > 10
