"""Tests of `core/way_out.py`: the ladder of a structure that is closed with many others."""

import pytest

from standfast.core.way_out import MARKET, Attempt, SendTogether, next_step
from tests.core.situations import D
from tests.core.structures import put_spread
from tests.core.test_way_out import tried, way


@pytest.mark.parametrize(("rungs", "begins"), [(4, 0), (3, 1), (1, 3)])
def test_where_the_broker_takes_few_orders_the_ladder_is_shorter_and_ends_as_it_always_does(
    rungs: int, begins: int
) -> None:
    attempts: list[Attempt] = []
    while isinstance(step := next_step(way(put_spread(3), *attempts, rungs=rungs)), SendTogether):
        attempts.append(tried(step.rung))

    assert [attempt.rung for attempt in attempts] == list(range(begins, MARKET + 1))


def test_a_ladder_that_has_begun_goes_to_the_worst_side_once_many_are_closed() -> None:
    step = next_step(way(put_spread(3), tried(0), rungs=1))

    assert isinstance(step, SendTogether)
    assert (step.net, step.rung) == (D("-4.30"), MARKET - 1)
