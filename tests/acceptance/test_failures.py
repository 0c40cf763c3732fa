"""Nothing fails silently (P6): a hung loop, a broker that is gone or silent, a dead alert service, a full disk."""

import os
import signal
from datetime import timedelta
from decimal import Decimal

from standfast.model.breaks import BreakKind
from standfast.model.journal import AlertFailed, AlertRaised, BreakSeen, GuardingBegan
from tests.acceptance.stage import SECOND, Stage, client_ids, is_running, until
from tests.acceptance.wires import Line, Webhook

# How soon blindness is seen and told is proven in virtual time: tests/sim/test_blindness.py.


def blind_from(stage: Stage, after: int) -> int | None:
    """The entry after this one with which the books went blind for the account as a whole."""
    for entry in stage.entries(after):
        fact = entry.fact
        if isinstance(fact, BreakSeen) and fact.finding.kind is BreakKind.BLIND and fact.finding.holding is None:
            return entry.number
    return None


def alarm_of(stage: Stage, after: int, *words: str) -> int | None:
    """The first entry after this one that is an alarm with these words."""
    for entry in stage.entries(after):
        if isinstance(entry.fact, AlertRaised) and all(word in entry.fact.text for word in words):
            return entry.number
    return None


def is_blind(stage: Stage) -> bool:
    return any(b.finding.kind is BreakKind.BLIND and not b.finding.holding for b in stage.book().state.breaks.values())


def test_a_hung_worker_is_killed_and_replaced_and_people_are_told(stage: Stage) -> None:
    exchange = stage.exchange()
    with Webhook() as webhook:
        stage.settings(exchange.url, alerts=(webhook.url,))
        guard = stage.guarded()
        exchange.buy("AAPL")
        until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)
        hung = guard.worker()

        os.kill(hung, signal.SIGSTOP)

        until(lambda: len(guard.workers()) == 2, "another worker", told=guard.tail)
        assert not is_running(hung)
        guard.wait_guarding()
        until(lambda: webhook.texts("was restarted", "no heartbeat for 10 s"), "the alarm", told=guard.tail)
        exchange.buy("SPY")
        until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "both stops", told=guard.tail)
    stage.assert_whole()


def test_a_broker_that_cannot_be_reached_is_blindness_and_an_alarm_and_passes_by_itself(stage: Stage) -> None:
    exchange = stage.exchange()
    with Line(exchange.port) as line:
        stage.settings(line.url)
        guard = stage.guarded()
        exchange.buy("AAPL")
        until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)
        before, head = client_ids(exchange.orders()), stage.head()

        line.cut()

        seen = until(lambda: blind_from(stage, head), "the blindness", told=guard.tail)
        until(lambda: alarm_of(stage, seen, "the broker cannot be read"), "the alarm, after it", told=guard.tail)
        assert stage.held() == {"AAPL": Decimal(10)}
        exchange.buy("SPY")  # while nobody sees it

        line.mend()

        until(lambda: not is_blind(stage), "sight again", told=guard.tail)
        until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "both stops", told=guard.tail)
        assert before.items() <= client_ids(exchange.orders()).items()
        assert len(guard.workers()) == 1
    stage.assert_whole()


def test_a_broker_that_takes_connections_and_never_answers_is_blindness_too(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    exchange.buy("AAPL")
    until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)
    head = stage.head()

    exchange.send(signal.SIGSTOP)

    seen = until(lambda: blind_from(stage, head), "the blindness", told=guard.tail)
    until(lambda: alarm_of(stage, seen, "the broker cannot be read"), "the alarm, after it", told=guard.tail)
    exchange.send(signal.SIGCONT)
    until(lambda: not is_blind(stage), "sight again", told=guard.tail)
    exchange.buy("SPY")
    until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "both stops", told=guard.tail)
    assert len(guard.workers()) == 1


def test_an_exchange_that_comes_back_without_its_positions_is_doubted_and_not_believed(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    exchange.buy("AAPL")
    until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)
    was = exchange.now()

    exchange.kill()
    other = stage.exchange("--account", "paper:key:secret", "--account", "second:key2:secret2", port=exchange.port)
    other.ask("POST", "/sim/advance", {"to": (was + timedelta(seconds=60)).isoformat()})
    for _ in range(5):  # it counts its orders anew, and an id that was another order's would not be believed
        other.buy("MSFT", account=SECOND)

    until(lambda: stage.alarms("AAPL", "stays booked until fills prove it flat"), "the alarm", told=guard.tail)
    assert stage.held() == {"AAPL": Decimal(10)}
    other.buy("SPY")
    until(lambda: other.stops("SPY"), "the new position's stop", told=guard.tail)
    assert not other.live("AAPL")  # no order for what may not be there
    stage.assert_whole()


def test_a_first_start_without_the_broker_waits_and_says_so_and_can_be_stopped(stage: Stage) -> None:
    exchange = stage.exchange(clock="real")
    with Line(exchange.port) as line, Webhook() as webhook:
        stage.settings(line.url, alerts=(webhook.url,), more="")  # by the machine's own clock, as with a real broker
        line.cut()
        guard = stage.guard()
        until(lambda: webhook.texts("cannot be read"), "the alarm", told=guard.tail)
        assert guard.stop() == 0

        guard = stage.guard()
        until(lambda: "cannot begin yet" in guard.said(), "the second to wait as well", told=guard.tail)
        line.mend()
        until(lambda: stage.facts(GuardingBegan), "the guard to begin", told=guard.tail)
        exchange.buy("AAPL")
        until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)
        assert len(guard.workers()) == 1


def test_a_guard_that_is_started_before_the_simulated_exchange_waits_for_it(stage: Stage) -> None:
    exchange = stage.exchange()
    with Line(exchange.port) as line:
        stage.settings(line.url)
        line.cut()
        guard = stage.guard()
        until(lambda: "does not answer yet" in guard.said(), "the guard to wait", told=guard.tail)
        line.mend()
        guard.wait_guarding()
        assert len(guard.workers()) == 1


def test_a_guard_that_waits_for_the_broker_can_be_stopped(stage: Stage) -> None:
    stage.settings("http://127.0.0.1:9")  # nobody listens there
    guard = stage.guard()
    until(lambda: "does not answer yet" in guard.said(), "the guard to wait", told=guard.tail)

    assert guard.stop() == 0


def test_a_restart_without_the_broker_brings_the_books_back_and_goes_on_when_it_answers(stage: Stage) -> None:
    exchange = stage.exchange()
    with Line(exchange.port) as line:
        stage.settings(line.url)
        guard = stage.guarded()
        exchange.buy("AAPL")
        until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)
        guard.stop()
        stage.settings(line.url, more="")
        before, head = client_ids(exchange.orders()), stage.head()
        line.cut()

        guard = stage.guarded()

        until(lambda: alarm_of(stage, head, "the broker cannot be read"), "the alarm", told=guard.tail)
        assert stage.held() == {"AAPL": Decimal(10)}
        line.mend()
        until(lambda: not is_blind(stage), "sight again", told=guard.tail)
        assert client_ids(exchange.orders()) == before
        assert guard.stop() == 0


def test_an_alert_service_that_fails_is_tried_again_and_holds_nothing_up(stage: Stage) -> None:
    exchange = stage.exchange()
    with Webhook() as webhook:
        webhook.works = False
        stage.settings(exchange.url, alerts=(webhook.url,))
        guard = stage.guarded()
        os.kill(guard.worker(), signal.SIGKILL)  # what causes an alarm
        until(lambda: webhook.refused >= 2, "two refusals", told=guard.tail)

        exchange.buy("AAPL")
        until(lambda: stage.is_protected(exchange), "the stop, meanwhile", told=guard.tail)
        assert stage.facts(AlertFailed)

        webhook.works = True
        until(lambda: webhook.texts("was restarted"), "the alarm to arrive", told=guard.tail)
        assert len(webhook.texts("was restarted")) == 1
