"""The ledger's disk fails, fills up, or loses the ledger, under a real guard: what it holds stays protected."""

import errno
import os
import subprocess
from io import FileIO
from pathlib import Path
from random import Random

import pytest

from standfast.model.journal import AlertRaised, Frozen, PositionAdopted
from tests.acceptance.stage import FOLLOWING, PATIENCE, Exchange, Guard, Stage, client_ids, is_running, pause, until
from tests.acceptance.wires import Webhook
from tests.stores.failing import FailingDisk

SMALL = "48m"
LEDGER_ENDS = ("", "-wal", "-shm")


def hold(stage: Stage, exchange: Exchange, guard: Guard, *instruments: str) -> None:
    """Bought by the bot, adopted and under a stop each."""
    for instrument in instruments:
        exchange.buy(instrument)
    until(lambda: len(exchange.stops()) == len(instruments), "the stops", told=guard.tail)
    until(lambda: stage.is_protected(exchange), "books and broker to agree", told=guard.tail)


def assert_nothing_doubled(exchange: Exchange) -> None:
    assert max(client_ids(exchange.orders()).values()) == 1
    assert len(exchange.stops()) == len(exchange.positions())


@pytest.mark.parametrize("how", ["once", "for a while"])
def test_after_a_failed_sync_the_guard_ends_by_its_own_code_and_the_next_one_finds_all_consistent(
    stage: Stage, webhook: Webhook, tmp_path_factory: pytest.TempPathFactory, how: str
) -> None:
    disk = FailingDisk(tmp_path_factory.mktemp("disk"))
    exchange = stage.exchange()
    stage.settings(exchange.url, alerts=(webhook.url,))
    failing = disk.environment("sync", "EIO", file="standfast.db-wal", always=how != "once")
    guard = stage.guarded(**failing)
    hold(stage, exchange, guard, "AAPL")
    first, promised = guard.worker(), stage.head()

    disk.begin()
    exchange.buy("SPY")
    until(lambda: disk.failures, "a sync to fail", told=guard.tail)
    until(lambda: not is_running(first), "the worker to end", told=guard.tail)
    if how != "once":
        until(lambda: disk.failures > 1, "the next worker's sync to fail too", told=guard.tail)
    disk.end()

    assert (
        "exit code 74" in until(lambda: guard.lines("the worker is restarted"), "another", told=guard.tail)[0]["reason"]
    )
    until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "both stops", told=guard.tail)
    until(lambda: webhook.texts("The ledger fails", "what was written last is unknown"), "the word", told=guard.tail)
    assert stage.head() >= promised
    assert_nothing_doubled(exchange)
    assert guard.stop() == 0
    stage.assert_whole()


def test_on_a_full_disk_stops_and_closes_go_on_openings_do_not_and_people_are_told(
    stage: Stage, webhook: Webhook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    disk = FailingDisk(tmp_path_factory.mktemp("disk"))
    exchange = stage.exchange()
    stage.settings(exchange.url, alerts=(webhook.url,))
    ballast = stage.ledger.with_name("standfast.db.ballast")
    guard = stage.guarded(**disk.environment("write", "ENOSPC", file="standfast.db-wal", always=True, unless=ballast))
    hold(stage, exchange, guard, "AAPL")
    worker = guard.worker()

    disk.begin()
    exchange.buy("SPY")
    until(lambda: len(exchange.stops()) == 2, "a stop under what was bought on a full disk", told=guard.tail)
    assert disk.failures
    told = until(lambda: webhook.texts("The disk is full"), "the alarm", told=guard.tail)
    assert "Openings are frozen" in told[0]
    position = stage.position("AAPL")
    assert position is not None
    closed = stage.run("close", position.id)
    refused = stage.run("open", "paper", "MSFT", "1")

    assert closed.code == 0, closed
    assert (refused.code, "the account is frozen by standfast: the disk is full" in refused.out + refused.err) == (
        1,
        True,
    )
    assert exchange.positions().keys() == {"SPY"}
    assert guard.worker() == worker, "the guard never ended"
    disk.end()
    until(ballast.exists, "the reserve to be taken again", told=guard.tail)
    assert stage.run("thaw", "paper").code == 0
    assert_nothing_doubled(exchange)
    assert guard.stop() == 0
    stage.assert_whole()


def small_disk(folder: Path) -> tuple[str, ...]:
    """A command that mounts a small disk at the folder, for itself alone, and turns into what it is given."""
    mounting = f'mount -t tmpfs -o size={SMALL} none "{folder}" && exec "$@"'
    within = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounting, "sh")
    try:
        subprocess.run([*within, "true"], check=True, capture_output=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("no disk of a process's own can be mounted here")
    return within


def fill_up(disk: Path) -> Path:
    """A file that takes what is left, to the last byte."""
    filling = disk / "somebody-elses"
    with filling.open("wb", buffering=0) as out:
        for size in (2**20, 4096, 1):
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                write_for_ever(out, bytes(size))
    return filling


def write_for_ever(out: FileIO, piece: bytes) -> None:
    while True:
        out.write(piece)


def test_on_a_disk_that_somebody_else_has_filled_everything_goes_on(stage: Stage, webhook: Webhook) -> None:
    exchange = stage.exchange()
    home = stage.folder / "disk"
    home.mkdir()
    stage.settings(
        exchange.url, alerts=(webhook.url,), more=FOLLOWING + f'\n[ledger]\nurl = "sqlite:///{home}/ledger.db"\n'
    )
    guard = stage.guard(within=small_disk(home)).wait_guarding()
    exchange.buy("AAPL")
    until(lambda: len(exchange.stops()) == 1, "the stop", told=guard.tail)
    worker = guard.worker()

    filling = fill_up(Path(f"/proc/{guard.popen.pid}/root{home}"))
    exchange.buy("SPY")
    until(lambda: len(exchange.stops()) == 2, "a stop under what was bought on a full disk", told=guard.tail)
    (taken,) = exchange.stops("AAPL")
    exchange.ask("DELETE", f"/v2/orders/{taken['id']}")
    until(lambda: exchange.stops("AAPL"), "the stop that was taken away to be back", told=guard.tail)
    until(lambda: webhook.texts("The ledger's disk has 0 MB"), "the alarm", told=guard.tail)

    filling.unlink()
    assert guard.worker() == worker, "the guard never ended"
    assert_nothing_doubled(exchange)
    assert guard.stop() == 0


@pytest.mark.parametrize(("seed", "ends"), [(1, LEDGER_ENDS), (2, ("",))], ids=["all files", "the file alone"])
def test_a_ledger_deleted_at_any_moment_is_begun_anew_from_the_broker(
    stage: Stage, webhook: Webhook, seed: int, ends: tuple[str, ...]
) -> None:
    draw = Random(seed)
    exchange = stage.exchange()
    config = stage.settings(exchange.url, alerts=(webhook.url,))
    config.write_text(config.read_text().replace('foreign = "adopt"', 'foreign = "alert"'))
    guard = stage.guarded()
    for instrument in ("AAPL", "SPY"):
        opened = stage.run("open", "paper", instrument, "10")
        assert opened.code == 0, opened
    until(lambda: len(exchange.stops()) == 2, "the stops", told=guard.tail)
    exchange.buy("MSFT", 5)
    pause(draw.uniform(0, 1))
    stops = {order["id"] for order in exchange.stops()}

    for end in ends:
        stage.ledger.with_name(stage.ledger.name + end).unlink(missing_ok=True)

    fails = ("The ledger fails", "deleted or moved away")
    until(lambda: webhook.texts(*fails), "the guard to notice", told=guard.tail)
    until(lambda: len(guard.workers()) > 1 and guard.is_guarding(), "another beginning", told=guard.tail)
    until(lambda: stage.held().keys() >= {"AAPL", "SPY"}, "ours to be taken in", told=guard.tail)
    until(lambda: webhook.texts("The ledger has lost entries"), "the alarm", told=guard.tail)
    until(
        lambda: any("MSFT" in str(found.finding.holding) for found in stage.book().state.breaks.values()),
        "what is not ours to be listed",
        told=guard.tail,
    )
    assert {str(fact.holding) for fact in stage.facts(PositionAdopted)} == {"AAPL", "SPY"}
    assert {order["id"] for order in exchange.stops()} == stops, "the same stops, neither doubled nor lost"
    assert stage.run("open", "paper", "AAPL", "1").code == 1
    assert exchange.positions() == {"AAPL": 10, "SPY": 10, "MSFT": 5}
    assert guard.stop() == 0
    stage.assert_whole()


def damage(ledger: Path) -> None:
    """Bits of every page but the first, as a dying disk leaves them."""
    with ledger.open("r+b") as file:
        for page in range(1, os.fstat(file.fileno()).st_size // 4096):
            file.seek(page * 4096 + 8)
            file.write(b"\xff" * 64)


def test_a_ledger_that_is_damaged_is_refused_with_the_remedy_and_rebuilt_from_the_broker(
    stage: Stage, webhook: Webhook
) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url, alerts=(webhook.url,))
    guard = stage.guarded()
    hold(stage, exchange, guard, "AAPL", "SPY")
    stops = {order["id"] for order in exchange.stops()}
    refused = stage.run("journal", "rebuild", "--from-broker")
    assert (refused.code, "stop the guard first" in refused.err) == (1, True)
    assert guard.stop() == 0
    damage(stage.ledger)

    broken = stage.guard()
    until(lambda: webhook.texts("The ledger fails", "journal rebuild --from-broker"), "the remedy", told=broken.tail)
    broken.stop()
    ran = stage.run("journal", "rebuild", "--from-broker", "--json")

    assert ran.code == 0, ran
    assert [(row["account"], row["positions"]) for row in ran.document["rebuilt"]] == [("paper", 2)]
    assert sorted(os.listdir(ran.document["aside"]))[0] == "standfast.db"
    assert stage.facts(AlertRaised)
    guard = stage.guarded()
    until(lambda: stage.is_protected(exchange), "books and broker to agree", told=guard.tail)
    assert {order["id"] for order in exchange.stops()} == stops
    assert_nothing_doubled(exchange)
    assert stage.run("thaw", "paper").code == 0
    assert guard.stop() == 0
    stage.assert_whole()


def test_a_backup_put_back_starts_frozen_and_finds_what_it_does_not_know(stage: Stage, webhook: Webhook) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url, alerts=(webhook.url,))
    guard = stage.guarded()
    hold(stage, exchange, guard, "AAPL")
    copies = until(
        lambda: list(stage.ledger.with_name("standfast.db.backups").glob("*Z.db")), "the first copy", told=guard.tail
    )
    exchange.buy("SPY")
    until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "both stops", told=guard.tail)
    assert guard.stop() == 0
    for end in LEDGER_ENDS:
        stage.ledger.with_name(stage.ledger.name + end).unlink(missing_ok=True)
    os.rename(copies[0], stage.ledger)
    assert stage.run("journal", "verify").code == 1

    guard = stage.guard().wait_guarding()

    until(lambda: webhook.texts("The ledger has lost entries"), "the alarm", told=guard.tail)
    until(lambda: len(exchange.stops()) == 2 and stage.is_protected(exchange), "both stops", told=guard.tail)
    assert [(fact.by, fact.reason) for fact in stage.facts(Frozen)] == [("standfast", "the ledger has lost entries")]
    assert_nothing_doubled(exchange)
    assert guard.stop() == 0
    stage.assert_whole()
