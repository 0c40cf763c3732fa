"""kill -9 at any moment and another start: nothing lost, nothing doubled (P5). Only what is at the exchange and in the
ledger is judged, and only once everything has come to rest."""

import os
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from standfast.model.ids import RequestId
from standfast.model.journal import OrderIntended, RequestDone, RequestTaken
from standfast.model.order import Role
from standfast.ports import Request
from standfast.stores.sqlite.requesting import put_request
from tests.acceptance.stage import PAPER, Exchange, Guard, Stage, client_ids, is_running, pause, until

INSTRUMENTS = tuple(f"T{number:02}" for number in range(60))
ROUNDS = 12
FRESH = int.from_bytes(os.urandom(4))
"""Another in every run; pytest names it with the test, and putting it here in its place plays it again."""
SLOW = [
    {"operation": operation, "fault": {"kind": "slow", "seconds": seconds, "late": late}, "probability": chance}
    for operation, seconds, late, chance in (
        ("submit", 4, "answer", 0.4),
        ("submit", 4, "request", 0.3),
        ("cancel", 3, "answer", 0.3),
    )
]
"""Exchange seconds between a request and its answer, or its arrival: wide enough for a kill to fall in between."""
FIRST = datetime(2026, 1, 5, tzinfo=UTC)


class Workload:
    """What a bot and an operator do meanwhile, drawn from a seed."""

    def __init__(self, stage: Stage, exchange: Exchange, draw: Random) -> None:
        self.stage, self.exchange, self.draw = stage, exchange, draw
        self.asked: list[RequestId] = []
        self.bought = 0
        self.closing: set[str] = set()
        self.fresh = list(INSTRUMENTS)  # Alpaca refuses to buy more under a resting stop (wash trade)
        draw.shuffle(self.fresh)
        for name in INSTRUMENTS:
            exchange.quote(name, "49.99", "50.01")

    def act(self) -> None:
        """One thing: the bot buys, the operator opens, or a position is asked to be closed."""
        which = self.draw.choice(("buy", "open", "close", "close"))
        instrument = self.fresh.pop()
        if which == "buy":
            self.bought += 1
            self.exchange.buy(instrument, self.draw.randint(1, 9))
        elif which == "open":
            self.ask("open", instrument=instrument, quantity=str(self.draw.randint(1, 9)))
        else:
            self.close_one()

    def close_one(self) -> None:
        book = self.stage.book()
        found = [p for p in book.state.positions.values() if p.net and p.is_guarded and p.id not in self.closing]
        if found:
            position = self.draw.choice(found)
            self.closing.add(position.id)
            self.ask("close", position=position.id)

    def ask(self, verb: str, **arguments: str) -> None:
        number = len(self.asked)
        id = RequestId(f"r{number:03}")
        at = FIRST + timedelta(seconds=number)
        put_request(self.stage.ledger, Request(id=id, account=PAPER, verb=verb, arguments=arguments, by="test", at=at))
        self.asked.append(id)


def crowded(stage: Stage) -> Exchange:
    """An exchange of many instruments, and a guard's settings for it."""
    exchange = stage.exchange(*(f"--instrument={name}=50" for name in INSTRUMENTS))
    exchange.ask("POST", "/sim/faults", SLOW)
    stage.settings(exchange.url)
    return exchange


def kill_all(guard: Guard) -> None:
    """Parent and worker at one moment, as when a machine dies: neither sees the other end."""
    guard.send(signal.SIGSTOP)
    guard.kill()


def has_settled(stage: Stage, exchange: Exchange, work: Workload) -> bool:
    answered = {fact.request for fact in stage.facts(RequestDone)}
    busy = [o for o in stage.book().state.orders.values() if not o.is_settled]
    return answered >= set(work.asked) and not busy and stage.is_protected(exchange)


def assert_nothing_doubled(stage: Stage, exchange: Exchange, work: Workload) -> None:
    orders = exchange.orders()
    assert max(client_ids(orders).values()) == 1
    assert_never_short(exchange)
    done = {order["client_order_id"]: Decimal(order["filled_qty"]) for order in orders}
    closed: Counter[str] = Counter()
    for intent in stage.facts(OrderIntended):
        if intent.role is Role.CLOSE and done.get(intent.id):
            closed[intent.position] += 1
    assert not [position for position, times in closed.items() if times > 1], closed
    taken = Counter(fact.request for fact in stage.facts(RequestTaken))
    assert set(taken.values()) <= {1}, taken


def assert_never_short(exchange: Exchange) -> None:
    """No close went through zero: the true net of every instrument, fill by fill."""
    net: Counter[str] = Counter()
    for fill in exchange.ask("GET", "/sim/truth")["accounts"]["paper"]["fills"]:
        net[fill["instrument"]] += int(Decimal(fill["quantity"]))
        assert net[fill["instrument"]] >= 0, fill


@pytest.mark.parametrize("seed", [1, FRESH])
def test_killed_with_its_parent_at_random_moments_it_loses_and_doubles_nothing(stage: Stage, seed: int) -> None:
    exchange, draw = crowded(stage), Random(seed)
    guard = stage.guarded()
    work = Workload(stage, exchange, draw)
    lived = 1

    for _ in range(ROUNDS):
        for _ in range(draw.randint(1, 3)):
            work.act()
            pause(draw.random() * 0.1)
        pause(draw.random() * 0.4)
        kill_all(guard)
        before = stage.held()
        guard = stage.guard()
        if draw.random() < 0.6:
            guard.wait_guarding()
            lived += 1
            assert stage.held().keys() >= before.keys() - closable(work, stage)
        else:
            pause(draw.random() * 0.8)  # killed while it starts

    guard.wait_guarding()
    until(
        lambda: has_settled(stage, exchange, work),
        "everything to come to rest",
        told=lambda: (exchange.positions(), stage.held(), exchange.live(), guard.tail()),
    )
    assert_nothing_doubled(stage, exchange, work)
    assert guard.stop() == 0
    stage.assert_whole()
    seen = stage.judged()
    assert seen["lives"] >= lived  # one that is killed while it starts may not come to write a word
    assert seen["own orders"] >= max(1, work.bought)


def closable(work: Workload, stage: Stage) -> set[str]:
    """Instruments whose position may have ended since, because its close was asked for."""
    book = stage.book()
    places = {**book.state.positions, **book.state.closed}
    return {str(places[id].holding) for id in places if str(id) in work.closing}


def test_a_killed_worker_is_started_again_by_its_parent_and_goes_on(stage: Stage) -> None:
    exchange, draw = crowded(stage), Random(7)
    guard = stage.guarded()
    work = Workload(stage, exchange, draw)

    for times in (1, 2, 3):
        worker = guard.worker()
        exchange.buy(work.fresh.pop(), 3)
        work.act()
        pause(draw.random() * 0.3)
        os.kill(worker, signal.SIGKILL)
        wait_for_worker(guard, times + 1)
        guard.wait_guarding()

    until(lambda: has_settled(stage, exchange, work), "everything to come to rest", told=guard.tail)
    assert_nothing_doubled(stage, exchange, work)
    assert stage.alarms("was restarted", "killed by SIGKILL")
    assert guard.stop() == 0
    stage.assert_whole()
    assert stage.judged()["lives"] == 4


def wait_for_worker(guard: Guard, number: int) -> None:
    until(lambda: len(guard.workers()) == number, f"worker {number} to be started", told=guard.tail)


def test_a_killed_parent_takes_its_worker_with_it_and_the_next_guard_takes_over_at_once(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    exchange.buy("AAPL")
    until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)
    before = client_ids(exchange.orders())
    worker = guard.worker()

    guard.send(signal.SIGKILL)
    after = stage.guard().wait_guarding()

    assert not is_running(worker)
    assert after.worker() != worker
    exchange.buy("SPY")
    until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "both stops", told=after.tail)
    assert before.items() <= client_ids(exchange.orders()).items()
    assert after.stop() == 0
    stage.assert_whole()
