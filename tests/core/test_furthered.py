"""After which reads an open break is worth a look, though they show nothing new (`core/repair.py`)."""

from standfast.core.furthered import is_furthered
from standfast.core.policy import Foreign
from standfast.model import journal as j
from standfast.model.breaks import BreakKind
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
