"""Starting and stopping as an operator does it: what stays as it was, what is handed over, what is refused."""

import os
import signal
from decimal import Decimal

import apsw

from standfast.model.journal import Fact, GuardStarted, GuardStopped, PositionSettled, SessionSeen
from standfast.runtime.clock import monotonic
from standfast.runtime.worker import LEASE_WAIT
from standfast.stores.sqlite.reading import LedgerReader
from tests.acceptance.stage import BROKER_HOLDS, GUARD_HOLDS, PAPER, SECOND, Exchange, Stage, client_ids, until

OF_THE_GUARD = (GuardStarted, GuardStopped, SessionSeen)


def wait_until_all_is_read(exchange: Exchange, since: int) -> None:
    """Positions and orders twice, and the fills, since that many requests were answered."""

    def is_read() -> bool:
        asked = [row["operation"] for row in requests(exchange)[since:]]
        return asked.count("positions") >= 2 and asked.count("orders") >= 2 and "activities" in asked

    until(is_read, "everything to be read")


def requests(exchange: Exchange) -> list[dict[str, str]]:
    found: list[dict[str, str]] = exchange.ask("GET", "/sim/log")["requests"]
    return found


def test_ten_restarts_with_nothing_changed_send_no_order_and_add_no_fact_about_positions(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    for name in ("AAPL", "SPY", "MSFT"):
        exchange.buy(name)
    until(lambda: len(exchange.stops()) == 3 and stage.is_protected(exchange), "the stops", told=guard.tail)
    until(lambda: not stage.book().state.breaks, "the breaks to end", told=guard.tail)
    assert guard.stop() == 0
    orders, head = exchange.orders(), stage.head()

    for _ in range(10):
        since = len(requests(exchange))
        guard = stage.guarded()
        wait_until_all_is_read(exchange, since)
        assert guard.stop() == 0

    assert client_ids(exchange.orders()) == client_ids(orders)
    assert {o["id"]: o["status"] for o in exchange.orders()} == {o["id"]: o["status"] for o in orders}
    added = [entry.fact for entry in stage.entries(head)]
    assert [fact for fact in added if not isinstance(fact, OF_THE_GUARD)] == []
    assert sum(isinstance(fact, GuardStopped) for fact in added) == 10
    stage.assert_whole()


def test_sigterm_ends_with_0_and_gives_the_lease_back_at_once(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()

    assert guard.stop() == 0

    assert isinstance(last(stage), GuardStopped)
    with LedgerReader(stage.ledger) as reader:
        lease = reader.lease(PAPER)
    assert lease is not None
    assert lease.holder == ""


def last(stage: Stage) -> Fact:
    return stage.entries()[-1].fact


def test_what_only_the_guard_protects_gets_a_resting_stop_when_it_stops_and_loses_it_when_it_is_back(
    stage: Stage,
) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url, GUARD_HOLDS)
    guard = stage.guarded()
    exchange.buy("AAPL", 10)
    until(lambda: stage.held() == {"AAPL": Decimal(10)}, "the position in the books", told=guard.tail)
    assert exchange.stops() == []

    assert guard.stop() == 0

    (stop,) = exchange.stops("AAPL")
    assert (Decimal(stop["qty"]), Decimal(stop["stop_price"])) == (Decimal(10), Decimal("90.01"))
    assert stage.alarms("stops. Only it was protecting", "AAPL", "90.01")

    guard = stage.guarded()
    until(lambda: exchange.stops() == [], "the stop to be taken away", told=guard.tail)
    assert exchange.positions() == stage.held() == {"AAPL": Decimal(10)}

    exchange.quote("AAPL", "97.00", "97.02")
    (settled,) = until(lambda: stage.facts(PositionSettled), "the guard's own stop", told=guard.tail)
    assert settled.reason == "stop_loss"
    assert exchange.positions() == {}
    assert exchange.live() == []
    stage.assert_whole()


def test_a_second_guard_of_the_same_ledger_waits_for_the_lease_and_ends_with_79_or_guards_what_is_free(
    stage: Stage,
) -> None:
    exchange = stage.exchange("--account", "paper:key:secret", "--account", "second:key2:secret2")
    stage.settings(exchange.url)
    first = stage.guarded()

    second = stage.guard(stage.settings(exchange.url, file="same.toml"))
    began = monotonic()
    both = stage.guard(stage.settings(exchange.url, accounts=(PAPER, SECOND), file="both.toml"))

    exchange.buy("SPY", 5, account=SECOND)
    until(lambda: exchange.stops("SPY", SECOND), "the free account's stop, at once", told=both.tail)
    until(lambda: "waiting for the lease" in both.said(), "the wait", told=both.tail)
    assert second.ended() == 79
    assert "paper is guarded by" in second.said().splitlines()[-1]
    until(lambda: stage.alarms("paper is not guarded by this guard", account=SECOND), "the alarm", told=both.tail)
    assert monotonic() - began >= LEASE_WAIT.total_seconds()  # no sooner: a predecessor may still let go
    exchange.buy("AAPL")
    until(lambda: stage.is_protected(exchange), "the first to go on guarding", told=first.tail)

    assert first.stop() == 0
    exchange.buy("MSFT")
    until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "the takeover", told=both.tail)
    assert len(both.workers()) == 1
    assert both.stop() == 0
    stage.assert_whole()


def test_an_account_whose_journal_was_changed_is_left_out_aloud_and_the_others_are_guarded(stage: Stage) -> None:
    exchange = stage.exchange("--account", "paper:key:secret", "--account", "second:key2:secret2")
    both = stage.settings(exchange.url, accounts=(PAPER, SECOND))
    guard = stage.guard(both).wait_guarding()
    exchange.buy("AAPL")
    until(lambda: stage.is_protected(exchange), "the first account's stop", told=guard.tail)
    assert guard.stop() == 0
    change_the_first_entry(stage, PAPER)

    guard = stage.guard(both)
    exchange.buy("SPY", 5, account=SECOND)
    until(lambda: exchange.stops("SPY", SECOND), "the other account's stop", told=guard.tail)
    said = until(lambda: stage.alarms("not guarded", "damaged", account=SECOND), "the alarm", told=guard.tail)
    assert "paper: entry 1 was changed after it was written" in said[0]
    assert "rebuild --from-broker" in said[0]
    assert guard.stop() == 0

    alone = stage.guard(stage.settings(exchange.url, file="alone.toml"))
    until(lambda: "paper: entry 1 was changed" in alone.said(), "why nothing is guarded", told=alone.tail)


def change_the_first_entry(stage: Stage, account: str) -> None:
    """And throw the saved books away, so that a start has to read it."""
    connection = apsw.Connection(str(stage.ledger))
    connection.execute("DROP TRIGGER commits_are_not_changed")
    connection.execute(
        "UPDATE commits SET packed = replace(packed, '0.', '1.') WHERE account = ? AND number < 4", [account]
    )
    connection.execute("DELETE FROM books WHERE account = ?", [account])
    connection.close()


def test_a_guard_that_wakes_up_after_another_has_taken_over_sends_nothing_and_ends_with_79(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    sleeper = stage.guarded()
    worker = sleeper.worker()
    for process in (sleeper.popen.pid, worker):
        os.kill(process, signal.SIGSTOP)
    heir = stage.guard(stage.settings(exchange.url, file="same.toml")).wait_guarding()

    for process in (worker, sleeper.popen.pid):
        os.kill(process, signal.SIGCONT)

    assert sleeper.ended() == 79
    assert "guarded by" in sleeper.said()
    assert "Traceback" not in sleeper.said()
    exchange.buy("AAPL")
    until(lambda: stage.is_protected(exchange), "the heir to guard", told=heir.tail)
    assert heir.stop() == 0
    stage.assert_whole()


def test_settings_that_cannot_be_used_end_with_78_and_say_what_to_do(stage: Stage) -> None:
    stage.settings("http://127.0.0.1:9", 'exits_held_by = "broker"\nstop_los = "2%"\n')

    guard = stage.guard()

    assert guard.ended() == 78
    assert "stop_los" in guard.said()
    assert "stop_loss" in guard.said()  # the remedy


def test_a_settings_file_that_is_not_there_ends_with_78(stage: Stage) -> None:
    guard = stage.guard()

    assert guard.ended() == 78
    assert "standfast.toml" in guard.said()


def test_a_wrong_command_line_ends_with_2(stage: Stage) -> None:
    assert stage.run("guard", "--twice").code == 2


def test_sighup_moves_the_resting_stop_to_the_new_policy(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    exchange.buy("AAPL")
    until(lambda: stop_prices(exchange) == [Decimal("98.01")], "the stop", told=guard.tail)

    stage.settings(exchange.url, BROKER_HOLDS.replace("2%", "5%"))
    guard.send(signal.SIGHUP)

    until(lambda: stop_prices(exchange) == [Decimal("95.01")], "the stop to move", told=guard.tail)
    assert stage.is_protected(exchange)


def test_sighup_reaches_an_account_whose_lease_is_still_waited_for(stage: Stage) -> None:
    exchange = stage.exchange("--account", "paper:key:secret", "--account", "second:key2:secret2")
    stage.settings(exchange.url)
    first = stage.guarded()
    both = stage.guard(stage.settings(exchange.url, accounts=(PAPER, SECOND), file="both.toml"))
    until(lambda: "waiting for the lease" in both.said(), "the wait", told=both.tail)

    stage.settings(exchange.url, BROKER_HOLDS.replace("2%", "5%"), accounts=(PAPER, SECOND), file="both.toml")
    until(lambda: len(both.workers()) == 1, "the worker", told=both.tail)
    both.send(signal.SIGHUP)
    until(lambda: "settings reloaded" in both.said(), "the reload", told=both.tail)
    assert first.stop() == 0
    exchange.buy("AAPL")

    until(lambda: stop_prices(exchange) == [Decimal("95.01")], "a stop by the new policy", told=both.tail)


def test_sighup_with_a_bad_file_is_refused_and_the_old_settings_go_on(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    worker = guard.worker()

    stage.settings(exchange.url, 'exits_held_by = "nobody"\n')
    guard.send(signal.SIGHUP)

    until(lambda: "the old ones go on" in guard.said(), "the refusal", told=guard.tail)
    until(lambda: stage.alarms("The settings were not reloaded", "nobody"), "its alarm", told=guard.tail)
    exchange.buy("AAPL")
    until(lambda: stop_prices(exchange) == [Decimal("98.01")], "the old policy's stop", told=guard.tail)
    assert guard.worker() == worker


def stop_prices(exchange: Exchange) -> list[Decimal]:
    return [Decimal(order["stop_price"]) for order in exchange.stops()]
