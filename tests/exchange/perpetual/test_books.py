"""What an account keeps: outcomes, movements, margin of single positions."""

from standfast.exchange.perpetual.books import ExecutionKind
from standfast.exchange.perpetual.rules import Scripted
from tests.exchange.perpetual.desk import BTC, D, desk


def test_the_wallet_is_what_its_movements_say() -> None:
    d = desk()
    d.buy("0.1")
    d.quote("51000")
    d.sell("0.1")
    d.engine.move_cash("a", D(-500))

    moves = d.engine.books("a").movements

    assert d.wallet == D(10_000) + sum(move.amount for move in moves)
    assert [move.balance for move in moves][-1] == d.wallet
    fees = D("0.1") * (D("50000.1") + D(51000)) * D("0.00055")
    assert d.wallet == D(10_000) + D("0.1") * D("999.9") - fees - 500


def test_one_order_that_closes_has_one_outcome_however_often_it_fills() -> None:
    d = desk(fills=Scripted({"out": [D("0.3"), D("0.7")]}))
    d.buy("0.1")
    d.sell("0.1", price="50500", link_id="out", reduce_only=True)
    d.quote("50500")
    d.quote("50500")

    (outcome,) = d.engine.books("a").outcomes

    assert (outcome.quantity, outcome.fills) == (D("0.1"), 2)
    assert outcome.entry_value == D("5000.01")
    assert outcome.exit_value == D(5050)
    fees = D(5050) * D("0.0002")  # it rested: what it gave up for the exit; the entry's fee was the entry's
    assert outcome.earned == D(5050) - D("5000.01") - fees


def test_a_position_that_turns_round_is_an_outcome_for_the_part_that_closed() -> None:
    d = desk()
    d.buy("0.1")
    d.sell("0.3")

    (outcome,) = d.engine.books("a").outcomes

    assert outcome.quantity == D("0.1")
    assert d.net() == D("-0.2")


def test_an_isolated_position_sets_aside_its_own_margin_and_gives_it_back() -> None:
    d = desk()
    d.engine.set_margin_mode("a", BTC, is_isolated=True)
    d.buy("0.1")

    assert d.engine.position("a", BTC).margin == D("500.001")
    assert d.engine.equity("a") == d.wallet - D("500.001")

    d.sell("0.1")

    assert d.engine.position("a", BTC).margin is None
    assert d.engine.equity("a") == d.wallet


def test_every_execution_says_what_kind_it_is() -> None:
    d = desk()
    d.buy("0.1")
    d.engine.fund(BTC)
    d.engine.liquidate("a", BTC)

    kinds = [row.kind for row in d.engine.books("a").executions]

    assert kinds == [ExecutionKind.TRADE, ExecutionKind.FUNDING, ExecutionKind.LIQUIDATION]
