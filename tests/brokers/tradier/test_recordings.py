"""What Tradier was recorded or documented to answer is understood; what nobody should answer is refused, no worse."""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.shared.transport import Response
from standfast.brokers.tradier import parse, refusals
from standfast.brokers.tradier.history import totals_of
from standfast.core.book import Book
from standfast.core.fills import book_fill
from standfast.core.policy import Foreign
from standfast.core.totals import fills_of
from standfast.model.errors import Malformed, OutcomeUnknown, Rejected, Unauthorised
from standfast.model.evidence import HeldReport
from standfast.model.ids import AccountId, Holding
from standfast.model.order import OrderReport, OrderState
from tests.brokers.tradier.replies import ATTEMPTS, order_row, position_row, refused_as, reports
from tests.core.situations import ruled, told

pieces = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["null", "buy_to_open", "multileg", "oco", "NaN", "1e99999", "open", "9999-12-31T23:59-23:59"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
samples = {
    **position_row(), **order_row(), "leg": [order_row(id=2), order_row(id=3)], "option_symbol": "SPXW260204P06885000",
    "event": "order", "account": "VA00000000", "bid": 1.5, "ask": None, "bid_date": 1692013268000, "date": "2026-01-02",
    "open": {"start": "09:30", "end": "16:00"}, "state": "open", "timestamp": 1370918353, "underlying": "SPX",
    "account_number": "VA00000000", "total_equity": 17798.36, "margin": {"stock_buying_power": 1}, "amount": 1,
    "contract_size": 100, "sessionid": "x", "parent_id": 3,
}  # fmt: skip
objects = st.dictionaries(st.sampled_from(sorted(samples)), pieces).map(lambda changes: samples | changes)
wrappings = st.sampled_from(
    [
        ("positions", "position"), ("orders", "order"), ("order", ""), ("balances", ""), ("profile", "account"),
        ("quotes", "quote"), ("history", "event"), ("clock", ""), ("stream", ""), ("errors", "error"), ("", ""),
    ]
)  # fmt: skip


def wrapped(found: object, names: tuple[str, str]) -> bytes:
    for name in reversed(names):
        found = {name: found} if name else found
    return json.dumps(found).encode()


documents = st.builds(wrapped, objects | pieces | st.lists(objects, max_size=3), wrappings)
days = st.builds(lambda found: json.dumps({"calendar": {"days": {"day": found}}}).encode(), objects)
bodies = (
    st.binary(max_size=200)
    | documents
    | days
    | st.tuples(documents, st.integers(0, 2_000)).map(lambda pair: pair[0][: pair[1]])
)


@pytest.mark.parametrize("name", sorted(ATTEMPTS))
@given(body=bodies)
def test_no_bytes_raise_anything_but_a_refusal(name: str, body: bytes) -> None:
    assert refused_as(ATTEMPTS[name], body) != ""


@pytest.mark.parametrize("name", sorted(ATTEMPTS))
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"orders":' * 50_000, b'{"order":{"id":1,"leg":' * 50_000])
def test_endless_nesting_is_refused(name: str, body: bytes) -> None:
    assert name == "refusal" or refused_as(ATTEMPTS[name], body)


def recorded(shared: Path) -> dict[str, bytes]:
    folder = shared / "brokers" / "data" / "tradier"
    found = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.json"))}
    assert len(found) > 45, "the recordings are not where they were"
    return found


UNDERSTOOD = {
    "docs_examples/balances_cash.json": "account",
    "docs_examples/balances_margin.json": "account",
    "docs_examples/balances_pdt.json": "account",
    "docs_examples/calendar_day.json": "calendar",
    "docs_examples/history.json": "history",
    "docs_examples/orders_null_string.json": "orders",
    "docs_examples/orders_single_object.json": "orders",
    "docs_examples/positions_list.json": "positions",
    "docs_examples/positions_null_string.json": "positions",
    "docs_examples/positions_single_object.json": "positions",
    "docs_examples/stream_heartbeat.json": "event",
    "docs_examples/stream_order_filled.json": "event",
    "docs_examples/stream_order_open.json": "event",
    "docs_examples/stream_order_pending.json": "event",
    "go_client_2016/order_create_test__orderCreateJSON.json": "acceptance",
    "official_rb_client_2013/account_positions.json": "positions",
    "official_rb_client_2013/calendar.json": "calendar",
    "official_rb_client_2013/clock.json": "clock",
    "official_rb_client_2013/placed_order.json": "acceptance",
    "official_rb_client_2013/session.json": "session",
    "official_rb_client_2013/user_profile.json": "profile",
    "recorded_spxw_2023/order_rejected_single_leg.json": "orders",
    "recorded_spxw_2023/orders_44_multileg.json": "orders",
    "recorded_spxw_2023/positions_9_spxw_legs.json": "positions",
}


@pytest.mark.parametrize("name", sorted(UNDERSTOOD))
def test_what_tradier_was_recorded_to_answer_is_understood(name: str, shared: Path) -> None:
    assert refused_as(ATTEMPTS[UNDERSTOOD[name]], recorded(shared)[name]) is None


@pytest.mark.parametrize(
    ("kind", "power"), [("margin", Decimal("6363.86")), ("pdt", Decimal("6363.86")), ("cash", None)]
)
def test_what_options_may_take_is_told_apart_where_shares_are_bought_on_margin(
    kind: str, power: Decimal | None, shared: Path
) -> None:
    body = recorded(shared)[f"docs_examples/balances_{kind}.json"]

    assert parse.account(body, account_id="VA00000000", status="").options_power == power


def test_every_recorded_payload_is_understood_or_refused_clearly(shared: Path) -> None:
    for name, body in recorded(shared).items():
        for attempt in ATTEMPTS.values():
            said = refused_as(attempt, body)
            assert said is None or len(said) > 10, (name, said)


def test_a_contract_that_is_not_named_is_refused(shared: Path) -> None:
    """The documentation cuts its last example off: what is left of the leg does not say which contract it is."""
    body = recorded(shared)["docs_examples/orders_expired_canceled_combo.json"]

    assert refused_as(ATTEMPTS["orders"], body) == "order 229065: sell_to_close names no contract"


def test_an_empty_list_is_the_text_null_and_nothing_else() -> None:
    assert parse.positions(b'{"positions": "null"}') == {}
    for body in (
        b'{"positions": null}',
        b"{}",
        b'{"positions": {}}',
        b'{"positions": ""}',
        b'{"positions": []}',
        b"null",
    ):
        with pytest.raises(Malformed):
            parse.positions(body)


ERRORS = {
    "cancel_finalized_400": ("DELETE", "not_cancellable"),
    "duration_pre_rejected": ("POST", "other"),
    "errors_list": ("POST", "other"),
    "errors_single_string": ("POST", "other"),
}


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_a_documented_refusal_is_one(name: str, shared: Path) -> None:
    method, kind = ERRORS[name]
    told = json.loads(recorded(shared)[f"errors/{name}.json"])
    body = told["body_text"].encode() if "body_text" in told else json.dumps(told).encode()
    error = refusals.failure(method, Response(400, {}, body), None)

    assert isinstance(error, Rejected)
    assert error.kind == kind


def test_a_token_that_has_expired_is_said_as_such(shared: Path) -> None:
    body = recorded(shared)["errors/fault_token_expired_401.json"]

    assert isinstance(refusals.failure("GET", Response(401, {}, body), None), Unauthorised)


def test_a_success_that_says_no_is_a_refusal(shared: Path) -> None:
    for name in ("errors/errors_list.json", "official_rb_client_2013/order_with_warnings.json"):
        with pytest.raises(Rejected):
            refusals.accepted("POST", Response(200, {}, recorded(shared)[name]))


def test_a_dry_run_is_no_acceptance(shared: Path) -> None:
    body = recorded(shared)["go_client_2016/order_create_test__orderCreatePreviewJSON.json"]

    with pytest.raises(OutcomeUnknown):
        refusals.accepted("POST", Response(200, {}, body))


# --- the recorded day: 44 orders of three legs, 36 filled, 9 positions


def day(shared: Path) -> tuple[list[OrderReport], dict[Holding, HeldReport]]:
    found = recorded(shared)
    orders = reports(found["recorded_spxw_2023/orders_44_multileg.json"])
    return orders, parse.positions(found["recorded_spxw_2023/positions_9_spxw_legs.json"])


def test_the_recorded_orders_are_read_as_they_were(shared: Path) -> None:
    orders, _ = day(shared)

    assert Counter(each.state for each in orders) == {OrderState.FILLED: 36, OrderState.CANCELLED: 8}
    assert {len(each.legs) for each in orders} == {3}
    assert {leg.parent_id for each in orders for leg in each.legs} == {each.broker_id for each in orders}


def test_a_spread_counts_units_and_its_price_says_what_was_received(shared: Path) -> None:
    """To half a cent, which is how far the recorded parents are rounded."""
    for each in day(shared)[0]:
        ratios = {leg.quantity / each.quantity for leg in each.legs}
        assert ratios == {Decimal(1), Decimal(2)}, each.broker_id
        if each.state is OrderState.CANCELLED:
            assert (each.filled, each.remaining, each.average_price) == (Decimal(0), Decimal(0), None)
            continue
        net = sum(
            (leg.side.sign * (leg.average_price or 0) * leg.quantity / each.quantity for leg in each.legs), Decimal(0)
        )
        assert each.filled == each.quantity
        assert each.average_price is not None
        assert abs(each.average_price - net) <= Decimal("0.005"), each.broker_id


def booked(orders: list[OrderReport]) -> Book:
    """The ledger's own way: totals, fills, facts, fold."""
    book, rules = Book.empty(AccountId("spx")), ruled(foreign=Foreign.ADOPT)
    for fill in sorted(fills_of(book, totals_of(orders)), key=lambda fill: fill.at):
        told(book, *book_fill(book, rules, fill))
    return book


def test_the_recorded_orders_give_exactly_the_recorded_positions(shared: Path) -> None:
    """Signs and cost basis included; nothing else is left in the books."""
    orders, listed = day(shared)

    book = booked(orders)

    held = {holding: (cost.quantity, cost.value * 100) for holding, cost in book.state.costs.items()}
    assert held == {holding: (row.quantity, row.quantity * row.average_price * 100) for holding, row in listed.items()}
    open_nets = Counter[Holding]()
    for position in book.state.positions.values():
        open_nets[position.holding] += position.net  # type: ignore[assignment]  # counts in Decimal
    assert {holding: net for holding, net in open_nets.items() if net} == {
        holding: row.quantity for holding, row in listed.items()
    }


def test_the_recorded_list_is_the_books_to_the_cent(shared: Path) -> None:
    listed = recorded(shared)["recorded_spxw_2023/positions_9_spxw_legs.json"]
    orders, _ = day(shared)
    rows = json.loads(listed)["positions"]["position"]

    costs = {str(holding): cost.value * 100 for holding, cost in booked(orders).state.costs.items()}

    assert costs == {row["symbol"]: Decimal(str(row["cost_basis"])) for row in rows}
