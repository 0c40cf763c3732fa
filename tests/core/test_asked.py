"""Tests of `core/asked.py`: what is asked for a moment that has gone by is not done."""

from datetime import UTC, datetime, timedelta

import pytest

from standfast.core.acts import take
from standfast.model import journal as j
from standfast.model.ids import RequestId
from tests.core.situations import folded, situation

GOOD_UNTIL = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
"""By the machine's clock, which has nothing to do with the account's."""


def met(at: datetime, **until: str) -> list[j.Fact]:
    arguments = {"instrument": "SPY", "quantity": "10", "key": "k", **until}
    asked = j.RequestTaken(request=RequestId("r1"), verb="open", arguments=arguments, by="ann")
    taken, *facts = take(situation(folded()), asked, lambda number: None, now=at)
    assert taken == asked
    return facts


def test_an_act_that_is_met_after_its_time_is_refused_and_says_by_which_clock() -> None:
    (done,) = met(GOOD_UNTIL + timedelta(seconds=1), until="2026-11-20T14:30:00Z")

    assert isinstance(done, j.RequestDone)
    assert (done.ok, done.detail) == (
        False,
        "it was good until 2026-11-20 14:30:00 UTC and is met at 14:30:01 by this machine's clock: "
        "nothing is done. Ask again, as something new",
    )


def test_an_act_that_is_met_in_time_or_has_no_end_is_taken() -> None:
    for until in ({"until": "2026-11-20T14:30:00Z"}, {}):
        assert [type(each) for each in met(GOOD_UNTIL, **until)] == [j.OpeningRequested]


@pytest.mark.parametrize("until", ["soon", "2026-11-20T14:30:00", "2026-11-20T14:30:00+99:00"])
def test_an_end_that_cannot_be_read_is_no_reason_to_act(until: str) -> None:
    (done,) = met(GOOD_UNTIL, until=until)

    assert isinstance(done, j.RequestDone)
    assert (done.ok, done.detail) == (False, f"until is no moment: {until!r}")
