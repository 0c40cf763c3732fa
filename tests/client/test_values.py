"""Tests of `client/values.py`: what a bot hands over is exact, or refused with the value and the remedy."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.client.values import above_zero, duration, exact, name_of, number, share
from standfast.model.errors import Misasked


@pytest.mark.parametrize(
    ("given", "found"), [(10, "10"), (-3, "-3"), ("98.01", "98.01"), (" 5 ", "5"), (Decimal("0.10"), "0.10")]
)
def test_a_number_is_taken_as_it_was_written(given: object, found: str) -> None:
    assert str(exact("stop", given)) == found


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (
            lambda: exact("stop", 98.01),
            'stop=98.01: a float is seldom the number it shows; give text or a Decimal, "98.01"',
        ),
        (lambda: exact("stop", "2%"), 'a share of the entry is its stop_loss: stop_loss="2%"'),
        (lambda: share("stop_loss", "2"), "stop_loss='2': is no share of the entry; write it as the settings do"),
        (lambda: share("stop_loss", 2), "stop_loss=2: is no share of the entry"),
        (lambda: share("stop_loss", "0%"), "stop_loss='0%': is no share of the entry"),
        (lambda: exact("limit", "2%"), "limit='2%': is no number; write for example \"412.50\""),
        (lambda: exact("quantity", "1_000"), "quantity='1_000': is no number"),
        (lambda: exact("quantity", "nan"), "quantity='nan': is no number"),
        (lambda: exact("quantity", Decimal("Infinity")), "is no number"),
        (lambda: exact("quantity", True), "quantity=True: is no number; give an int, a Decimal or text"),
        (lambda: exact("quantity", None), "quantity=None: is no number"),
        (lambda: above_zero("limit", 0), "limit=0: give a number above zero"),
        (lambda: above_zero("quantity", "-5"), "quantity='-5': give a number above zero"),
        (lambda: name_of("id", ""), "id='': give a name that prints"),
        (lambda: name_of("id", " a"), "id=' a': give a name that prints, without blanks around it"),
        (lambda: name_of("id", "a\nb"), "give a name that prints"),
        (lambda: name_of("id", 7), "id=7: give a name that prints"),
        (lambda: name_of("id", "x" * 101), "is longer than 100 characters"),
        (lambda: duration("timeout", -1), "timeout=-1: give seconds from zero up, or a timedelta"),
        (lambda: duration("timeout", float("nan")), "give seconds from zero up"),
        (lambda: duration("timeout", "5s"), "give seconds from zero up"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_value_and_remedy(refused: Callable[[], object], said: str) -> None:
    with pytest.raises(Misasked) as error:
        refused()

    assert said in str(error.value)


def test_what_is_not_given_stays_so() -> None:
    assert number("stop", None) is None
    assert above_zero("limit", None) is None


def test_a_duration_is_seconds_or_a_timedelta() -> None:
    assert (duration("timeout", 5), duration("timeout", timedelta(minutes=1))) == (5.0, 60.0)
