"""Tests of `model/share.py`: a distance is read alike wherever it is written."""

from decimal import Decimal

import pytest

from standfast.model.share import share_of
from standfast.settings.report import Unfit
from standfast.settings.values import distance


@pytest.mark.parametrize("text", ["2%", "+2%", "8pt", "2.1234567%", "10000%"])
def test_what_settings_take_is_taken_and_means_the_same(text: str) -> None:
    assert share_of(text) == distance(text)


@pytest.mark.parametrize("text", ["0%", "-2%", "2", "10001%", "999999%", "two%", ""])
def test_what_settings_refuse_is_refused(text: str) -> None:
    assert share_of(text) is None
    with pytest.raises(Unfit):
        distance(text)


def test_a_share_is_of_the_entry() -> None:
    assert share_of("2.5%") == Decimal("0.025")
