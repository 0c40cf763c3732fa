"""Composition root: settings become a running guard. The only place that knows concrete adapters.

Imports of adapters are inside functions: a reading verb that passes through here pays for none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from standfast.adapters import broker_of as broker_of
from standfast.adapters import refuse_unbuilt
from standfast.model.breaks import Break
from standfast.model.errors import (
    JournalError,
    LeaseLost,
    SettingsError,
    StandfastError,
    Superseded,
    Unreachable,
)
from standfast.model.ids import AccountId, RequestId, digest
from standfast.opened import channels_of, fixed_at_start, open_aloud, open_store, tracker_of, watch_record

if TYPE_CHECKING:
    from standfast.core.book import Book
    from standfast.ports import Clock
    from standfast.runtime.account import Account
    from standfast.runtime.worker import Worker
    from standfast.settings import AccountSettings, Settings
    from standfast.stores.sqlite.store import SqliteStore

TURN_OF_A_THREAD = 0.0005
"""Seconds. A decision does not wait for the usual five thousandths while the ledger's thread writes down the last."""

DONE, FAILED, LEDGER_FAILED, SUPERSEDED, BAD_SETTINGS, GUARDED_ALREADY = 0, 1, 74, 75, 78, 79


def load(config: Path) -> "Settings":
    """The settings, in a process that is private from then on and whose environment holds their secrets no more."""
    from standfast.runtime.private import keep_private
    from standfast.settings import load_here

    keep_private()
    return load_here(config)


async def clock_of(account: "AccountSettings") -> "Clock":
    """The machine's clock, or the simulated exchange's where the account follows it.

    Raises Unreachable while that exchange does not answer.
    """
    from standfast.runtime.clock import RealClock, ScaledClock

    if not account.follows_exchange:
        return RealClock()
    from standfast.brokers.shared.transport import get_json

    try:
        return await ScaledClock.following(account.rest_url, get_json)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise SettingsError(
            f'account {account.name}: clock = "exchange" needs the simulated exchange with a running clock at '
            f"{account.rest_url} ({type(error).__name__}); without the line the machine's own clock is used"
        ) from error


# --- guard ----------------------------------------------------------------------------------------


def guard(config: Path, *, once: bool, heartbeat: int | None, parent: int | None, restarted: str) -> int:
    """Guard every account until told to stop; returns the exit code."""
    import asyncio
    import gc
    import sys

    from standfast.runtime import logs
    from standfast.runtime.heartbeat import Heartbeat, ParentGone, die_with

    gc.set_threshold(50_000, 20, 50)  # a large book lives long: looking through it often finds nothing
    sys.setswitchinterval(TURN_OF_A_THREAD)
    try:
        if parent is not None:
            die_with(parent)
        settings = load(config)
        logs.configure()
        logs.hear_the_interpreter()
        _warn(settings)
        refuse_unbuilt(*settings.accounts)  # before there is a ledger
        beat = Heartbeat(heartbeat) if heartbeat is not None else None
        return asyncio.run(_guard(config, settings, once=once, heartbeat=beat, restarted=restarted))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SETTINGS
    except LeaseLost as error:
        sys.stderr.write(f"{error}\n")
        return SUPERSEDED if isinstance(error, Superseded) else GUARDED_ALREADY
    except StandfastError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return LEDGER_FAILED if isinstance(error, JournalError) else FAILED
    except ParentGone:
        return FAILED


def _warn(settings: "Settings") -> None:
    import structlog

    from standfast.settings.modes import exposed

    log = structlog.get_logger("standfast.app")
    for warning in settings.warnings:
        log.warning("settings", said=warning)
    for each in exposed(settings.file, Path(settings.ledger_url.removeprefix("sqlite:///"))):
        log.warning("others can get at it", file=str(each.path), mode=f"{each.mode:04o}", remedy=each.cure)


async def _guard(config: Path, settings: "Settings", *, once: bool, heartbeat: object, restarted: str) -> int:
    import signal

    from standfast.alerts.direct import tell_ledger_fails
    from standfast.runtime.failures import ledger_failure, superseded
    from standfast.runtime.worker import Stop, on_signals

    store = await open_aloud(settings, is_first=not restarted)
    worker = worker_of(settings, store, heartbeat)
    worker.files = store
    stopping = [(number, worker.stop) for number in (signal.SIGTERM, signal.SIGINT)]
    on_signals([*stopping, (signal.SIGHUP, _Reload(worker, config, settings, settings))])
    try:
        if once:
            return await _guard_once(worker, settings)
        await worker.run(restarted, [partial(_join, worker, each, waits=True) for each in settings.accounts])
    except Stop:  # before it guarded anything
        for account in worker.accounts:
            await account.ledger.journal.release()
    except (JournalError, ExceptionGroup) as failed:
        broken = ledger_failure(failed)
        if broken is None:
            raise superseded(failed) or failed from None
        if worker.accounts or not restarted:  # a start that fails again is not told again
            await tell_ledger_fails(channels_of(settings), broken)
        raise broken from failed
    finally:
        for account in worker.accounts:
            await account.broker.close()
        await store.close()
    return DONE


async def _guard_once(worker: "Worker", settings: "Settings") -> int:
    from standfast.runtime.once import settle

    for each in settings.accounts:
        await _join(worker, each, waits=False)
    return DONE if await settle(worker) else FAILED


def worker_of(settings: "Settings", store: "SqliteStore", heartbeat: object) -> "Worker":
    from standfast.calendars import Calendar
    from standfast.runtime.heartbeat import Heartbeat
    from standfast.runtime.telling import Telling
    from standfast.runtime.worker import Worker
    from standfast.stores.holder import describe_holder

    assert heartbeat is None or isinstance(heartbeat, Heartbeat), heartbeat
    worker = Worker(
        store,
        Telling(),
        holder=describe_holder(),
        session_close=Calendar("us_equities").planned_close,
        heartbeat=heartbeat,
    )
    _tell_through(worker, settings)
    return worker


async def _join(worker: "Worker", account: "AccountSettings", *, waits: bool) -> "Account":
    clock = await _clock_once_there(account, worker) if waits else await clock_of(account)
    return await _add(worker, account, clock)


async def _add(worker: "Worker", account: "AccountSettings", clock: "Clock") -> "Account":
    added = await worker.add(account.rules, broker_of(account, clock), clock)
    watch_record(added, account)
    return added


async def _clock_once_there(account: "AccountSettings", worker: "Worker") -> "Clock":
    """Wait for a simulated exchange that is not there yet: it may be started after its guard."""
    import asyncio

    import structlog

    while True:  # ends with the exchange, or with a signal
        worker.beat_in_vain()
        try:
            return await clock_of(account)
        except Unreachable as error:
            structlog.get_logger("standfast.app").warning("the exchange does not answer yet", error=str(error))
        await asyncio.sleep(1)


@dataclass(slots=True)
class _Reload:
    """SIGHUP: the settings are read again; bad ones are refused and the old ones go on."""

    worker: "Worker"
    config: Path
    begun: "Settings"
    """Those at start: how accounts and the ledger are reached stays as it was then."""
    told: "Settings"
    """Those of the last good reading."""

    def __call__(self) -> None:
        import structlog

        from standfast.model.alert import Severity

        log, worker = structlog.get_logger("standfast.app"), self.worker
        try:
            settings = load(self.config)
        except SettingsError as error:
            log.error("settings not reloaded: the old ones go on", error=str(error))  # noqa: TRY400  # it says it all
            text = f"The settings were not reloaded, the old ones go on: {error} Needed: mend it and send SIGHUP again."
            worker.alarm_everybody(Severity.WARNING, text, key=f"settings/{text}")
            return
        _warn(settings)
        if settings.alerts != self.told.alerts:
            _tell_through(worker, settings)
        worker.reloaded = {each.rules.account: each.rules for each in settings.accounts}
        for account in worker.accounts:
            if told := settings.account(account.rules.account):
                account.reload(told.rules)
                watch_record(account, told)
        self.told = settings
        log.info("settings reloaded", accounts=[account.rules.account for account in worker.accounts])
        if left := ", ".join(fixed_at_start(self.begun, settings)):
            text = f"The settings were reloaded but for what a guard takes in at its start: {left}. Needed: restart it."
            log.warning("settings not reloaded in full", left=left)
            worker.alarm_everybody(Severity.WARNING, text, key=f"settings/{text}")


def _tell_through(worker: "Worker", settings: "Settings") -> None:
    """Alarms go through the channels of these settings from now on, those that still wait included."""
    from standfast.alerts.direct import send
    from standfast.alerts.outbox import Outbox

    channels = channels_of(settings)
    worker.telling.tell_through(lambda account: Outbox(account, channels))
    worker.tell_at_once = partial(send, channels, "critical", "Standfast: critical")


# --- acts without a guard -------------------------------------------------------------------------


def act(config: Path, account: str, verb: str, arguments: Mapping[str, str], wait_seconds: float) -> tuple[bool, str]:
    """Take the lease, carry out one request, prove it, release; whether it is proven, and the detail."""
    return act_on_all(config, account, verb, [arguments], wait_seconds)[0]


def act_on_all(
    config: Path, account: str, verb: str, each: Sequence[Mapping[str, str]], wait_seconds: float
) -> list[tuple[bool, str]]:
    """As `act`, for several requests under one lease, in their order."""
    import asyncio

    from standfast.runtime import logs

    logs.configure(level="warning")
    return asyncio.run(_act(load(config), account, verb, each, wait_seconds))


async def _act(
    settings: "Settings", name: str, verb: str, several: Sequence[Mapping[str, str]], wait: float
) -> list[tuple[bool, str]]:
    import getpass
    from datetime import timedelta

    from standfast.ports import Request
    from standfast.runtime.once import settle

    found = settings.account(name)
    if found is None:
        raise SettingsError(f"no account {name!r} in {settings.file}")
    store = open_store(settings)
    worker = worker_of(settings, store, None)
    clock = await clock_of(found)
    try:
        account = await _add(worker, found, clock)
        began, ids = clock.now(), []
        for number, arguments in enumerate(several):
            at = began + timedelta(microseconds=number)
            id = RequestId(f"r{digest(name, verb, sorted(arguments.items()), at.isoformat())}")
            by = getpass.getuser()
            await store.put_request(
                Request(id=id, account=AccountId(name), verb=verb, arguments=arguments, by=by, at=at)
            )
            ids.append(id)
        await settle(worker, until=ids[-1], wait=wait)
        strange = account.reader.lookups.whose.stranger and account.situation().why_not
        late = (False, f"{strange or f'not done within {wait:g} s'}; the books keep it")
        return [account.finished.get(id, late) for id in ids]
    finally:
        for each in worker.accounts:
            await each.broker.close()
        await store.close()


# --- looking without touching ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scanned:
    breaks: Sequence[tuple[AccountId, Break]] = ()
    unverified: Sequence[str] = ()


def scan(config: Path, account: str | None) -> Scanned:
    """One read-only comparison of every account (or one): books against broker, or the broker's own lists."""
    import asyncio

    from standfast.runtime import logs

    logs.configure(level="error")
    return asyncio.run(_scan(load(config), account))


async def _scan(settings: "Settings", name: str | None) -> Scanned:
    from standfast.runtime.scan import scan as compare

    if name is not None and settings.account(name) is None:
        raise SettingsError(f"no account {name!r} in {settings.file}")
    breaks: list[tuple[AccountId, Break]] = []
    unverified: list[str] = []
    for account in settings.accounts:
        if name not in (None, account.name):
            continue
        try:
            clock = await clock_of(account)
        except Unreachable as error:
            unverified.append(f"{account.name}: {error}")
            continue
        broker = broker_of(account, clock)
        try:
            book = known_book(settings, account.name)
            found, missing = await compare(account.rules, broker, clock, book, tracker_of(account, clock))
        finally:
            await broker.close()
        breaks += [(account.name, each) for each in found]
        unverified += missing
    return Scanned(breaks, unverified)


def known_book(settings: "Settings", account: AccountId) -> "Book | None":
    """The book as the ledger tells it, read without a lease; None where the account has no journal yet."""
    from standfast.core.book import Book, BookState
    from standfast.core.fold import fold
    from standfast.stores.sqlite.reading import LedgerReader

    path = Path(settings.ledger_url.removeprefix("sqlite:///"))
    if not path.exists():
        return None
    with LedgerReader(path) as reader:
        if account not in reader.accounts():
            return None
        saved = reader.book(account, BookState)
        book = Book(saved[1]) if saved is not None else Book.empty(account)
        return fold(book, reader.entries(account, book.head))
