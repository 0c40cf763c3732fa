"""A real day of SPXW, from its quotes to the exits, and the judge of it: what it must find, it finds."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from standfast.drills import days
from standfast.drills.days_judge import Judged, judge
from standfast.drills.days_plan import planned
from standfast.drills.days_play import Notes, play
from standfast.exchange.quotes_file import quotes
from standfast.model.journal import BreakConfirmed, CloseRequested, FillBooked, PositionSettled, Thawed
from standfast.model.position import CloseReason
from tests.cli.running import standfast

DAY = "20210106"
"""0DTE contracts, and a crash in the afternoon."""
RULES = {"stop_loss", "take_profit", "trailing", "emergency_stop", "flat_by", "operator"}
D = Decimal


def recording(shared: Path) -> Path:
    return shared / "data/market/indexoption/spxw" / f"{DAY}_quote_european.zip"


pytestmark = pytest.mark.timeout(1800)  # whichever test comes first plays the day: a minute of processor time


@pytest.fixture(scope="module")
def notes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notes]:
    """What happened on it, played once."""
    with days.quiet():
        yield play(recording(shared), tmp_path_factory.mktemp("day"))


def told(judged: Judged) -> str:
    each = [f"{kept.name}: {text}" for kept in judged.kept for text in kept.wrong]
    return "\n".join([*judged.wrong, *each])


def test_everything_opened_on_a_real_day_is_kept_as_its_rules_say(notes: Notes) -> None:
    """Its quotes, the exchange, HTTP, the guard: no uncovered minute, every exit before the next quote, to the cent."""
    judged = judge(notes)

    assert judged.held, told(judged)
    wanted = planned(quotes(notes.path).instruments, time(9, 30), time(16, 15))
    assert len(judged.kept) + len(judged.refused) == len(wanted) > 50
    assert len(judged.kept) > 45
    assert {kept.reason for kept in judged.kept} == RULES
    assert judged.minutes > 4000
    assert any(kept.blind for kept in judged.kept)
    assert judged.booked == notes.earned != 0


# --- as a command ---------------------------------------------------------------------------------


def test_the_command_plays_a_part_of_a_day_and_keeps_what_it_wrote(shared: Path, tmp_path: Path) -> None:
    part = ("--from", "12:44", "--to", "13:12", "--keep", str(tmp_path / "kept"))
    ran = standfast("drill", "replay", str(recording(shared)), *part, "--json", folder=tmp_path)

    assert ran.code == 0, ran.out + ran.err
    (day,) = json.loads(ran.out)["days"]
    assert (day["day"], day["held"], day["wrong"]) == ("2021-01-06", True, [])
    assert day["earned"] == day["booked"] or D(day["earned"]) == D(day["booked"])
    assert {each["name"] for each in day["positions"]} >= {"put-credit-pm1", "bot-pm1", "call-debit-pm2"}
    config = str(tmp_path / "kept" / DAY / "standfast.toml")
    past = json.loads(standfast("--config", config, "history", "--json", folder=tmp_path).out)["history"]
    assert {each["strategy"] for each in past} >= {"put-credit-pm1", "bot-pm1"}


def test_the_command_says_what_it_cannot_play(tmp_path: Path) -> None:
    (tmp_path / "20210106_quote_european.zip").write_bytes(b"no zip")

    assert "no such file" in standfast("drill", "replay", "nowhere", folder=tmp_path).err
    assert "cannot be played" in standfast("drill", "replay", str(tmp_path), folder=tmp_path).err
    late = standfast("drill", "replay", str(tmp_path), "--from", "14:00", "--to", "13:00", folder=tmp_path)
    assert (late.code, "give a later time" in late.err) == (1, True)
    assert standfast("drill", "replay", str(tmp_path), "--from", "08:00", folder=tmp_path).code == 2


# --- the judge finds ------------------------------------------------------------------------------


def spoilt(notes: Notes, words: str, **changes: object) -> None:
    judged = judge(replace(notes, **changes))  # type: ignore[arg-type]  # any field, by its name

    assert not judged.held
    assert words in told(judged)


def test_an_exit_that_leaves_a_quote_too_late_is_found(notes: Notes) -> None:
    late = [replace(each, at=each.at + timedelta(minutes=1)) for each in notes.asked]
    events = [replace(each, at=each.at + timedelta(minutes=1)) for each in notes.events if each.order.tag]

    spoilt(notes, " and left at ", asked=late, events=[*notes.events, *events][: len(notes.events)])


def test_an_exit_without_anything_due_is_found(notes: Notes) -> None:
    calm = [replace(each, kept=replace(each.kept, stop=D(9), emergency=None)) for each in notes.wanted]

    spoilt(notes, "closed at ", wanted=calm)


def test_an_exit_that_is_missing_is_found(notes: Notes) -> None:
    nervous = [replace(each, kept=replace(each.kept, stop=D("0.03"))) for each in notes.wanted]

    spoilt(notes, "stop_loss was due at ", wanted=nervous)


def test_another_reason_than_was_due_is_found(notes: Notes) -> None:
    def as_trailing(fact: object) -> object:
        return replace(fact, reason=CloseReason.TRAILING) if isinstance(fact, CloseRequested) else fact

    spoilt(notes, "closed as trailing, and ", entries=[e._replace(fact=as_trailing(e.fact)) for e in notes.entries])  # type: ignore[arg-type]  # a fact still


def test_a_minute_in_which_nobody_looked_is_found(notes: Notes) -> None:
    looked = [each for each in notes.requests if each.operation != "quotes" or each.at.minute != 50]

    spoilt(notes, "no quote was asked for from 12:50:00 on", requests=looked)


def test_a_price_that_is_lacking_and_not_said_is_found(notes: Notes) -> None:
    nothing = Thawed(scope="", by="nobody")
    silent = [e._replace(fact=nothing) if isinstance(e.fact, BreakConfirmed) else e for e in notes.entries]

    spoilt(notes, "without a price at ", entries=silent)


def test_a_stop_that_does_not_rest_is_found(notes: Notes) -> None:
    stops = {asked.ticket.tag for asked in notes.asked if asked.ticket is not None and asked.ticket.terms.stop_price}
    assert stops

    spoilt(notes, "0 of 2 under a stop at ", events=[each for each in notes.events if each.order.tag not in stops])


def test_a_cent_is_found(notes: Notes) -> None:
    def dearer(fact: object) -> object:
        if not isinstance(fact, FillBooked):
            return fact
        part = replace(fact.allocations[0], realised=fact.allocations[0].realised + D("0.01"))
        return replace(fact, allocations=(part, *fact.allocations[1:]))

    place = max(number for number, each in enumerate(notes.entries) if isinstance(each.fact, FillBooked))
    entries = list(notes.entries)
    entries[place] = entries[place]._replace(fact=dearer(entries[place].fact))  # type: ignore[arg-type]  # a fact still

    spoilt(notes, "the books earned ", entries=entries)


def test_an_opening_that_is_refused_for_no_reason_is_found(notes: Notes) -> None:
    name = notes.wanted[0].name
    others = [each for each in notes.events if each.order.instrument not in dict(notes.wanted[0].legs)]

    spoilt(notes, f"{name} was not opened: at will", refused={**notes.refused, name: "at will"}, events=others)


def test_what_is_left_at_the_exchange_is_found(notes: Notes) -> None:
    spoilt(notes, "left at the exchange: +1 SPXW210106P03800000", left={"SPXW210106P03800000": D(1)})


def test_a_close_without_proof_is_found(notes: Notes) -> None:
    def bare(fact: object) -> object:
        return replace(fact, proof="") if isinstance(fact, PositionSettled) else fact

    spoilt(notes, "closed without proof: ", entries=[e._replace(fact=bare(e.fact)) for e in notes.entries])  # type: ignore[arg-type]  # a fact still


def test_a_fill_of_an_order_that_nobody_meant_is_found(notes: Notes) -> None:
    one = next(each for each in notes.events if each.quantity is not None)
    strange = replace(one, order=replace(one.order, tag="somebody-1", parent_id=None))

    spoilt(notes, "fills of nobody: somebody", events=[*notes.events, strange])
