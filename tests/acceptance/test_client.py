"""The library as a bot uses it: a process that asks, a guard in its own that answers, a served exchange."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

import standfast
from standfast import Client
from standfast.desk import asking, ledger
from standfast.desk.acts import Wanted, opening
from standfast.model.ids import AccountId, RequestId
from standfast.model.journal import OpeningRequested, RequestTaken
from tests.acceptance import test_bybit, test_spreads
from tests.acceptance.perpetuals import LONG, NAME, SHORT, Place
from tests.acceptance.stage import PATIENCE, Exchange, Stage, until
from tests.cli.running import environment

place, desk = test_bybit.place, test_spreads.desk  # the stages of their exchanges
TEN = {"AAPL": Decimal(10)}


def bot(stage: Stage, *, patience: float = PATIENCE) -> Client:
    return standfast.connect(
        str(stage.config), "paper", by="a bot", strategy="trend", patience=patience, good_for=2 * PATIENCE
    )


@pytest.fixture
def exchange(stage: Stage) -> Exchange:
    """An exchange with a guarded account."""
    started = stage.exchange()
    stage.settings(started.url)
    stage.guarded()
    return started


def entries_of(exchange: Exchange) -> list[str]:
    """Orders that opened something: their client ids."""
    return [order["client_order_id"] for order in exchange.orders() if order["side"] == "buy"]


# --- open, protect, close -------------------------------------------------------------------------


def test_an_opening_is_answered_and_then_proven_with_its_live_stop(stage: Stage, exchange: Exchange) -> None:
    guard = bot(stage)

    answer = guard.open("aapl", 10, id="signal 7", stop="97.50")
    assert (answer.accepted, answer.reasons, answer.id) == (True, (), "signal 7")
    proof = answer.wait(PATIENCE)

    assert exchange.positions() == stage.held() == TEN
    (stop,) = exchange.stops("AAPL")
    assert (Decimal(stop["qty"]), Decimal(stop["stop_price"])) == (Decimal(10), Decimal("97.50"))
    assert "order filled 10, executions 10, the list of positions shows +10" in proof.detail
    assert proof.position is not None
    assert (proof.position.id, proof.position.strategy) == (answer.position_id, "trend")
    assert (proof.position.quantity, proof.position.direction) == (Decimal(10), "long")
    assert (proof.position.protection.covered, proof.position.protection.stop_price) == (True, Decimal("97.50"))
    assert {(order.role, order.filled) for order in proof.orders} == {("open", Decimal(10)), ("stop", Decimal(0))}
    assert guard.positions() == [proof.position]
    assert [order.stop_price for order in guard.orders()] == [Decimal("97.50")]
    (asked,) = stage.facts(OpeningRequested)
    assert (asked.by, asked.key) == ("a bot", "signal 7")


def test_a_position_is_reduced_moved_and_closed_and_each_is_proven(stage: Stage, exchange: Exchange) -> None:
    guard = bot(stage)
    position = guard.open("AAPL", 10, id="one").wait(PATIENCE).position
    assert position is not None

    guard.protect(position, stop="95").wait(PATIENCE)
    assert [Decimal(stop["stop_price"]) for stop in exchange.stops("AAPL")] == [Decimal(95)]
    guard.close(position, 4, id="a part").wait(PATIENCE)
    guard.close(position, 4, id="a part").wait(PATIENCE)  # the same close
    assert exchange.positions() == stage.held() == {"AAPL": Decimal(6)}
    more = guard.close(position, 7)
    assert (bool(more), more.reasons) == (False, ("quantity 7 is not between 0 and 6 held",))
    proof = guard.close(position, reason="the signal is over").wait(PATIENCE)

    assert exchange.positions() == stage.held() == {}
    assert exchange.live() == []
    assert proof.position is not None
    assert (proof.position.phase, proof.position.close_reason) == ("closed", "operator")
    again = guard.close(position)
    assert again.reasons == (f"{position.id} is closed already",)
    stage.assert_whole()


def test_a_refusal_names_every_reason_at_once_and_sends_nothing(stage: Stage, exchange: Exchange) -> None:
    guard = bot(stage)
    guard.freeze(reason="news; wait").wait(PATIENCE)
    guard.freeze("AAPL").wait(PATIENCE)

    answer = guard.open("AAPL", 100_000, id="too much", stop=200)

    assert not answer
    frozen, instrument, stop, *more, money = answer.reasons
    assert frozen == "the account is frozen by a bot: news; wait"
    assert instrument == "AAPL is frozen by a bot"
    assert stop.startswith("stop 200 is not beyond ")
    assert money.startswith("buying power: "), more
    with pytest.raises(standfast.Refused, match=r"paper: open was refused: the account is frozen") as refused:
        answer.wait(PATIENCE)
    assert refused.value.reasons == answer.reasons
    assert exchange.orders() == []
    guard.thaw().wait(PATIENCE)
    assert guard.thaw().reasons == ("the account is not frozen",)


# --- one id, one act --------------------------------------------------------------------------------


def test_the_same_id_is_the_same_opening_and_another_one_under_it_is_an_error(stage: Stage, exchange: Exchange) -> None:
    first = bot(stage).open("AAPL", 10, id="one")
    first.wait(PATIENCE)

    again = bot(stage).open("AAPL", "10", id="one")
    assert again == first
    assert again.wait(PATIENCE).detail == first.wait(PATIENCE).detail
    for instrument, quantity in (("AAPL", 20), ("SPY", 10)):
        with pytest.raises(standfast.AskedOtherwise, match="nothing new was asked"):
            bot(stage).open(instrument, quantity, id="one")
    by_hand = stage.run("open", "paper", "AAPL", "10", "--id", "one")
    assert by_hand.code == 0, by_hand

    assert exchange.positions() == TEN
    assert len(entries_of(exchange)) == 1


def test_a_refusal_stays_one_however_often_it_is_asked_again(stage: Stage, exchange: Exchange) -> None:
    guard = bot(stage)
    guard.freeze().wait(PATIENCE)
    refused = guard.open("AAPL", 10, id="one")
    guard.thaw().wait(PATIENCE)

    assert guard.open("AAPL", 10, id="one") == refused
    assert not refused
    guard.open("AAPL", 10, id="another").wait(PATIENCE)
    assert len(entries_of(exchange)) == 1


def test_many_threads_that_ask_the_same_have_one_answer_and_one_position(stage: Stage, exchange: Exchange) -> None:
    guard = bot(stage)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(guard.open, "AAPL", 10, id="one") for _ in range(8)]
        answers = {each.result() for each in asked}

    (answer,) = answers
    answer.wait(PATIENCE)
    assert exchange.positions() == TEN
    assert len(entries_of(exchange)) == 1


DIES = """\
import os, signal, sys, standfast
from standfast.desk import asking
put = asking.put
def put_and_die(*given, **named):
    put(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
asking.put = put_and_die
standfast.connect(sys.argv[1], "paper", strategy="trend").open("AAPL", 10, id="one")
"""


def test_a_bot_that_dies_between_asking_and_the_answer_asks_again_and_holds_it_once(
    stage: Stage, exchange: Exchange
) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, str(stage.config)], env=environment(), check=False)
    assert died.returncode == -9

    answer = bot(stage).open("AAPL", 10, id="one")

    assert answer.wait(PATIENCE).position is not None
    assert exchange.positions() == stage.held() == TEN
    assert len(entries_of(exchange)) == len(stage.facts(OpeningRequested)) == 1


# --- guards that come and go ------------------------------------------------------------------------


def test_a_guard_killed_after_its_answer_leaves_the_proof_to_the_next_one(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    resting = bot(stage).open("AAPL", 10, limit="99", id="one")
    until(lambda: exchange.live("AAPL"), "the order to rest", told=guard.tail)

    guard.kill()
    until(lambda: not bot(stage).is_guarded(), "its process to be gone")
    exchange.quote("AAPL", "98.97", "98.99")
    with pytest.raises(standfast.Unproven, match="accepted, and not proven within 0 s"):
        resting.wait(0)
    with pytest.raises(standfast.NoGuard, match=r"paper: no guard holds this account .*nothing was asked.* Start one"):
        bot(stage, patience=0).open("AAPL", 10, id="two")
    stage.guard()

    assert resting.wait(PATIENCE).position is not None
    assert exchange.positions() == TEN
    assert len(entries_of(exchange)) == 1


def test_an_act_waits_for_a_guard_that_is_on_its_way(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    guard.kill()
    until(lambda: not bot(stage).is_guarded(), "its process to be gone")
    stage.guard()

    assert bot(stage).open("AAPL", 10, id="one").wait(PATIENCE).position is not None


def test_with_no_guard_nothing_is_asked_and_old_books_are_read_only_on_demand(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = bot(stage, patience=0)
    for act in (partial(guard.open, "AAPL", 10, id="one"), guard.positions, guard.flatten):
        with pytest.raises(standfast.NoGuard, match="standfast guard"):
            act()
    assert not guard.is_guarded()
    assert not stage.ledger.exists()

    running = stage.guarded()
    assert guard.is_guarded()
    bot(stage).open("AAPL", 10, id="one").wait(PATIENCE)
    assert running.stop() == 0

    with pytest.raises(standfast.NoGuard, match="may be long out of date"):
        guard.positions()
    (position,) = guard.positions(unguarded_too=True)
    assert (position.quantity, position.protection.held_by) == (Decimal(10), "broker")
    with pytest.raises(standfast.NoGuard):
        guard.close(position)
    assert exchange.positions() == TEN


def test_what_meets_its_guard_too_late_is_not_opened(stage: Stage, exchange: Exchange) -> None:
    late = Wanted(key="late", until=ledger.now() - timedelta(seconds=1))
    act = opening(AccountId("paper"), "AAPL", Decimal(10), late)
    request = RequestId("late")

    asking.put(stage.ledger, act, request, by="a bot", at=ledger.now())

    until(lambda: [fact for fact in stage.facts(RequestTaken) if fact.request == request], "the act to be taken")
    told = stage.run("explain", request)
    assert "it was good until" in told.out
    assert exchange.orders() == []
    assert stage.facts(OpeningRequested) == []


def test_an_opening_that_has_not_filled_is_withdrawn_by_closing_it(stage: Stage, exchange: Exchange) -> None:
    guard = bot(stage)
    answer = guard.open("AAPL", 10, limit="50", id="far away")
    assert answer.position_id is not None
    with pytest.raises(standfast.Unproven):
        answer.wait(0)

    guard.close(answer.position_id)

    with pytest.raises(standfast.NotDone, match="came to nothing"):
        answer.wait(PATIENCE)
    assert exchange.positions() == {}
    assert exchange.live() == []


# --- beside an event loop, spreads, perpetual futures -----------------------------------------------


def test_a_bot_with_an_event_loop_awaits_the_same(stage: Stage, exchange: Exchange) -> None:
    async def trade() -> None:
        guard = standfast.connect_async(str(stage.config), strategy="trend", patience=PATIENCE, good_for=PATIENCE)
        async with asyncio.TaskGroup() as both:
            first = both.create_task(_opened(guard, "AAPL"))
            second = both.create_task(_opened(guard, "SPY"))
        assert {each.instrument for each in await guard.positions()} == {"AAPL", "SPY"}
        assert first.result().position is not None
        assert second.result().position is not None
        await (await guard.flatten()).wait(PATIENCE)
        with pytest.raises(standfast.Misasked, match="a float"):
            guard.open("AAPL", 1.5, id="x")  # type: ignore[arg-type]  # what is tested

    asyncio.run(trade())

    assert exchange.positions() == stage.held() == {}


async def _opened(guard: standfast.AsyncClient, instrument: str) -> standfast.Proof:
    return await (await guard.open(instrument, 2, id=f"open {instrument}")).wait(PATIENCE)


def test_a_spread_is_asked_for_by_its_legs_and_closed_as_one(desk: test_spreads.Desk) -> None:
    venue, running = test_spreads.guarded(desk)
    guard = bot(desk)

    legs = {test_spreads.SOLD: -1, test_spreads.BOUGHT: 1}
    answer = guard.open_spread(legs, units=3, credit="3.70", stop="-5.00", id="condor")
    proof = answer.wait(PATIENCE)

    assert proof.position is not None, running.tail()
    assert (proof.position.kind, proof.position.units) == ("vertical", Decimal(3))
    assert {leg.instrument: leg.quantity for leg in proof.position.legs} == {name: 3 * n for name, n in legs.items()}
    assert proof.position.protection.stop_price == Decimal("-5.00")
    assert guard.open_spread(dict(reversed(legs.items())), units=3, credit="3.7", stop=-5, id="condor") == answer
    assert len(test_spreads.spreads(venue)) == 1
    guard.close(proof.position).wait(PATIENCE)
    assert venue.positions() == desk.held() == {}


def test_each_side_of_a_hedged_perpetual_is_opened_by_its_name(place: Place) -> None:
    venue = place.venue()
    venue.ask("POST", "/sim/mode", {"instrument": "BTCUSDT", "hedged": True})
    place.at(venue)
    place.guarded()
    guard = bot(place)

    long = guard.open(LONG, "0.02", id="long").wait(PATIENCE)
    short = guard.open(SHORT, "-0.03", id="short").wait(PATIENCE)

    wrong = guard.open(LONG, "-0.02", id="wrong")
    assert wrong.reasons[0] == f"{LONG} is opened by buying: the quantity has the other sign"
    assert venue.held() == {1: Decimal("0.02"), 2: Decimal("-0.03")}
    assert place.stops() == {LONG: Decimal("0.02"), SHORT: Decimal("0.03")}
    assert [each.quantity for each in guard.positions()] == [Decimal("0.02"), Decimal("-0.03")]
    for proof in (long, short):
        assert proof.position is not None
        guard.close(proof.position).wait(PATIENCE)
    assert venue.held() == {}
    with pytest.raises(standfast.NotDone, match="position mode"):
        guard.open(NAME, "0.02", id="neither side").wait(PATIENCE)
