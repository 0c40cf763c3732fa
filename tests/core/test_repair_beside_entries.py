"""Tests of `core/repair.py`: what the list shows beyond the books while an entry of ours works on the same holding.

The entry may rest for a day. What no fill explains is taken in once it is known that the entry has not brought it.
"""

from decimal import Decimal

from standfast.core.policy import Foreign
from standfast.core.reconcile import POSITION_KINDS, reconcile
from standfast.model import journal as j
from standfast.model.breaks import BreakKind
from standfast.model.effects import QueryOrder
from standfast.model.order import OrderState, Role, Side
from tests.core.situations import NOW, SPY, D, P, after, folded, of, opening_of, own_id, report, ruled, situation
from tests.core.test_repair import LONG_AGO, Watch

ENTRY = own_id(Role.OPEN)


def resting(filled: int = 0) -> list[j.Fact]:
    """A limit entry for 25 that works, as it was last read."""
    seen = report(
        f"{P}-open", client=ENTRY, side=Side.BUY, quantity=25, filled=filled, state=OrderState.WORKING, limit="90"
    )
    return [*opening_of(25), j.OrderObserved(report=seen, position=P, role=Role.OPEN)]


def held_by(watch: Watch) -> Decimal:
    return sum((p.held for p in watch.book.state.positions.values()), D(0))


def test_it_is_taken_in_once_the_entry_is_seen_not_to_have_brought_it() -> None:
    """Found by simulation: a sale of somebody else was taken back, and what it had sold stayed a break all the time."""
    watch = Watch(*resting(), held={SPY: 82}, rules=ruled(foreign=Foreign.ADOPT))

    assert of(QueryOrder, watch.looks(15)), "it is asked for"
    assert held_by(watch) == 0

    watch.reported["heard"] = {ENTRY: after(12)}  # ten seconds after the list was first read, and more
    watch.looks(5)
    assert held_by(watch) == 82


def test_an_answer_that_may_be_older_than_the_list_proves_nothing() -> None:
    watch = Watch(*resting(), held={SPY: 82}, rules=ruled(foreign=Foreign.ADOPT), heard={ENTRY: after(9)})
    watch.looks(30)
    assert held_by(watch) == 0


def test_nor_does_one_that_shows_fills_that_are_not_booked() -> None:
    watch = Watch(*resting(filled=20), held={SPY: 82}, rules=ruled(foreign=Foreign.ADOPT), heard={ENTRY: after(20)})
    watch.looks(30)
    assert watch.book.positions_at(SPY)[0].held == 0
    assert len(watch.book.positions_at(SPY)) == 1


def test_more_than_an_entry_can_bring_is_no_position_of_the_other_side() -> None:
    for held, kind in ((82, BreakKind.QUANTITY), (-3, BreakKind.SIDE)):
        s = situation(folded(*resting(), at=LONG_AGO), held={SPY: held}, now=NOW)
        assert [f.kind for f in reconcile(s, SPY).findings if f.kind in POSITION_KINDS] == [kind]
