"""Tests of `core/ended.py` while orders of ours rest on the contract that is gone."""

import pytest

from standfast.core.policy import Foreign
from standfast.model.order import Role, Side
from standfast.model.position import CloseReason
from tests.core.evenings import Evening
from tests.core.situations import D, exit_intended, opening_of, position, ruled
from tests.core.test_ended import AAPL, PUT_LATER, Q, option_of, prices


@pytest.mark.parametrize("asked", [-1, -3])
def test_an_opening_of_ours_that_rests_on_it_hides_nothing(asked: int) -> None:
    """Found by simulation: all that was sold is assigned while one more rests at a limit, and stayed in the books."""
    evening = Evening(
        *position(-6, 5, holding=PUT_LATER),
        *opening_of(asked, id=Q, holding=PUT_LATER),
        **prices(AAPL, "240"),
        rules=ruled(foreign=Foreign.ADOPT),
    )
    evening.given["instruments"] = {PUT_LATER.instrument: option_of(PUT_LATER)}

    evening.looks({AAPL: 600})

    assert evening.closed() == (D(0), CloseReason.ASSIGNMENT, D(3000))
    assert evening.book.net(PUT_LATER).low == asked, "it may still fill"


def test_while_an_order_of_ours_closes_it_what_is_gone_is_not_inferred() -> None:
    """What it has bought back was not assigned."""
    evening = Evening(
        *position(-6, 5, holding=PUT_LATER),
        exit_intended(Role.CLOSE, 2, holding=PUT_LATER, side=Side.BUY),
        *opening_of(3, id=Q, holding=PUT_LATER),
        **prices(AAPL, "240"),
    )
    evening.given["instruments"] = {PUT_LATER.instrument: option_of(PUT_LATER)}

    evening.looks({AAPL: 600})

    assert evening.closed()[0] == D(6)
