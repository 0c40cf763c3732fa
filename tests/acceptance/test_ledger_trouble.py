"""What cannot be recorded is not done: a ledger that cannot be written ends the guard, visibly, every time."""

import resource
from pathlib import Path

import pytest

from tests.acceptance.stage import FOLLOWING, Guard, Stage, client_ids, is_running, until
from tests.acceptance.wires import Webhook

NO_FILES = Path("/proc")
"""A folder in which no file can be made, whoever asks."""
ROOM = 65_536
"""Bytes from the start of a file that can be written: enough for the processes' log, and the ledger is beyond it."""


def fill_disk(guard: Guard) -> None:
    """Nothing can be written at the ledger's end any more; parent first, so that a new worker inherits it."""
    for process in (guard.popen.pid, guard.worker()):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))


def make_room(guard: Guard) -> None:
    resource.prlimit(guard.popen.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_a_full_disk_ends_the_worker_with_words_and_nothing_is_sent_that_is_not_recorded(
    stage: Stage, webhook: Webhook
) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url, alerts=(webhook.url,))
    guard = stage.guarded()
    exchange.buy("AAPL")
    until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)
    first = guard.worker()
    before = client_ids(exchange.orders())

    fill_disk(guard)
    exchange.buy("SPY")

    until(lambda: len(guard.workers()) > 1, "the worker to end and another to be tried", told=guard.tail)
    assert not is_running(first)
    assert "JournalUnavailable" in guard.said()
    assert '"the worker is restarted"' in guard.said()
    until(lambda: webhook.texts("The ledger fails", "nothing is guarded"), "the last word", told=guard.tail)
    recorded = {order.id for order in stage.book().state.orders.values()}
    ours = {id for id in client_ids(exchange.orders()) if id.startswith("sf")} - before.keys()
    assert ours <= recorded

    make_room(guard)
    until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "both stops", told=guard.tail)
    assert guard.stop() == 0
    stage.assert_whole()


@pytest.mark.skipif(not NO_FILES.is_dir(), reason="no folder here that not even root can write into")
def test_a_folder_that_cannot_be_written_is_said_at_the_start_and_told(stage: Stage, webhook: Webhook) -> None:
    exchange = stage.exchange()
    place = f'\n[ledger]\nurl = "sqlite:///{NO_FILES / "standfast.db"}"\n'
    stage.settings(exchange.url, alerts=(webhook.url,), more=FOLLOWING + place)

    guard = stage.guard()

    until(lambda: "the worker is restarted" in guard.said(), "the failure", told=guard.tail)
    assert f"JournalUnavailable: cannot create the ledger {NO_FILES}" in guard.said()
    until(lambda: webhook.texts("The ledger fails"), "the last word", told=guard.tail)
    until(lambda: len(guard.workers()) == 3, "another try", told=guard.tail)
    assert len(webhook.texts("The ledger fails")) == 1  # once, not with every try


def test_a_ledger_whose_place_is_taken_by_something_else_ends_a_first_start(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    stage.ledger.write_bytes(b"this is no ledger, and somebody may need it\n" * 100)

    guard = stage.guard()

    assert guard.ended() == 78
    assert f'ledger.url = "sqlite:///{stage.ledger}"' in guard.said()
    assert "Name another file" in guard.said()
    assert stage.ledger.read_bytes().startswith(b"this is no ledger")
    assert exchange.orders() == []
