"""Which fault strikes, and when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.exchange.faults import (
    OPERATIONS,
    AnyFault,
    Cut,
    Delayed,
    Doubled,
    EmptyList,
    Faults,
    Lost,
    NeverArrives,
    Overtaken,
    PartialList,
    Rule,
    Slow,
    Stale,
    parse_rules,
)
from standfast.exchange.post import Delivery, HangUp, Post

NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)


def decided(faults: Faults, *operations: str, instrument: str | None = "SPY") -> list[object]:
    return [faults.decide(operation, instrument, NOW, account="paper") for operation in operations]


def test_a_rule_strikes_its_operation_and_no_other() -> None:
    faults = Faults([Rule(operation="submit", fault=NeverArrives())])

    assert decided(faults, "submit", "cancel", "positions") == [NeverArrives(), None, None]


def test_a_glob_names_several_operations() -> None:
    faults = Faults([Rule(operation="cancel*", fault=NeverArrives())])

    assert decided(faults, "cancel", "cancel_all", "close") == [NeverArrives(), NeverArrives(), None]


def test_a_rule_with_a_count_strikes_that_often() -> None:
    faults = Faults([Rule(operation="order", fault=Stale(age=3), count=2, skip=1)])

    assert decided(faults, *["order"] * 5) == [None, Stale(age=3), Stale(age=3), None, None]


def test_a_rule_for_an_instrument_leaves_others_and_lists_alone() -> None:
    faults = Faults([Rule(operation="*", fault=NeverArrives(), instrument="AAPL", count=1)])

    assert decided(faults, "submit") == [None]
    assert decided(faults, "positions", instrument=None) == [None]
    assert decided(faults, "submit", instrument="AAPL") == [NeverArrives()]


def test_a_rule_for_an_account_or_a_time_strikes_there_only() -> None:
    minute = timedelta(minutes=1)
    faults = Faults(
        [
            Rule(operation="clock", fault=NeverArrives(), account="live*"),
            Rule(operation="clock", fault=Slow(seconds=1), since=NOW + minute, until=NOW + 2 * minute),
        ]
    )

    assert faults.decide("clock", None, NOW, account="live-1") == NeverArrives()
    assert [faults.decide("clock", None, NOW + minutes * minute, account="paper") for minutes in range(3)] == [
        None,
        Slow(seconds=1),
        None,
    ]


def test_the_first_rule_that_matches_decides_and_the_next_is_not_used_up() -> None:
    faults = Faults([Rule(operation="order", fault=Stale(age=age), count=1) for age in (1.0, 2.0)])

    assert decided(faults, "order", "order", "order") == [Stale(age=1), Stale(age=2), None]
    assert [struck.fault for struck in faults.struck] == [Stale(age=1), Stale(age=2)]


@given(st.integers(), st.lists(st.sampled_from(OPERATIONS), max_size=60))
def test_same_seed_and_questions_give_the_same_faults(seed: int, operations: list[str]) -> None:
    rules = [
        Rule(operation="*s", fault=EmptyList(), probability=0.4),
        Rule(operation="*", fault=Slow(seconds=1), probability=0.5, count=3),
    ]

    assert decided(Faults(rules, seed=seed), *operations) == decided(Faults(rules, seed=seed), *operations)


def test_a_rule_that_loses_its_draw_is_not_used_up() -> None:
    faults = Faults([Rule(operation="order", fault=NeverArrives(), probability=0.1, count=3)], seed=5)

    assert sum(fault is not None for fault in decided(faults, *["order"] * 500)) == 3


def test_a_list_is_emptied_or_thinned() -> None:
    faults, rows = Faults(seed=1), ["AAPL", "KO", "SPY"]

    assert faults.thin(rows, None, str) == rows
    assert faults.thin(rows, EmptyList(), str) == []
    assert faults.thin(rows, PartialList(without=("KO",)), str) == ["AAPL", "SPY"]
    assert len(faults.thin(rows, PartialList(missing=2), str)) == 1
    assert faults.thin(rows, PartialList(missing=9), str) == []


def test_a_script_is_read() -> None:
    script = b"""[{"operation": "positions", "fault": {"kind": "stale", "age": 3}, "count": 2},
                  {"operation": "submit", "fault": {"kind": "server_error", "status": 504, "after": true}}]"""

    stale, late = parse_rules(script)

    assert stale == Rule(operation="positions", fault=Stale(age=3), count=2)
    assert (late.operation, type(late.fault).__name__) == ("submit", "ServerError")


@pytest.mark.parametrize(
    "script",
    [
        '[{"operation": "sumbit", "fault": {"kind": "lost"}}]',
        '[{"operation": "submit", "fault": {"kind": "gremlin"}}]',
        '[{"operation": "submit", "fault": {"kind": "stale"}}]',
        '[{"operation": "submit", "fault": {"kind": "lost"}, "often": true}]',
        '[{"operation": "submit", "fault": {"kind": "lost"}, "probability": 0}]',
        "{}",
        "[",
    ],
)
def test_a_script_with_a_mistake_is_refused(script: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_rules(script)


def sendings(*faults: AnyFault | None, messages: str = "abcd") -> list[list[object]]:
    rules = [
        Rule(operation="stream", fault=fault, instrument=str(place), count=1)
        for place, fault in enumerate(faults)
        if fault is not None
    ]
    post: Post[str] = Post(Faults(rules), "stream")
    return [
        list(post.arrange(message, instrument=str(place), account="paper", at=NOW))
        for place, message in enumerate(messages)
    ]


def test_messages_go_out_as_they_are_without_a_fault() -> None:
    assert sendings(messages="ab") == [[Delivery("a")], [Delivery("b")]]


def test_messages_are_lost_doubled_and_delayed() -> None:
    assert sendings(Lost(), Doubled(seconds=2), Delayed(seconds=5), messages="abc") == [
        [],
        [Delivery("b"), Delivery("b", 2)],
        [Delivery("c", 5)],
    ]


def test_an_overtaken_message_follows_the_next() -> None:
    assert sendings(Overtaken(), messages="abc") == [[], [Delivery("b"), Delivery("a")], [Delivery("c")]]


def test_a_cut_ends_the_connection() -> None:
    assert sendings(None, Cut(), messages="ab") == [[Delivery("a")], [HangUp()]]
