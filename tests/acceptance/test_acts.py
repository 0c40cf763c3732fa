"""An operator's acts, each verb a process of its own, with a guard running and without: done and proven, or not 0."""

from decimal import Decimal

import pytest

from standfast.stores.sqlite.reading import LedgerReader
from tests.acceptance.stage import PAPER, Exchange, Stage, until


@pytest.fixture(params=["beside a guard", "without a guard"])
def exchange(request: pytest.FixtureRequest, stage: Stage) -> Exchange:
    """An exchange whose account is set up, guarded or not."""
    started = stage.exchange()
    stage.settings(started.url)
    if request.param == "beside a guard":
        stage.guarded()
    return started


def is_free(stage: Stage) -> bool:
    with LedgerReader(stage.ledger) as reader:
        lease = reader.lease(PAPER)
    return lease is not None and lease.holder == ""


def the_position(stage: Stage, instrument: str) -> str:
    found = stage.position(instrument)
    assert found is not None
    return found.id


def test_open_protect_and_close_are_proven_at_the_exchange(stage: Stage, exchange: Exchange) -> None:
    opened = stage.run("open", "paper", "AAPL", "10", "--id", "k1")
    assert opened.code == 0, opened
    assert exchange.positions() == stage.held() == {"AAPL": Decimal(10)}
    (stop,) = exchange.stops("AAPL")
    assert (Decimal(stop["qty"]), Decimal(stop["stop_price"])) == (Decimal(10), Decimal("98.01"))

    again = stage.run("open", "paper", "AAPL", "10", "--id", "k1")
    assert again.code == 0, again
    assert exchange.positions() == {"AAPL": Decimal(10)}

    protected = stage.run("protect", the_position(stage, "AAPL"), "--stop", "95")
    assert protected.code == 0, protected
    (stop,) = exchange.stops("AAPL")
    assert (Decimal(stop["qty"]), Decimal(stop["stop_price"])) == (Decimal(10), Decimal(95))

    reduced = stage.run("close", the_position(stage, "AAPL"), "--quantity", "4")
    assert reduced.code == 0, reduced
    assert exchange.positions() == stage.held() == {"AAPL": Decimal(6)}

    closed = stage.run("close", the_position(stage, "AAPL"))
    assert closed.code == 0, closed
    assert exchange.positions() == stage.held() == {}
    assert exchange.live() == []
    stage.assert_whole()


def test_flatten_closes_what_is_held_and_cancels_what_could_be(stage: Stage, exchange: Exchange) -> None:
    assert stage.run("open", "paper", "AAPL", "10").code == 0
    assert stage.run("open", "paper", "SPY", "-3").code == 0

    flat = stage.run("flatten", "paper", "--yes")

    assert flat.code == 0, flat
    assert exchange.positions() == stage.held() == {}
    assert exchange.live() == []


def test_an_act_that_cannot_be_done_is_1_and_says_why(stage: Stage, exchange: Exchange) -> None:
    assert stage.run("freeze", "paper", "--reason", "a test").code == 0

    refused = stage.run("open", "paper", "AAPL", "10")
    unknown = stage.run("close", "p-nothing")

    assert (refused.code, unknown.code) == (1, 1)
    assert "frozen" in refused.out + refused.err
    assert "p-nothing" in unknown.out + unknown.err
    assert exchange.orders() == []


def test_an_act_without_a_guard_gives_the_lease_back(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)

    assert stage.run("open", "paper", "AAPL", "10").code == 0

    assert is_free(stage)
    guard = stage.guarded()
    until(lambda: stage.is_protected(exchange), "the guard to go on from there", told=guard.tail)
    assert len(exchange.stops()) == 1


def test_an_act_without_a_broker_is_1_and_sends_nothing(stage: Stage) -> None:
    stage.settings("http://127.0.0.1:9")

    ran = stage.run("open", "paper", "AAPL", "10", "--wait", "2s")

    assert ran.code == 1
    assert "Traceback" not in ran.err


def test_scan_says_0_when_all_agree_1_when_not_and_3_when_it_cannot_tell(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    assert stage.run("scan").code == 0  # without a ledger, nothing held

    exchange.buy("AAPL")
    naked = stage.run("scan", "--json")
    assert naked.code == 1
    assert [each["kind"] for each in naked.document["breaks"]] == ["uncovered"]
    assert not stage.ledger.exists()  # it looked and left nothing

    guard = stage.guarded()
    until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)
    assert guard.stop() == 0
    head = stage.head()
    assert stage.run("scan").code == 0

    exchange.buy("SPY")
    found = stage.run("scan", "--json")
    assert found.code == 1
    assert {each["instrument"] for each in found.document["breaks"]} == {"SPY"}
    assert stage.head() == head  # nothing was recorded
    assert [order["symbol"] for order in exchange.stops()] == ["AAPL"]  # and nothing sent

    exchange.kill()
    unseen = stage.run("scan", "--json")
    assert unseen.code == 3
    assert unseen.document["unverified"]


def test_guard_once_looks_acts_and_ends(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    assert stage.run("guard", "--once").code == 0
    exchange.buy("AAPL")

    ran = stage.run("guard", "--once")

    assert ran.code == 0, ran
    assert stage.is_protected(exchange)
    assert is_free(stage)


def test_guard_once_without_a_broker_is_1_and_says_so(stage: Stage) -> None:
    stage.settings("http://127.0.0.1:9")

    ran = stage.run("guard", "--once")

    assert ran.code == 1
    assert "127.0.0.1:9" in ran.err
    assert "Traceback" not in ran.err
