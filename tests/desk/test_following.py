"""Tests of `desk/following.py`: what a guard said, found in its journal however long ago."""

from decimal import Decimal
from pathlib import Path

import pytest

from standfast.desk.following import PAGE, Answered, answer_of
from standfast.model import journal as j
from standfast.model.ids import PositionId, RequestId
from standfast.stores.sqlite.reading import LedgerReader
from tests.cli.ledgers import PAPER, SPY, write

ASKED = RequestId("r-asked")
TAKEN = j.RequestTaken(request=ASKED, verb="open", arguments={"key": "k"}, by="bot")
BEGUN = j.OpeningRequested(
    position=PositionId("p1"), key="k", holding=SPY, quantity=Decimal(1), strategy="trend", by="bot"
)
GATE = j.OpeningRefused(key="k", holding=SPY, reasons=("frozen", "no quote; none at all"), by="bot")


def done(detail: str, *, ok: bool = False, request: RequestId = ASKED) -> j.RequestDone:
    return j.RequestDone(request=request, ok=ok, detail=detail)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ([TAKEN, GATE, done("refused: frozen; no quote; none at all")], (False, GATE.reasons)),
        ([TAKEN, done("refused: key 'k' is another opening")], (False, ("key 'k' is another opening",))),
        ([TAKEN, done("no position p1")], (False, ("no position p1",))),
        ([TAKEN, BEGUN], (True, ())),
        ([TAKEN, BEGUN, done("p1 never sent")], (True, ())),
        ([TAKEN, done("p1 is open", ok=True)], (True, ())),
        ([TAKEN, done("another one failed", request=RequestId("r-other"))], (True, ())),
        ([TAKEN], (True, ())),
    ],
)
def test_a_refusal_is_what_was_written_with_the_taking(
    facts: list[j.Fact], said: tuple[bool, tuple[str, ...]], tmp_path: Path
) -> None:
    assert found(tmp_path, facts) == Answered(*said)


@pytest.mark.parametrize("between", [0, PAGE - 3, PAGE - 2, PAGE - 1, PAGE, 2 * PAGE])
def test_an_answer_is_found_wherever_a_page_ends(between: int, tmp_path: Path) -> None:
    later: list[j.Fact] = [j.Thawed(scope="", by="ann")] * between

    assert found(tmp_path, [*later[:5], TAKEN, GATE, done("refused: frozen"), *later]) == Answered(False, GATE.reasons)


def test_what_was_never_taken_has_no_answer(tmp_path: Path) -> None:
    assert found(tmp_path, [BEGUN]) is None


def found(folder: Path, facts: list[j.Fact]) -> Answered | None:
    ledger = write(folder, facts).with_name("standfast.db")
    with LedgerReader(ledger) as reader:
        return answer_of(reader, PAPER, ASKED)
