"""Facts and states survive being stored; what is not theirs is refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any, NewType, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.model.errors import JournalDamaged
from standfast.model.ids import AccountId, Holding, InstrumentId, PositionId, RequestId
from standfast.model.journal import FACTS, Fact, NakedBegan, OrderObserved, RequestTaken
from standfast.model.order import OrderReport
from standfast.model.position import Phase, Position, Standing
from standfast.stores.codec import (
    GENESIS,
    Encoded,
    Record,
    check_chain,
    decode_fact,
    decode_state,
    encode_fact,
    encode_state,
    format_time,
    parse_time,
    seal,
    shape,
    unpack,
)

A = AccountId("a")
AT = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    type(None): st.none(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=5, minutes=45))]),
    ),
}


def values(hint: Any, depth: int = 1) -> st.SearchStrategy[Any]:
    """Values of a type of the model; a type that holds itself does so `depth` times."""
    if isinstance(hint, NewType):
        return values(hint.__supertype__)
    if hint in PLAIN:
        return PLAIN[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return st.lists(values(arguments[0], depth - 1), max_size=2).map(tuple) if depth else st.just(())
    if origin is Mapping:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=3)
    if arguments:
        return st.one_of(*(values(argument, depth) for argument in arguments))
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    fields = {name: values(inner, depth) for name, inner in get_type_hints(hint).items()}
    return st.builds(hint, **fields)


@pytest.mark.parametrize("kind", FACTS.values(), ids=list(FACTS))
def test_every_kind_of_fact_survives_being_stored(kind: type[Fact]) -> None:
    @settings(max_examples=25, deadline=None, database=None, derandomize=True)
    @given(values(kind))
    def check(fact: Fact) -> None:
        encoded = encode_fact(fact)
        read = decode_fact(1, encoded)
        assert read == fact
        assert type(read) is type(fact)
        assert encode_fact(read) == encoded

    check()


def test_an_unknown_kind_is_damage_and_names_the_entry() -> None:
    with pytest.raises(JournalDamaged, match=r"entry 7: unknown kind 'Wished'"):
        decode_fact(7, Encoded("Wished", 1, b"{}"))


def test_a_version_from_the_future_is_damage_and_names_the_entry() -> None:
    with pytest.raises(JournalDamaged, match=r"entry 8: NakedBegan of unknown version 2"):
        decode_fact(8, Encoded("NakedBegan", 2, b'{"position":"p"}'))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("NakedBegan", b""),
        ("NakedBegan", b"{}"),
        ("NakedBegan", b'{"position":null}'),
        ("NakedBegan", b"\xff"),
        ("SessionSeen", b'{"is_open":true,"next_open":"2026-01-01T00:00:00","next_close":"2026-01-01T00:00:00Z"}'),
    ],
)
def test_an_unreadable_body_is_damage_and_names_the_entry(kind: str, body: bytes) -> None:
    with pytest.raises(JournalDamaged, match=f"entry 9: unreadable {kind}"):
        decode_fact(9, Encoded(kind, 1, body))


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-05T14:30:00"])
def test_an_unreadable_time_is_damage(text: str) -> None:
    with pytest.raises(JournalDamaged, match="entry 3: unreadable time"):
        parse_time(text, 3)


def test_times_are_written_as_utc_and_sort_as_text() -> None:
    assert format_time(AT.astimezone(timezone(timedelta(hours=5)))) == "2026-01-05T14:30:00.000000Z"
    assert parse_time(format_time(AT)) == AT


def test_decimals_are_stored_as_strings() -> None:
    fact = FACTS["ForeignAcknowledged"](  # type: ignore[call-arg] # the union's constructors differ
        holding=Holding(InstrumentId("SPY")), quantity=Decimal("1.10"), by="x"
    )

    assert msgspec.json.decode(encode_fact(fact).body)["quantity"] == "1.10"


def test_a_stranger_is_not_a_fact() -> None:
    @dataclass
    class NakedBegan:
        position: str

    with pytest.raises(TypeError, match="not a kind of fact"):
        encode_fact(NakedBegan("p"))  # type: ignore[arg-type] # that is the point


def test_times_inside_nested_legs_are_checked_too() -> None:
    outer = _report()
    inner = OrderReport(**{name: getattr(outer, name) for name in get_type_hints(OrderReport)} | {"placed_at": NAIVE})
    nested = OrderReport(**{name: getattr(outer, name) for name in get_type_hints(OrderReport)} | {"legs": (inner,)})

    with pytest.raises(ValueError, match="no time zone"):
        encode_fact(OrderObserved(report=nested))


def test_a_mapping_of_any_kind_can_be_stored() -> None:
    class Arguments(dict[str, str]):
        pass

    fact = RequestTaken(request=RequestId("r"), verb="close", arguments=Arguments(id="p"), by="x")

    assert decode_fact(1, encode_fact(fact)) == fact


def test_a_chain_verifies_from_any_entry_on() -> None:
    records = _records(5)

    assert list(check_chain(A, records)) == records
    assert list(check_chain(A, records[3:], (3, records[2].hash))) == records[3:]


@pytest.mark.parametrize("field_name", ["epoch", "at", "kind", "version", "body", "hash"])
def test_any_change_of_an_entry_breaks_the_chain_at_that_entry(field_name: str) -> None:
    records = _records(5)
    changes: dict[str, Any] = {
        "epoch": 2,
        "at": "2026-01-05T14:30:00.000001Z",
        "kind": "NakedEnded",
        "version": 2,
        "body": b'{"position":"x2"}',
        "hash": bytes(32),
    }
    records[2] = records[2]._replace(**{field_name: changes[field_name]})

    with pytest.raises(JournalDamaged, match="entry 3 was changed"):
        list(check_chain(A, records))


def test_a_missing_an_exchanged_and_a_foreign_entry_break_the_chain() -> None:
    records = _records(5)

    with pytest.raises(JournalDamaged, match="entry 3 is missing"):
        list(check_chain(A, [*records[:2], *records[3:]]))
    with pytest.raises(JournalDamaged, match="entry 2 is missing"):
        list(check_chain(A, [records[0], records[2], records[1]]))
    with pytest.raises(JournalDamaged, match="entry 1 was changed"):
        list(check_chain(AccountId("b"), records))


@dataclass(frozen=True, slots=True)
class StateInState:
    net: Decimal = Decimal(0)
    open: frozenset[str] = frozenset()


@dataclass(slots=True)
class FoldedState:
    """A stand-in for the book."""

    account: AccountId
    held: dict[Holding, Decimal] = field(default_factory=dict)
    positions: dict[PositionId, Position] = field(default_factory=dict)
    inner: dict[Holding, StateInState] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    pairs: tuple[tuple[str, int], ...] = ()
    last: OrderReport | None = None
    at: datetime | None = None


def test_a_folded_state_survives_being_saved() -> None:
    spy, long_ = Holding(InstrumentId("SPY")), Holding(InstrumentId("BTC/USDT:USDT"), "long")
    position = Position(
        id=PositionId("p"),
        strategy="s",
        holding=spy,
        standing=Standing.OWNED,
        phase=Phase.OPEN,
        sign=1,
        asked=Decimal("1.50"),
        opened_at=AT,
    )
    state = FoldedState(
        account=A,
        held={spy: Decimal("1.50"), long_: Decimal("-1E-8")},
        positions={position.id: position},
        inner={long_: StateInState(Decimal(1), frozenset({"x"}))},
        seen={"e1", "e2"},
        pairs=(("a", 1), ("b", 2)),
        last=_report(),
        at=AT,
    )

    read = decode_state(FoldedState, encode_state(state))

    assert read == state
    assert all(type(holding) is Holding for holding in read.held)
    assert str(read.held[spy]) == "1.50"


def test_bytes_that_are_no_such_state_are_refused() -> None:
    with pytest.raises(ValueError, match="not a saved FoldedState"):
        decode_state(FoldedState, encode_state(StateInState()))


def test_a_field_of_another_type_at_any_depth_is_another_shape() -> None:
    @dataclass
    class Inner:
        a: int

    @dataclass
    class Outer:
        inner: dict[str, Inner]

    before = shape(Outer)
    Inner.__annotations__["a"] = str

    assert shape(Outer) != before


NAIVE = AT.replace(tzinfo=None)


def _report() -> OrderReport:
    return msgspec.json.decode(
        b'{"broker_id":"b","client_id":"c","holding":["SPY",""],"side":"buy","type":"market","time_in_force":"day",'
        b'"quantity":"1","filled":"0","state":"working"}',
        type=OrderReport,
    )


def _records(count: int) -> list[Record]:
    facts = [(AT, encode_fact(NakedBegan(position=PositionId(f"p{number}")))) for number in range(count)]
    return unpack(seal(A, (0, GENESIS), 1, facts).commit)
