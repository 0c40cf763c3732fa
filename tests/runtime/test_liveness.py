"""A hung loop gets no heartbeat; a slow disk is waited for, told once, and not for ever."""

from standfast.model.ids import AccountId
from standfast.runtime.liveness import CYCLE_LATE, SLOW_ENOUGH, SLOW_TOLD, Liveness

ONE, TWO = AccountId("one"), AccountId("two")


def beaten() -> Liveness:
    liveness = Liveness()
    liveness.beat(ONE, 0.0)
    liveness.beat(TWO, 0.0)
    return liveness


def test_a_cycle_that_stands_still_is_late_and_one_that_goes_round_is_not() -> None:
    liveness = beaten()
    liveness.beat(TWO, CYCLE_LATE)

    assert liveness.look(CYCLE_LATE, ()) == ([], [])
    assert liveness.look(CYCLE_LATE + 1, ()) == ([ONE], [])


def test_a_cycle_that_waits_for_the_ledger_is_not_late_and_is_told_once() -> None:
    liveness = beaten()

    assert liveness.look(SLOW_TOLD - 1, {ONE, TWO}) == ([], [])
    assert liveness.look(SLOW_TOLD + 1, {ONE, TWO}) == ([], [ONE, TWO])
    assert liveness.look(SLOW_TOLD + 2, {ONE, TWO}) == ([], [])


def test_a_write_of_one_account_excuses_no_other() -> None:
    assert beaten().look(SLOW_TOLD + 1, {ONE}) == ([TWO], [ONE])


def test_no_wait_for_the_ledger_is_endless() -> None:
    assert beaten().look(SLOW_ENOUGH + 1, {ONE, TWO}) == ([ONE, TWO], [])


def test_the_next_wait_is_told_again() -> None:
    liveness = beaten()
    liveness.look(SLOW_TOLD + 1, {ONE, TWO})
    liveness.beat(ONE, 20.0)

    assert liveness.look(20.0 + SLOW_TOLD + 1, {ONE, TWO}) == ([], [ONE])


def test_an_account_that_has_not_begun_is_not_late() -> None:
    assert Liveness().look(1000.0, ()) == ([], [])
