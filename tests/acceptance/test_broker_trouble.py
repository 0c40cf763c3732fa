"""A broker that misbehaves on a real wire: it hangs, loses connections, talks nonsense, refuses the keys, cannot be
found. The guard says so, does nothing it cannot prove, does not die of it, and is itself again afterwards."""

import json
import os
import resource
from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.model.journal import AlertRaised, FillBooked, GuardingBegan
from tests.acceptance.stage import Exchange, Guard, Stage, client_ids, until
from tests.acceptance.wires import Line

SILENCE: dict[str, object] = {"kind": "never_arrives"}


def everything(fault: dict[str, object]) -> dict[str, object]:
    return {"operation": "*", "fault": fault}


def protected(stage: Stage, exchange: Exchange, guard: Guard, *, stops: int) -> None:
    until(
        lambda: len(exchange.stops()) == stops and stage.is_protected(exchange),
        f"{stops} stops",
        told=lambda: (exchange.positions(), stage.held(), exchange.live(), guard.tail()),
    )


# --- it hangs ---------------------------------------------------------------------------------------


def test_a_broker_that_hangs_when_the_guard_starts_is_told_of_and_waited_for(stage: Stage) -> None:
    exchange = stage.exchange()
    exchange.trouble(everything(SILENCE))
    stage.settings(exchange.url)

    guard = stage.guard()

    until(lambda: "cannot begin yet" in guard.said(), "the guard to say so", told=guard.tail)
    (raised,) = until(lambda: stage.facts(AlertRaised), "the alarm", told=guard.tail)
    assert "the broker cannot be read" in raised.text
    assert "no answer within" in raised.text
    exchange.trouble()
    until(lambda: stage.facts(GuardingBegan), "the guard to begin", told=guard.tail)
    exchange.buy("AAPL")
    protected(stage, exchange, guard, stops=1)
    assert len(guard.workers()) == 1


def test_a_simulated_exchange_that_takes_the_connection_and_never_answers_is_told_of(stage: Stage) -> None:
    exchange = stage.exchange()
    with Line(exchange.port) as line:
        stage.settings(line.url)
        line.silence()
        guard = stage.guard()

        until(lambda: "does not answer yet" in guard.said(), "the guard to say so", told=guard.tail)

        line.mend()
        guard.wait_guarding()
        exchange.buy("AAPL")
        protected(stage, exchange, guard, stops=1)
        assert len(guard.workers()) == 1


def test_connections_that_go_nowhere_are_given_up_and_made_anew(stage: Stage) -> None:
    exchange = stage.exchange()
    with Line(exchange.port) as line:
        stage.settings(line.url)
        guard = stage.guarded()
        exchange.buy("AAPL")
        protected(stage, exchange, guard, stops=1)
        assert exchange.ask("GET", "/sim/listeners")["orders"] == {"paper": 1}

        line.lose()
        exchange.buy("SPY")

        protected(stage, exchange, guard, stops=2)
        # The exchange does not know yet that the first is dead: nobody hung up.
        until(lambda: exchange.ask("GET", "/sim/listeners")["orders"]["paper"] == 2, "the stream anew", told=guard.tail)
        assert len(guard.workers()) == 1
        assert guard.stop() == 0
    stage.judged()


# --- it talks nonsense ------------------------------------------------------------------------------

ROW = {"asset_id": "904837e3-3b76-47ec-b432-046db621571b", "symbol": "MSFT", "qty": "7", "side": "long"}
NONSENSE = (
    "<html><body>Scheduled maintenance</body></html>",
    '[{"symbol": "AAPL", "qty": "1',
    "null",
    "NaN",
    '[{"symbol": "AAPL", "qty": NaN, "avg_entry_price": "1e400"}]',
    "{}",
    "",
    "[[[[[[[[",
)


def garbled(body: str) -> dict[str, object]:
    return {"kind": "garbled", "body": body, "content_type": "text/html" if "<" in body else "application/json"}


def test_nonsense_on_every_line_loses_and_doubles_nothing_and_ends_no_worker(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    exchange.buy("AAPL")
    protected(stage, exchange, guard, stops=1)

    since = exchange.now()
    exchange.trouble(*(everything(garbled(body)) | {"probability": 0.15} for body in NONSENSE))
    exchange.ask("POST", "/sim/order", {"instrument": "SPY", "side": "buy", "quantity": "3"})  # past the nonsense
    until(lambda: stage.asked(since).total() >= 60, "much of it to be read", told=guard.tail)
    exchange.trouble()

    protected(stage, exchange, guard, stops=2)
    assert exchange.positions() == {"AAPL": Decimal(10), "SPY": Decimal(3)}
    assert max(client_ids(exchange.orders()).values()) == 1
    assert len(guard.workers()) == 1, guard.tail()
    assert guard.stop() == 0
    stage.judged()


def test_one_answer_from_another_account_moves_nothing(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    exchange.buy("AAPL")
    protected(stage, exchange, guard, stops=1)
    row = ROW | {"avg_entry_price": "200", "market_value": "1400", "cost_basis": "1400", "current_price": "200"}
    before, since = client_ids(exchange.orders()), exchange.now()

    exchange.trouble({"operation": "positions", "fault": garbled(json.dumps([row])), "count": 1})

    until(lambda: stage.asked(since)["positions"] >= 6, "it to be read, and the truth after it", told=guard.tail)
    until(lambda: not stage.book().state.breaks, "the difference to end", told=guard.tail)
    assert client_ids(exchange.orders()) == before
    assert stage.held() == {"AAPL": Decimal(10)}
    assert guard.stop() == 0
    stage.judged()


FLOOD = 10_000


def test_a_flood_on_the_stream_books_a_fill_once_and_holds_nothing_up(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    flood = {"kind": "doubled", "times": FLOOD}

    exchange.trouble({"operation": "stream", "instrument": "AAPL", "fault": flood, "count": 2})
    exchange.buy("AAPL")
    exchange.buy("SPY")

    protected(stage, exchange, guard, stops=2)
    assert [struck["fault"]["times"] for struck in exchange.ask("GET", "/sim/faults")["struck"]] == [FLOOD, FLOOD]
    assert len(stage.facts(FillBooked)) == 2
    down = guard.lines("order stream is down")  # silence is a busy machine's, and no harm of the flood
    assert [line for line in down if "silent" not in line["reason"]] == []
    assert len(guard.workers()) == 1, guard.tail()
    assert guard.stop() == 0
    assert stage.judged()["fills"] == 2


# --- it lets nobody in ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"), [(401, {"message": "unauthorized"}), (403, {"message": "forbidden."})], ids=["401", "403"]
)
def test_keys_that_are_refused_of_a_sudden_are_an_alarm_and_no_hail_of_requests(
    stage: Stage, status: int, body: dict[str, object]
) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()
    exchange.buy("AAPL")
    protected(stage, exchange, guard, stops=1)
    before, head, since = client_ids(exchange.orders()), stage.head(), exchange.now()

    exchange.trouble(everything({"kind": "refused", "status": status, "body": body}))
    exchange.ask("POST", "/sim/order", {"instrument": "SPY", "side": "buy", "quantity": "3"})  # past the gate

    def told() -> list[str]:
        facts = (entry.fact for entry in stage.entries(head))
        return [fact.text for fact in facts if isinstance(fact, AlertRaised) and "paper" in fact.text]

    until(told, "the alarm", told=guard.tail)
    minute = since + timedelta(seconds=60)
    until(lambda: exchange.now() > minute, "a minute")
    refused = stage.asked(since, status, until=minute)
    assert 0 < refused.total() <= 60, refused  # as many as on any other day
    exchange.trouble()
    protected(stage, exchange, guard, stops=2)
    assert before.items() <= client_ids(exchange.orders()).items()
    assert len(guard.workers()) == 1
    assert guard.stop() == 0
    stage.judged()


# --- it cannot be found -----------------------------------------------------------------------------


def test_a_name_that_does_not_resolve_is_said_and_waited_for(stage: Stage) -> None:
    for name in ("key", "secret"):  # an address that is not this machine is given no keys written into the file
        (stage.folder / name).write_text("not-needed")
        (stage.folder / name).chmod(0o600)
    config = stage.settings("https://broker.invalid:9", more="")
    text = config.read_text()
    for name in ("key", "secret"):
        text = text.replace(f'= "{name}"', f'= "file:{stage.folder / name}"')
    config.write_text(text)

    guard = stage.guard()

    until(lambda: "cannot begin yet" in guard.said(), "the guard to say so", told=guard.tail)
    assert "broker.invalid" in guard.lines("cannot begin yet")[0]["error"]
    assert guard.stop() == 0
    assert len(guard.workers()) == 1


# --- we have nothing left ---------------------------------------------------------------------------


def test_a_guard_without_a_file_descriptor_left_says_so_and_goes_on_when_it_has_some(stage: Stage) -> None:
    exchange = stage.exchange()
    with Line(exchange.port) as line:
        stage.settings(line.url)
        guard = stage.guarded()
        exchange.buy("AAPL")
        protected(stage, exchange, guard, stops=1)
        worker = guard.worker()
        usual = resource.prlimit(worker, resource.RLIMIT_NOFILE)

        resource.prlimit(worker, resource.RLIMIT_NOFILE, (3, usual[1]))
        line.cut()
        line.mend()  # the broker is there: it is we who cannot

        until(lambda: stage.alarms("the broker cannot be read", "Too many open files"), "the alarm", told=guard.tail)
        exchange.buy("SPY")
        resource.prlimit(worker, resource.RLIMIT_NOFILE, usual)
        protected(stage, exchange, guard, stops=2)
        assert os.getpgid(worker)  # the same worker, all the time
        assert len(guard.workers()) == 1
        assert guard.stop() == 0
    stage.judged()
