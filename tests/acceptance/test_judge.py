"""The judge itself: an honest run passes, and of every invariant a doctored record of that run is caught."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.case import Case, Entry, Row
from tests.acceptance.judge import CHECKS, judge
from tests.acceptance.stage import Stage, until

Doctor = Callable[[Case], Case]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """Two lives of a guard: an opening that is closed again, and a bot's purchase that keeps its stop."""
    with Stage(tmp_path_factory.mktemp("judged")) as stage:
        exchange = stage.exchange()
        stage.settings(exchange.url)
        guard = stage.guarded()
        assert stage.run("open", "paper", "AAPL", "10").code == 0
        exchange.buy("SPY", 5)
        until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "the stops", told=guard.tail)
        assert guard.stop() == 0
        guard = stage.guarded()
        position = stage.position("AAPL")
        assert position is not None
        assert stage.run("close", position.id).code == 0
        until(lambda: stage.is_protected(exchange), "rest", told=guard.tail)
        assert guard.stop() == 0
        yield Case.read(stage.tape, stage.ledger)


def test_an_honest_run_has_no_violation_and_something_was_judged(honest: Case) -> None:
    judgement = judge(honest)

    assert not judgement.violations, str(judgement)
    assert judgement.seen["own orders"] >= 4  # an opening, two stops, a close
    assert judgement.seen["fills"] == 3
    assert judgement.seen["lives"] == 2


# --- doctoring --------------------------------------------------------------------------------------


def entry_of(case: Case, kind: str, **wanted: str) -> Entry:
    """The first entry of that kind whose fact says so."""
    return next(
        entry for entry, fact in case.facts(kind) if all(fact.get(name) == value for name, value in wanted.items())
    )


def with_entry(case: Case, entry: Entry, *instead: Entry) -> Case:
    place = case.entries.index(entry)
    return replace(case, entries=[*case.entries[:place], *instead, *case.entries[place + 1 :]])


def with_fact(case: Case, entry: Entry, change: Callable[[Any], None]) -> Case:
    fact = entry.fact
    change(fact)
    return with_entry(case, entry, entry._replace(body=json.dumps(fact).encode()))


def added(case: Case, what: str, **fact: object) -> Case:
    last = case.entries[-1]
    body = json.dumps(fact).encode()
    return replace(case, entries=[*case.entries, last._replace(number=last.number + 1, kind=what, body=body)])


def with_row(case: Case, row: Row, **changes: object) -> Case:
    return replace(case, rows=[{**each, **changes} if each is row else each for each in case.rows])


def later(text: str, seconds: float) -> str:
    return (datetime.fromisoformat(text) + timedelta(seconds=seconds)).isoformat()


def close_of(case: Case) -> Any:
    return entry_of(case, "OrderIntended", role="close").fact


def fill_of(case: Case, client_id: str) -> Row:
    return next(fill for fill in case.fills if fill["client_order_id"] == client_id)


def living_stop(case: Case) -> Row:
    """The last event of the stop that is still there at the end."""
    return next(row for row in reversed(case.events) if row["instrument"] == "SPY" and row["type"] == "stop")


def unmeant(case: Case) -> Case:
    return with_entry(case, entry_of(case, "OrderIntended", role="close"))


def meant_afterwards(case: Case) -> Case:
    entry = entry_of(case, "OrderIntended", role="stop")
    return with_entry(case, entry, entry._replace(at=later(entry.at, 30)))


def meant_otherwise(case: Case) -> Case:
    return with_fact(
        case, entry_of(case, "OrderIntended", role="close"), lambda fact: fact["terms"].update(quantity="9")
    )


def stop_elsewhere(case: Case) -> Case:
    return with_fact(
        case, entry_of(case, "OrderIntended", role="stop"), lambda fact: fact["terms"].update(stop_price="1")
    )


def opened_twice(case: Case) -> Case:
    opened = entry_of(case, "OrderIntended", role="open").fact
    fill = fill_of(case, opened["id"])
    return replace(case, rows=[*case.rows, {**fill, "execution_id": "again"}])


def through_zero(case: Case) -> Case:
    return with_row(case, fill_of(case, close_of(case)["id"]), fill_quantity="20")


def adding(case: Case) -> Case:
    return with_row(case, fill_of(case, close_of(case)["id"]), side="buy")


def too_much_cover(case: Case) -> Case:
    first = next(row for row in case.events if row["instrument"] == "SPY" and row["type"] == "stop")
    return with_row(case, first, quantity="6")


def called_over(case: Case) -> Entry:
    """What the journal says of the stop that was cancelled for the close."""
    return next(e for e, fact in case.facts("OrderObserved") if fact["report"]["state"] == "cancelled")


def filled_when_over(case: Case) -> Case:
    report = called_over(case).fact["report"]
    last = next(row for row in reversed(case.events) if row["order_id"] == report["broker_id"])
    at = later(called_over(case).at, 60)
    fill = {**last, "at": at, "execution_id": "late", "fill_quantity": "10", "fill_price": "98"}
    return replace(case, rows=[*case.rows, fill])


def filled_less(case: Case) -> Case:
    return with_fact(case, called_over(case), lambda fact: fact["report"].update(filled="1"))


def forgotten(case: Case) -> Case:
    return added(case, "OrderRejected", id=living_stop(case)["client_order_id"], reason="no", kind="other", code="")


def two_writers(case: Case) -> Case:
    last = case.entries[-1]
    return with_entry(case, last, last._replace(epoch=1))


def sent_by_the_dead(case: Case) -> Case:
    """The first life's opening arrives a minute into the second."""
    reborn = next(entry for entry in case.entries if entry.epoch == 2)
    first = next(iter(case.submitted))
    return with_row(case, first, at=later(reborn.at, 60))


def cut_out(case: Case) -> Case:
    return with_entry(case, case.entries[5])


def altered(case: Case) -> Case:
    return with_fact(case, case.entries[1], lambda fact: fact.update(broker="another"))


def turned_round(case: Case) -> Case:
    return with_entry(with_entry(case, case.entries[5]), case.entries[6], case.entries[6], case.entries[5])


def unbooked(case: Case) -> Case:
    return with_entry(case, entry_of(case, "FillBooked"))


def booked_twice(case: Case) -> Case:
    entry = entry_of(case, "FillBooked")
    return with_entry(case, entry, entry, entry)


def booked_at_another_price(case: Case) -> Case:
    return with_fact(case, entry_of(case, "FillBooked"), lambda fact: fact["fill"].update(price="1"))


def uncovered(case: Case) -> Case:
    stop = living_stop(case)["order_id"]
    return replace(case, rows=[row for row in case.rows if row.get("order_id") != stop])


def covered_too_far(case: Case) -> Case:
    return with_row(case, living_stop(case), quantity="7")


DOCTORED: dict[Doctor, str] = {
    unmeant: "S1",
    meant_afterwards: "S1",
    meant_otherwise: "S1",
    stop_elsewhere: "S1",
    opened_twice: "S2",
    through_zero: "S3",
    adding: "S3",
    too_much_cover: "S4",
    filled_when_over: "S5",
    filled_less: "S5",
    forgotten: "S6",
    two_writers: "S8",
    sent_by_the_dead: "S8",
    cut_out: "S9",
    altered: "S9",
    turned_round: "S9",
    unbooked: "books",
    booked_twice: "books",
    booked_at_another_price: "books",
    uncovered: "cover",
    covered_too_far: "cover",
}


@pytest.mark.parametrize("doctor", DOCTORED, ids=lambda doctor: doctor.__name__)
def test_a_doctored_record_is_caught(honest: Case, doctor: Doctor) -> None:
    assert DOCTORED[doctor] in judge(doctor(honest)).violations


def test_every_invariant_has_a_doctored_record() -> None:
    assert set(DOCTORED.values()) == set(CHECKS)
