"""When a lost connection is tried again."""

import random

from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.shared.sessions import Backoff


@given(seed=st.integers(), failures=st.integers(1, 50))
def test_each_wait_lies_between_half_and_all_of_a_doubling_ceiling(seed: int, failures: int) -> None:
    backoff = Backoff(random.Random(seed), first=0.25, longest=30.0)

    for failed in range(failures):
        ceiling = min(30.0, 0.25 * 2**failed)
        assert ceiling / 2 <= backoff.wait() <= ceiling


def test_a_connection_that_worked_starts_over() -> None:
    backoff = Backoff(random.Random(1), first=1.0, longest=100.0)
    for _ in range(5):
        backoff.wait()

    backoff.succeeded()

    assert backoff.wait() <= 1.0
