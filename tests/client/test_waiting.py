"""Tests of `client/waiting.py`: the same steps, with an event loop and without."""

import asyncio
from collections.abc import Callable

import pytest

from standfast.client.beside import run_beside
from standfast.client.waiting import Steps, run


def counting(to: int) -> Steps[str]:
    for _ in range(to):
        yield 0.0
    return f"looked {to + 1} times"


def failing() -> Steps[str]:
    yield 0.0
    raise LookupError("gone")


def beside(steps: Steps[str]) -> str:
    return asyncio.run(run_beside(steps))


@pytest.mark.parametrize("to_the_end", [run, beside])
def test_steps_are_taken_to_their_end_and_what_they_raise_is_raised(
    to_the_end: Callable[[Steps[str]], str],
) -> None:
    assert to_the_end(counting(3)) == "looked 4 times"
    assert to_the_end(counting(0)) == "looked 1 times"
    with pytest.raises(LookupError, match="gone"):
        to_the_end(failing())
