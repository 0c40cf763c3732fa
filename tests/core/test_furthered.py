"""After which reads an open break is worth a look, though they show nothing new (`core/furthered.py`)."""

from standfast.core.furthered import is_furthered, is_left_to_people
from standfast.core.policy import Foreign
from standfast.core.repair import ALARM_AGAIN
from standfast.model import journal as j
from standfast.model.breaks import Break, BreakKind
from tests.core.situations import SPY, P, position, report, resting_stop, ruled
from tests.core.test_reconcile import listed
from tests.core.test_repair import Watch


def furthering(watch: Watch) -> list[tuple[BreakKind, bool, list[str]]]:
    """Each open break: whether it is confirmed, and which reads may bring it further."""
    return [
        (each.finding.kind, each.confirmed, [r for r in ("positions", "orders") if is_furthered(watch.rules, each, r)])
        for each in watch.book.breaks_at(SPY)
    ]


def test_a_difference_of_positions_is_furthered_by_later_positions_for_as_long_as_it_lasts() -> None:
    ghost = Watch(*position(10), *resting_stop(10), held={}, listed=[listed()])
    ghost.look()
    assert furthering(ghost) == [(BreakKind.GHOST_POSITION, False, ["positions"])]
    ghost.looks(30)
    assert furthering(ghost) == [(BreakKind.GHOST_POSITION, True, ["positions"])]


def test_a_difference_of_orders_is_furthered_by_a_later_list_until_it_is_confirmed() -> None:
    orphan = Watch(listed=[report("theirs")], rules=ruled(foreign=Foreign.ALERT))
    orphan.look()
    assert furthering(orphan) == [(BreakKind.ORPHAN_ORDER, False, ["orders"])]
    orphan.rest()
    assert furthering(orphan) == [(BreakKind.ORPHAN_ORDER, True, [])]


def test_a_lack_of_cover_is_furthered_by_what_changes_and_by_no_read_that_shows_the_same() -> None:
    bare = Watch(*position(10), j.NakedBegan(position=P), held={SPY: 10})
    bare.looks(10)
    assert furthering(bare) == [(BreakKind.UNCOVERED, True, [])]


def test_what_is_left_to_people_needs_no_look_until_it_changes_or_is_told_again() -> None:
    watch = Watch(held={SPY: 5}, rules=ruled(foreign=Foreign.ALERT))
    needs_none: list[Break] = []
    while not needs_none:
        watch.rest()
        needs_none = [each for each in watch.book.breaks_at(SPY) if is_left_to_people(watch.rules, each)]
        watch.wait(1)

    assert watch.looks(ALARM_AGAIN.total_seconds() - 60, every=5) == []
    assert not is_left_to_people(ruled(foreign=Foreign.ADOPT), needs_none[0])
    watch.reported = {"held": {SPY: 7}}
    assert watch.rest() != []
