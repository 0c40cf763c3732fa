"""A guard that is stopped for longer than its lease lasts, as by a laptop's lid or a snapshot of its machine: the next
one takes over, and the one that wakes writes nothing and sends nothing (S8)."""

import os
import signal

from standfast.model.ids import RequestId
from standfast.model.journal import PositionSettled
from standfast.ports import Request
from standfast.stores.sqlite.requesting import put_request
from tests.acceptance.stage import PAPER, Exchange, Guard, Stage, client_ids, is_running, until


def test_a_guard_that_sleeps_through_its_lease_writes_and_sends_nothing_when_it_wakes(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    first = stage.guarded()
    exchange.buy("AAPL")
    until(lambda: stage.is_protected(exchange), "the stop", told=first.tail)
    second = stage.guard(stage.settings(exchange.url, file="second.toml"))
    until(lambda: "waiting for the lease" in second.said(), "the second to wait", told=second.tail)

    asleep = put_to_sleep(first)
    leave_work_for(stage, exchange)
    second.wait_guarding()
    until(lambda: stage.facts(PositionSettled), "the close, by the second", told=second.tail)
    until(lambda: exchange.stops("SPY") and stage.is_protected(exchange), "the new stop", told=second.tail)
    orders, head, epoch = client_ids(exchange.orders()), stage.head(), stage.entries()[-1].epoch
    os.kill(asleep, signal.SIGCONT)
    first.send(signal.SIGCONT)

    until(lambda: not is_running(asleep), "the sleeper to end", told=first.tail)
    assert "no heartbeat" not in first.said()  # it ended by itself: its silence was not held against it
    assert "has the lease" in first.said()
    assert client_ids(exchange.orders()) == orders
    assert {entry.epoch for entry in stage.entries(head)} <= {epoch}
    exchange.buy("MSFT")
    until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "the second to go on", told=second.tail)
    assert second.stop() == 0
    stage.assert_whole()
    assert stage.judged()["lives"] == 2


def put_to_sleep(guard: Guard) -> int:
    """Parent and worker; the worker's process id. The parent first, or it would replace the worker."""
    worker = guard.worker()
    guard.send(signal.SIGSTOP)
    os.kill(worker, signal.SIGSTOP)
    return worker


def leave_work_for(stage: Stage, exchange: Exchange) -> None:
    """What the sleeper will find when it wakes: a purchase on its stream, and an act in its ledger."""
    exchange.buy("SPY")
    position = stage.position("AAPL")
    assert position is not None
    close = {"position": position.id}
    id = RequestId("r1")
    put_request(
        stage.ledger, Request(id=id, account=PAPER, verb="close", arguments=close, by="test", at=exchange.now())
    )
