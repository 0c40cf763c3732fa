"""Tests of `core/order_states.py`: the table, whole."""

import itertools

import pytest

from standfast.core.fold import apply
from standfast.core.order_states import NEXT, next_stage
from standfast.model import journal as j
from standfast.model.booked import Stage
from standfast.model.ids import BrokerOrderId, EntryNumber
from standfast.model.order import OrderState, Role
from tests.core.situations import NOW, exit_intended, folded, position, report, told

ANSWERS: tuple[type[j.Fact], ...] = (
    j.OrderAccepted,
    j.OrderRejected,
    j.CopyRefused,
    j.OrderNotSent,
    j.OrderInDoubt,
    j.OrderMissing,
    j.OrderNeverArrived,
)
INTENDED, IN_DOUBT, WORKING, FINISHED = Stage.INTENDED, Stage.IN_DOUBT, Stage.WORKING, Stage.FINISHED

LEGAL: dict[tuple[Stage, type[j.Fact]], Stage] = {
    (INTENDED, j.OrderAccepted): WORKING,
    (INTENDED, j.OrderRejected): FINISHED,
    (INTENDED, j.OrderNotSent): FINISHED,
    (INTENDED, j.OrderInDoubt): IN_DOUBT,
    (INTENDED, j.OrderMissing): IN_DOUBT,
    (IN_DOUBT, j.OrderAccepted): WORKING,
    (IN_DOUBT, j.OrderRejected): FINISHED,
    (IN_DOUBT, j.CopyRefused): IN_DOUBT,
    (IN_DOUBT, j.OrderNotSent): IN_DOUBT,
    (IN_DOUBT, j.OrderInDoubt): IN_DOUBT,
    (IN_DOUBT, j.OrderMissing): IN_DOUBT,
    (IN_DOUBT, j.OrderNeverArrived): FINISHED,
    **{(WORKING, answer): WORKING for answer in ANSWERS},
    **{(FINISHED, answer): FINISHED for answer in ANSWERS},
}


@pytest.mark.parametrize(("stage", "answer"), list(itertools.product(Stage, ANSWERS)))
def test_every_pair_of_stage_and_answer_is_decided(stage: Stage, answer: type[j.Fact]) -> None:
    if (stage, answer) in LEGAL:
        assert next_stage(stage, answer) is LEGAL[stage, answer]
    else:
        with pytest.raises(AssertionError, match="is not legal"):
            next_stage(stage, answer)


def test_the_table_says_nothing_about_other_facts() -> None:
    assert {fact for moves in NEXT.values() for fact in moves} == set(ANSWERS)


def test_an_order_that_was_seen_after_all_survives_being_given_up() -> None:
    """The two facts are written by different tasks: the observation may come first and the book must still fold."""
    stop = exit_intended(Role.STOP, stop="98")
    book = folded(*position(), stop, j.OrderMissing(id=stop.id))
    seen = report("b1", client=stop.id, stop="98")

    told(book, j.OrderObserved(report=seen, position=stop.position, role=Role.STOP))
    told(book, j.OrderNeverArrived(id=stop.id, reason="not known"))

    assert book.state.orders[stop.id].stage is WORKING


def test_an_observation_is_booked_in_every_stage() -> None:
    stop = exit_intended(Role.STOP, stop="98")
    ended = report("b1", client=stop.id, stop="98", state=OrderState.CANCELLED)
    seen = j.OrderObserved(report=ended, position=stop.position, role=Role.STOP)
    before: list[list[j.Fact]] = [
        [],
        [j.OrderInDoubt(id=stop.id, reason="")],
        [j.OrderAccepted(id=stop.id, broker_id=BrokerOrderId("b1"))],
        [j.OrderRejected(id=stop.id, reason="")],
    ]
    for facts in before:
        book = folded(*position(), stop, *facts)
        apply(book, j.Entry(EntryNumber(book.head + 1), 1, NOW, seen))

        assert book.state.orders[stop.id].stage is FINISHED
