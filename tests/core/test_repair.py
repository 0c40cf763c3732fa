"""Tests of `core/repair.py`: a break's life, and what is done about it."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from standfast.core.policy import Confirm, Foreign, Mode, Rules
from standfast.core.reconcile import reconcile
from standfast.core.repair import ALARM_AGAIN, repairs
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.breaks import BreakKind
from standfast.model.effects import (
    CancelOrder,
    QueryOrder,
    ReadActivities,
    ReadPosition,
    ReadPositions,
    ReadQuotes,
    WakeAt,
)
from standfast.model.evidence import SingleRead
from standfast.model.ids import BrokerOrderId
from standfast.model.order import OrderType, Role, Side
from standfast.model.position import CloseReason, Standing
from tests.core.booking import foreign_lot
from tests.core.situations import (
    NOW,
    SPY,
    D,
    P,
    adopted,
    fill,
    folded,
    of,
    own_id,
    position,
    quoted,
    report,
    resting_stop,
    ruled,
    situation,
    told,
)
from tests.core.test_reconcile import listed

LONG_AGO = NOW - timedelta(minutes=1)
"""Reads of now cannot be older than this."""


class Watch:
    """One holding looked at again and again."""

    def __init__(self, *facts: j.Fact, rules: Rules | None = None, at: datetime = LONG_AGO, **reported: Any) -> None:
        self.book = folded(*facts, at=at)
        self.rules = rules or ruled()
        self.reported = reported
        self.now = NOW
        self.by_name: Decimal | None = None
        """What the broker says when asked for the holding alone, if it is asked."""

    def situation(self, asked_after: int | None = None) -> Situation:
        s = situation(self.book, rules=self.rules, now=self.now, asked_after=asked_after, **self.reported)
        if self.by_name is not None:
            single = SingleRead(net=self.by_name, asked_after=self.book.head, began=self.now)
            s = replace(s, singles={SPY: single})
        return replace(s, snapshot=replace(s.snapshot, activities_asked_after=s.snapshot.positions_asked_after))

    def look(self, asked_after: int | None = None) -> list[Any]:
        """One look; its facts are booked."""
        s = self.situation(asked_after)
        outcomes = list(repairs(s, SPY, reconcile(s, SPY)))
        facts: list[Any] = [each for each in outcomes if type(each).__name__ in j.FACTS]
        told(self.book, *facts, at=self.now)
        return outcomes

    def rest(self) -> list[Any]:
        """Looks until nothing is recorded any more."""
        outcomes: list[Any] = []
        for _ in range(10):
            came = self.look()
            outcomes += came
            if not [each for each in came if type(each).__name__ in j.FACTS]:
                return outcomes
        raise AssertionError(f"no rest: {outcomes[-3:]}")

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def looks(self, seconds: float, every: float = 1) -> list[Any]:
        """Looks at this rhythm for so long; everything that came of them."""
        outcomes: list[Any] = []
        end = self.now + timedelta(seconds=seconds)
        while self.now <= end:
            outcomes += self.rest()
            self.wait(every)
        return outcomes


def raised(outcomes: list[Any]) -> list[j.AlertRaised]:
    return of(j.AlertRaised, outcomes)


# --- the life of a break --------------------------------------------------------------------------


def test_first_sight_is_a_question_to_fills_and_orders() -> None:
    watch = Watch(*position(10), *resting_stop(10), held={SPY: 4}, at=NOW)

    outcomes = watch.look()

    assert [type(each) for each in outcomes if not isinstance(each, WakeAt)] == [
        j.BreakSeen,
        ReadActivities,
        QueryOrder,
    ]
    assert of(j.BreakSeen, outcomes)[0].finding.kind is BreakKind.QUANTITY


def test_only_a_read_asked_for_after_the_first_sight_confirms() -> None:
    watch = Watch(*position(10), held={SPY: 4})
    head = watch.book.head
    watch.look()
    watch.wait(5)

    assert of(j.BreakConfirmed, watch.look(asked_after=head)) == []
    assert len(of(j.BreakConfirmed, watch.look())) == 1


def test_two_reads_a_blink_apart_are_one_look() -> None:
    watch = Watch(*position(10), held={SPY: 4})
    watch.look()
    watch.wait(0.5)

    assert of(j.BreakConfirmed, watch.look()) == []
    watch.wait(0.5)
    assert len(of(j.BreakConfirmed, watch.look())) == 1


def test_more_agreeing_reads_take_longer() -> None:
    rules = ruled(confirm=Confirm(reads=4))
    watch = Watch(*position(10), held={SPY: 4}, rules=rules)
    assert of(j.BreakConfirmed, watch.looks(10)) == []
    assert len(of(j.BreakConfirmed, watch.looks(3))) == 1


def test_a_break_ends_when_the_two_agree_again_and_a_new_one_is_another() -> None:
    watch = Watch(*position(10), held={SPY: 4})
    (first,) = of(j.BreakSeen, watch.look())
    watch.reported = {"held": {SPY: 10}}
    assert of(j.BreakEnded, watch.look()) == [j.BreakEnded(id=first.id, by="the two agree again")]

    watch.reported = {"held": {SPY: 4}}
    (second,) = of(j.BreakSeen, watch.look())
    assert second.id != first.id


def test_what_cannot_be_compared_is_neither_confirmed_nor_ended() -> None:
    watch = Watch(*position(10), held={SPY: 4})
    watch.look()
    watch.reported = {"held": {SPY: 10}}
    told(watch.book, *resting_stop(10))

    assert of(j.BreakEnded, watch.look(asked_after=watch.book.head - 1)) == []


def test_a_changed_reading_must_be_confirmed_anew() -> None:
    watch = Watch(*position(10), held={SPY: 4})
    watch.looks(3)
    watch.reported = {"held": {SPY: 3}}

    (seen,) = of(j.BreakSeen, watch.look())

    (found,) = watch.book.breaks_at(SPY)
    assert (found.id, found.confirmed, found.first_seen) == (seen.id, False, NOW)


# --- who is told ----------------------------------------------------------------------------------


def test_a_break_alarms_once_and_again_after_an_hour() -> None:
    watch = Watch(*position(10), held={SPY: 4})

    first = raised(watch.looks(600, every=10))
    again = raised(watch.looks(ALARM_AGAIN.total_seconds(), every=60))

    assert len(first) == len(again) == 1
    assert first[0].id != again[0].id
    assert "Booked 10, broker 4" in first[0].text


def test_a_break_that_worsens_alarms_again_and_one_that_heals_does_not() -> None:
    watch = Watch(*position(10), held={SPY: 6})
    (first,) = raised(watch.looks(5))
    watch.reported = {"held": {SPY: 8}}
    assert raised(watch.looks(5)) == []
    watch.reported = {"held": {SPY: 2}}
    (worse,) = raised(watch.looks(5))

    assert worse.id != first.id
    assert len(watch.book.state.alerts) == 2


def test_blindness_of_another_kind_than_at_first_is_told_all_the_same() -> None:
    watch = Watch(*position(10), *resting_stop(10), held={SPY: 10}, listed=[listed()], sights={})
    watch.looks(1)

    watch.reported["sights"] = {SPY: quoted("100", "104", at=watch.now + timedelta(seconds=20))}
    (alarm,) = raised(watch.looks(20))

    assert "spread" in alarm.text or "mid" in alarm.text


def test_an_orphans_alarm_waits_longer() -> None:
    watch = Watch(held={SPY: 5})

    assert raised(watch.looks(28)) == []
    (told_at_last,) = raised(watch.looks(5))
    assert "the books do not explain" in told_at_last.text


def test_observe_records_and_tells_nobody() -> None:
    watch = Watch(*position(10), held={SPY: 4}, rules=ruled(mode=Mode.OBSERVE))

    assert raised(watch.looks(60)) == []
    assert len(watch.book.breaks_at(SPY)) >= 1


# --- what is taken in -----------------------------------------------------------------------------


def test_bare_quantity_is_adopted_on_its_second_look_with_a_stop_that_does_not_sell_it() -> None:
    watch = Watch(held={SPY: 5}, rules=ruled(foreign=Foreign.ADOPT))

    (taken,) = of(j.PositionAdopted, watch.looks(5))

    assert (taken.quantity, taken.price, taken.anchor, taken.gain_anchor) == (D(5), D(100), D(100), D("100.01"))
    assert [found.action for found in watch.book.state.ended_breaks.values()] == ["adopted 5"]


def test_bare_quantity_where_we_have_just_traded_waits_until_no_read_can_be_older() -> None:
    """A list that lags shows what was closed a moment ago: adopted, it could never be proven flat."""
    settled = j.PositionSettled(position=P, reason=CloseReason.OPERATOR, proof="fills")
    sold = j.FillBooked(
        fill=fill("sold", BrokerOrderId("close"), Side.SELL, 10, 100),
        allocations=(j.Allocation(position=P, quantity=D(10), opens=False),),
    )
    watch = Watch(*position(10), sold, settled, held={SPY: 10}, rules=ruled(foreign=Foreign.ADOPT), at=NOW)

    assert of(j.PositionAdopted, watch.looks(9)) == []
    watch.reported = {"held": {}}
    assert of(j.PositionAdopted, watch.looks(30)) == []
    assert watch.book.state.positions == {}

    watch.reported = {"held": {SPY: 10}}
    unanswered = watch.looks(15)
    assert of(j.PositionAdopted, unanswered) == [], "the list alone may be minutes old"
    assert of(ReadPosition, unanswered) != []
    watch.by_name = D(0)
    assert of(j.PositionAdopted, watch.looks(15)) == []
    watch.by_name = D(10)
    assert len(of(j.PositionAdopted, watch.looks(15))) == 1, "what two sources say is there"


def test_a_clock_that_was_set_makes_no_read_newer() -> None:
    sold = j.FillBooked(
        fill=fill("sold", BrokerOrderId("close"), Side.SELL, 10, 100),
        allocations=(j.Allocation(position=P, quantity=D(10), opens=False),),
    )
    watch = Watch(*position(10), sold, held={SPY: 10}, at=NOW)
    later = replace(watch.situation(), now=NOW + timedelta(hours=1))
    assert later.snapshot.positions is not None
    read = replace(later.snapshot.positions, began=later.now)
    later = replace(later, snapshot=replace(later.snapshot, positions=read))

    assert later.is_settled(SPY)
    assert not replace(later, clock_set_at=later.now).is_settled(SPY)
    assert replace(later, clock_set_at=later.now - timedelta(seconds=10)).is_settled(SPY)


def test_bare_quantity_waits_for_a_quote() -> None:
    watch = Watch(held={SPY: 5}, rules=ruled(foreign=Foreign.ADOPT), sights={})

    outcomes = watch.looks(5)

    assert of(j.PositionAdopted, outcomes) == []
    assert len(of(ReadQuotes, outcomes)) > 0


def test_what_is_ignored_is_acknowledged_and_left_alone() -> None:
    watch = Watch(held={SPY: 5}, rules=ruled(foreign_ignore=("S*",)))

    assert of(j.ForeignAcknowledged, watch.looks(5))[0].quantity == D(5)
    assert watch.look() == []


def test_alert_leaves_it_a_break() -> None:
    watch = Watch(held={SPY: 5}, rules=ruled(foreign=Foreign.ALERT))

    outcomes = watch.looks(60)

    assert watch.book.state.positions == {}
    assert watch.book.state.acknowledged == {}
    assert len(raised(outcomes)) == 1


def test_a_ghost_settles_on_fills_never_on_the_list() -> None:
    watch = Watch(*position(10), held={})

    outcomes = watch.looks(120)

    assert P in watch.book.state.positions
    assert len(of(ReadActivities, outcomes)) > 0
    assert [each.severity.value for each in raised(outcomes) if each.break_id] == ["critical"]


def test_less_than_booked_is_never_explained_by_adopting() -> None:
    watch = Watch(*position(10), held={SPY: 4}, rules=ruled(foreign=Foreign.ADOPT))

    assert of(j.PositionAdopted, watch.looks(60)) == []


def test_foreign_lots_are_adopted_when_the_policy_says_so() -> None:
    watch = Watch(*foreign_lot(5), rules=ruled(foreign=Foreign.ADOPT))

    (changed,) = of(j.StandingChanged, watch.looks(5))

    assert changed.standing is Standing.ADOPTED


# --- strays ---------------------------------------------------------------------------------------


def strayed(mode: Mode = Mode.REPAIR) -> Watch:
    gone = j.PositionSettled(position=P, reason=CloseReason.BOT_EXIT, proof="fills")
    listed = [report("p1-stop-1", client=own_id(Role.STOP), type=OrderType.STOP, stop="98")]
    return Watch(*position(10), *resting_stop(10), gone, held={}, listed=listed, rules=ruled(mode=mode))


def test_an_exit_that_outlived_its_position_is_cancelled_and_not_again_at_once() -> None:
    watch = strayed()
    outcomes: list[Any] = []
    for _ in range(5):
        came = watch.look()
        told(watch.book, *(cancelled(each) for each in of(CancelOrder, came)), at=watch.now)
        outcomes += came

    assert [each.broker_id for each in of(CancelOrder, outcomes)] == ["p1-stop-1"]


def cancelled(effect: CancelOrder) -> j.Fact:
    return j.CancelIntended(broker_id=effect.broker_id, holding=effect.holding, reason=effect.reason)


def test_in_alert_mode_a_stray_is_told_and_left() -> None:
    watch = strayed(Mode.ALERT)
    outcomes = watch.looks(5)

    assert of(CancelOrder, outcomes) == []
    assert len(raised(outcomes)) == 1


def test_a_second_look_is_asked_for() -> None:
    watch = Watch(*position(10), held={SPY: 4})
    head = watch.book.head
    watch.look()
    watch.wait(2)

    assert len(of(ReadPositions, watch.look(asked_after=head))) == 1


def test_an_adoption_is_no_break_afterwards() -> None:
    watch = Watch(adopted(10), *resting_stop(10), held={SPY: 10})
    watch.reported["listed"] = [report("p1-stop-1", client=own_id(Role.STOP), type=OrderType.STOP, stop="98")]

    assert watch.looks(60) == []


def test_nothing_is_adopted_while_prices_are_suspended() -> None:
    suspended = j.PricesSuspended(holding=SPY, reason="its price jumped")
    watch = Watch(*position(10), suspended, held={SPY: 11}, rules=ruled(foreign=Foreign.ADOPT))
    watch.by_name = D(11)
    assert of(j.PositionAdopted, watch.looks(30)) == []
    told(watch.book, j.PricesResumed(holding=SPY, reason="split 2 booked"))
    assert len(of(j.PositionAdopted, watch.looks(30))) == 1
