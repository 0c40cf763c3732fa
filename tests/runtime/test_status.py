"""What the status line tells of few positions and of many."""

from standfast.model.ids import Holding, InstrumentId, PositionId
from standfast.model.journal import NakedBegan
from standfast.runtime.status import MOST_LISTED, status
from tests.core.situations import folded, opening_of, position, quoted, resting_stop, situation, told
from tests.core.spreads import BOUGHT, SOLD, opened


def test_each_of_a_few_positions_is_told_with_its_result_and_its_stop() -> None:
    line = status(situation(folded(*position(10, 99), *resting_stop(10, "97.50"))))

    assert line["positions"] == ["p1 +10 SPY open +1.01% stop 97.50"]
    assert line["guarded"] == 1


def test_of_many_only_those_that_need_a_look_are_listed() -> None:
    ids = [PositionId(f"q{number}") for number in range(MOST_LISTED)]
    book = folded(*(fact for id_ in ids for fact in position(1, 100, id=id_)))
    told(book, *position(5, 100, id=PositionId("bare")), NakedBegan(position=PositionId("bare")))
    told(book, *opening_of(3, id=PositionId("coming"), holding=Holding(InstrumentId("AAPL"))))

    line = status(situation(book, sights={Holding(InstrumentId("SPY")): quoted("100", "100")}))

    listed = line["positions"]
    assert isinstance(listed, list)
    assert [row.split()[0] for row in listed] == ["bare", "coming"]
    assert line["guarded"] == MOST_LISTED + 2


def test_a_structure_is_told_as_one_with_its_result_at_the_worst_side() -> None:
    desk = opened()

    line = status(desk.situation())

    legs = f"{SOLD}:-1 {BOUGHT}:+1"
    shown = f"{desk.structure.id} 3 x {legs} open -5.56% (mid -2.78%) held by guard"  # 3.80 for 3.60, 3.70 at the mid
    assert line["positions"] == [shown]
    assert line["guarded"] == 1
