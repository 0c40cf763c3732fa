"""The shapes: what is said of a position's cover, and how numbers and times are written."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from standfast.cli import shown
from standfast.core.book import Book
from standfast.core.fold import fold
from standfast.core.policy import HeldBy, Policy, Rules
from standfast.desk import documents, policies
from standfast.model import journal as j
from standfast.model.ids import ClientOrderId, EntryNumber, Holding, InstrumentId
from standfast.model.order import OrderState, OrderType, Role
from standfast.model.position import CloseReason, Position, Trail
from tests.cli.ledgers import KEPT, OPENED, PAPER, SPY, closed_part, fill, opened, order, stop, story

NOW = OPENED + timedelta(minutes=5)
KINDS = ("equity", "option", "perpetual")
SHORT_STORY = opened(KEPT, "kept", SPY, 10, "600")
WITH_STOP = [*SHORT_STORY, *order("kept-stop", SPY, KEPT, Role.STOP, stop(10, "588"))]


def book_of(facts: list[j.Fact]) -> Book:
    entries = [j.Entry(EntryNumber(number), 1, OPENED, fact) for number, fact in enumerate(facts, start=1)]
    return fold(Book.empty(PAPER), entries)


def rules(held_by: HeldBy = HeldBy.BROKER, stop_loss: str | None = "0.02") -> Rules:
    distance = Decimal(stop_loss) if stop_loss is not None else None
    return Rules(account=PAPER, policies=(Policy(name="default", held_by=held_by, stop_loss=distance),))


def cover_of(facts: list[j.Fact], given: Rules | None) -> documents.Cover:
    book = book_of(facts)
    return documents.cover(book, position_in(book), given, NOW)


def position_in(book: Book) -> Position:
    return book.state.positions[KEPT]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("600", "600"),
        ("600.00", "600"),
        ("0.10", "0.1"),
        ("1E+3", "1000"),
        ("-0.0", "0"),
        ("0.00000001", "0.00000001"),
        ("-20.80", "-20.8"),
    ],
)
def test_a_decimal_is_written_without_exponent_and_without_idle_zeros(value: str, written: str) -> None:
    assert documents.number(Decimal(value)) == written


def test_a_time_is_rfc_3339_in_utc() -> None:
    east = datetime(2026, 11, 19, 17, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))

    assert documents.time(east) == "2026-11-19T15:00:00.250000Z"
    assert documents.time(None) is None


def test_a_resting_stop_covers_its_remaining_quantity_at_its_own_price() -> None:
    found = cover_of(WITH_STOP, rules())

    assert found == documents.Cover("broker", Decimal(588), Decimal(10), True, Decimal(0), rests=Decimal(10))


def test_without_a_resting_stop_a_position_whose_broker_should_hold_it_is_not_covered() -> None:
    found = cover_of(SHORT_STORY, rules())

    assert (found.held_by, found.quantity, found.covered) == ("broker", Decimal(0), False)


def sold(quantity: str) -> j.FillBooked:
    """A part of the kept position is sold: what is held is no whole number any more."""
    return closed_part(KEPT, fill("x-part", "kept", SPY, f"-{quantity}", "600"), "0", CloseReason.OPERATOR)


def test_the_guard_holds_the_fraction_of_a_unit_that_no_stop_at_the_broker_can_cover() -> None:
    whole = [*SHORT_STORY, sold("0.5"), *order("kept-stop", SPY, KEPT, Role.STOP, stop(9, "588"))]

    assert cover_of(whole, rules()) == documents.Cover(
        "broker", Decimal(588), Decimal("9.5"), True, Decimal(0), rests=Decimal(9)
    )
    assert cover_of([*SHORT_STORY, sold("9.5")], rules()).covered


def test_more_than_a_fraction_without_a_stop_is_not_covered_by_the_guard() -> None:
    short = [*SHORT_STORY, sold("0.5"), *order("kept-stop", SPY, KEPT, Role.STOP, stop(8, "588"))]

    assert (cover_of(short, rules()).quantity, cover_of(short, rules()).covered) == (Decimal(8), False)
    assert not cover_of([*SHORT_STORY, sold("9.5")], rules(stop_loss=None)).covered


def test_the_cover_of_a_fraction_names_both_who_hold_it() -> None:
    both = [*SHORT_STORY, sold("0.5"), *order("kept-stop", SPY, KEPT, Role.STOP, stop(9, "588"))]
    for facts, said in ((both, "9 by broker, 0.5 by guard"), ([*SHORT_STORY, sold("9.5")], "0.5 by guard")):
        book = book_of(facts)
        position = position_in(book)
        assert shown.cover_cell(position, cover_of(facts, rules()), book.held(position)).text == said


def test_the_limit_of_a_pair_of_exits_is_its_target_whatever_the_pair_was_placed_as() -> None:
    target = replace(stop(10, "588"), type=OrderType.LIMIT, stop_price=None, limit_price=Decimal(700))
    book = book_of([*SHORT_STORY, *order("kept-pair", SPY, KEPT, Role.STOP, target)])

    assert documents.order(book, book.state.orders[ClientOrderId("sf-kept-pair")])["role"] == "target"


def test_a_stop_that_is_being_cancelled_covers_nothing() -> None:
    book = book_of(WITH_STOP)
    known = book.state.orders[ClientOrderId("sf-kept-stop")]
    book.put_order(replace(known, cancel_at=OPENED))

    assert not documents.cover(book, position_in(book), rules(), NOW).covered


def test_a_bracket_leg_that_waits_for_its_entry_covers_nothing_until_the_entry_is_done() -> None:
    book = book_of(WITH_STOP)
    known = book.state.orders[ClientOrderId("sf-kept-stop")]
    assert known.report is not None
    entry = book.state.orders[ClientOrderId("sf-kept")]
    assert entry.report is not None
    waiting = replace(entry, stage=known.stage, report=replace(entry.report, state=OrderState.WORKING))
    book.put_order(replace(known, parent=entry.id, report=replace(known.report, state=OrderState.HELD)))
    book.put_order(waiting)

    assert not documents.cover(book, position_in(book), rules(), NOW).covered

    book.put_order(entry)
    assert documents.cover(book, position_in(book), rules(), NOW).covered


def test_the_guards_own_rule_covers_all_that_is_held_at_the_price_its_policy_says() -> None:
    found = cover_of(SHORT_STORY, rules(HeldBy.GUARD))

    assert (found.held_by, found.stop_price, found.quantity, found.covered) == (
        *("guard", Decimal(588)),
        *(Decimal(10), True),
    )


def test_a_trail_that_has_come_further_is_where_the_stop_stands() -> None:
    moved = j.TrailMoved(position=KEPT, trail=Trail(rung=1, peak=Decimal("0.2"), stop=Decimal("0.12")))

    assert cover_of([*SHORT_STORY, moved], rules(HeldBy.GUARD)).stop_price == Decimal(672)


def test_naked_time_runs_on_while_nothing_covers() -> None:
    found = cover_of([*WITH_STOP, j.NakedBegan(position=KEPT)], rules())

    assert (found.covered, found.naked_seconds) == (False, Decimal(300))


def test_a_position_left_bare_on_purpose_says_that_nobody_holds_its_exits() -> None:
    bare = j.ProtectionChosen(position=KEPT, stop=None, target=None, bare=True, by="ann")

    assert cover_of([*SHORT_STORY, bare], rules(HeldBy.GUARD)).held_by is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("AAPL", "equity"), ("AAPL260116P00095000", "option"), ("BTC/USDT:USDT", "perpetual"), ("BRK.B", "equity")],
)
def test_a_position_is_shown_under_the_policy_of_its_kind(name: str, kind: str) -> None:
    book = book_of(opened(KEPT, "kept", Holding(InstrumentId(name)), 10, "600"))
    own = policies.Policy("guard", Decimal("0.5"), None, {"kind": kind})
    others = [policies.Policy("broker", Decimal("0.02"), None, {"kind": each}) for each in KINDS if each != kind]

    found = documents.cover(book, position_in(book), policies.Rules("paper", [*others, own]), NOW)

    assert (found.held_by, found.stop_price) == ("guard", Decimal(300))


def test_a_stop_that_was_asked_for_as_a_share_is_shown_in_place_of_the_policys() -> None:
    book = book_of(opened(KEPT, "kept", SPY, 10, "600"))
    own = replace(position_in(book), stop_loss=Decimal("0.05"))

    found = documents.cover(
        book, own, policies.Rules("paper", [policies.Policy("guard", Decimal("0.02"), None, {})]), NOW
    )

    assert found.stop_price == Decimal(570)


def test_the_policies_read_for_showing_are_those_the_guard_has() -> None:
    settings = {
        "policies": [
            {"name": "a", "match": {"strategy": "scalp*"}, "exits_held_by": "guard", "stop_loss": "8pt"},
            {"name": "b", "match": {"instrument": "SPY"}, "stop_loss": "2%", "emergency_stop": " 40% "},
            {"name": "c", "stop_loss": 2},
        ]
    }
    found = policies.Rules("paper", policies.read(settings))

    assert found.policy("scalp-1", SPY)[:3] == ("guard", Decimal("0.08"), None)
    assert found.policy("trend", SPY)[:3] == ("broker", Decimal("0.02"), Decimal("0.4"))
    assert found.policy("trend", SPY._replace(instrument=type(SPY.instrument)("X")))[:3] == ("broker", None, None)


def test_a_whole_story_gives_one_position_left_open() -> None:
    book = book_of(story())

    assert [each.id for each in book.state.positions.values()] == [KEPT]
