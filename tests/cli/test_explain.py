"""`explain`: every entry about one thing, and no other."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from standfast.cli.telling import TELL, sentence
from standfast.cli.trail import Subject, subjects, trail
from standfast.core.results import FAR_QUOTE
from standfast.model import journal as j
from standfast.model.ids import EntryNumber, RequestId
from tests.cli.ledgers import AAPL, OPENED, story, write
from tests.cli.running import standfast


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("ledger"))


def entries() -> list[j.Entry]:
    return [j.Entry(EntryNumber(number), 1, OPENED, fact) for number, fact in enumerate(story(), start=1)]


def kinds(found: Sequence[j.Entry]) -> list[str]:
    return [type(entry.fact).__name__ for entry in found]


def test_every_kind_of_fact_has_a_sentence() -> None:
    assert set(TELL) == set(j.FACTS.values())


def test_every_fact_of_a_story_is_told_in_words() -> None:
    told = [sentence(fact) for fact in story()]

    assert all(told)
    assert "None" not in " ".join(told)


def test_the_trail_of_a_position_runs_from_its_opening_to_its_proof() -> None:
    found = trail(entries(), Subject("position", "p-aapl-stopped"))

    assert kinds(found) == [
        "OpeningRequested",
        *["OrderIntended", "OrderAccepted", "OrderObserved", "FillBooked"],
        *["OrderIntended", "OrderAccepted", "OrderObserved", "FillBooked"],
        "PositionSettled",
    ]


def test_the_trail_of_a_position_holds_nothing_of_another() -> None:
    found = trail(entries(), Subject("position", "p-spy-kept"))

    assert "AAPL" not in "".join(sentence(entry.fact) for entry in found)
    assert len(found) == 13


def proposed(key: str, *facts: j.Fact) -> list[j.Entry]:
    """A request for an opening under this key, and what came of it, among the entries of a story."""
    request, arguments = RequestId("r-open"), {"instrument": "AAPL", "quantity": "4", "key": key}
    taken = j.RequestTaken(request=request, verb="open", arguments=arguments, by="bot")
    done = j.RequestDone(request=request, ok=True, detail="told")
    told = [story()[0], taken, *facts, *story()[1:], done]
    return [j.Entry(EntryNumber(number), 1, OPENED, fact) for number, fact in enumerate(told, start=1)]


def test_the_trail_of_a_request_is_all_that_its_opening_went_through() -> None:
    found = proposed("stopped")

    asked = trail(found, Subject("request", "r-open"))

    assert kinds(asked) == ["RequestTaken", *kinds(trail(found, Subject("position", "p-aapl-stopped")))[1:]]
    assert kinds(asked)[-2:] == ["PositionSettled", "RequestDone"]
    assert subjects(found)["stopped"] == Subject("position", "p-aapl-stopped")


def test_an_opening_that_was_refused_is_found_by_its_key_with_every_reason() -> None:
    refused = j.OpeningRefused(key="k-late", holding=AAPL, reasons=("frozen", "no quote"), by="bot")
    found = proposed("k-late", refused)

    assert subjects(found)["k-late"] == Subject("opening", "k-late")
    for subject in (Subject("opening", "k-late"), Subject("request", "r-open")):
        assert kinds(trail(found, subject)) == ["RequestTaken", "OpeningRefused", "RequestDone"]


def test_a_key_is_no_name_of_anything_else() -> None:
    found = proposed("x-stop", j.OpeningRefused(key="x-stop", holding=AAPL, reasons=("frozen",), by="bot"))

    assert "FillBooked" not in kinds(trail(found, Subject("request", "r-open")))


def test_the_trail_of_a_break_has_its_alert() -> None:
    assert kinds(trail(entries(), Subject("break", "b-tsla"))) == ["BreakSeen", "BreakConfirmed", "AlertRaised"]


def test_both_names_of_an_order_lead_to_it() -> None:
    known = subjects(entries())

    assert known["sf-kept"] == known["br-kept"] == Subject("order", "sf-kept")


@pytest.mark.parametrize("subject", ["", FAR_QUOTE])
def test_a_break_of_the_instrument_is_in_the_trail_while_the_position_is_held(subject: str) -> None:
    spy = next(fact.holding for fact in story() if isinstance(fact, j.OpeningRequested))
    seen = next(fact for fact in story() if isinstance(fact, j.BreakSeen))
    from dataclasses import replace

    about_spy = replace(seen, id=type(seen.id)("b-spy"), finding=replace(seen.finding, holding=spy, subject=subject))
    more = [*story(), about_spy, j.BreakEnded(id=about_spy.id, by="the next read")]
    numbered = [j.Entry(EntryNumber(number), 1, OPENED, fact) for number, fact in enumerate(more, start=1)]

    assert kinds(trail(numbered, Subject("position", "p-spy-kept")))[-2:] == ["BreakSeen", "BreakEnded"]
    assert "BreakSeen" not in kinds(trail(numbered, Subject("position", "p-aapl-stopped")))


def test_explain_prints_a_timeline_with_the_proof(config: Path) -> None:
    ran = standfast("explain", "p-aapl", "--config", config)

    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0] == "position p-aapl-stopped of account paper"
    assert lines[2] == "proof: fills x-stop close 4 of 4"
    assert lines[-1].endswith("closed, proven flat: stop_loss; proof: fills x-stop close 4 of 4")


def test_explain_as_json_has_each_fact_as_data(config: Path) -> None:
    found = standfast("explain", "br-kept-stop", "--json", "--config", config).document["explain"]

    assert (found["kind"], found["id"], found["account"]) == ("order", "sf-kept-stop", "paper")
    assert [each["kind"] for each in found["entries"]] == ["OrderIntended", "OrderAccepted", "OrderObserved"]
    assert found["entries"][0]["fact"]["terms"]["stop_price"] == "588"


@pytest.mark.parametrize(
    ("asked", "said"), [("zz", "nothing in the journal has a name that begins so"), ("p-", "could be any of 2")]
)
def test_explain_of_nothing_or_of_several_is_1(asked: str, said: str, config: Path) -> None:
    ran = standfast("explain", asked, "--config", config)

    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


def test_the_trail_of_an_opening_ends_with_what_its_operator_was_told_of_its_three_sources() -> None:
    key = next(fact.key for fact in story() if isinstance(fact, j.OpeningRequested) and fact.position == "p-spy-kept")
    id = RequestId("r-1")
    taken = j.RequestTaken(request=id, verb="open", arguments={"key": key, "instrument": "SPY"}, by="ann")
    done = j.RequestDone(request=id, ok=True, detail="order filled 10, executions 10, the list of positions shows +10")
    numbered = [j.Entry(EntryNumber(at), 1, OPENED, fact) for at, fact in enumerate([taken, *story(), done], start=1)]

    found = trail(numbered, Subject("position", "p-spy-kept"))

    assert kinds(found)[:2] == ["RequestTaken", "OpeningRequested"]
    assert "executions 10, the list of positions shows +10" in sentence(found[-1].fact)
