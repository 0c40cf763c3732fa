"""The ledger, the alert channels and the bot's record that the settings name, opened; or the reason
why not, in time and to people.

What was never a ledger is a slip of the settings: a first start ends with `SettingsError` (exit code 78), because
waiting mends nothing. What was one is waited for: a disk may come back, so people are told once and the guard tries
again.
"""

import glob
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from standfast.model.errors import JournalDamaged, JournalError, JournalUnavailable, SettingsError

if TYPE_CHECKING:
    from standfast.alerts.outbox import Channel
    from standfast.ports import Clock, Tracker
    from standfast.runtime.account import Account
    from standfast.settings import AccountSettings, Settings
    from standfast.stores.sqlite.store import SqliteStore


def open_store(settings: "Settings") -> "SqliteStore":
    """The ledger's store.

    Raises SettingsError for an address no store is built for, and for a place that can hold no ledger or never held
    one; JournalUnavailable and JournalDamaged for a ledger that cannot be used now.
    """
    from standfast.runtime.upkeep import remedied
    from standfast.settings.ledger import SQLITE, misplaced
    from standfast.stores.sqlite.store import SqliteStore

    if not settings.ledger_url.startswith(SQLITE):
        scheme = settings.ledger_url.partition(":")[0]  # the rest may hold a password
        raise _wrong(settings, f"{scheme}://...", f'is not supported yet. Write "{SQLITE}FILE"')
    path = Path(settings.ledger_url.removeprefix(SQLITE))
    found = misplaced(path)
    if found is not None:
        raise _wrong(settings, settings.ledger_url, f"{found.trouble}. {found.remedy}")
    try:
        store = SqliteStore(path)
    except JournalDamaged as damage:
        if any(path.parent.glob(f"{glob.escape(path.name)}.*.anchor")):
            raise remedied(damage) from damage  # a guard has kept its ledger here
        raise _wrong(settings, settings.ledger_url, f"holds no ledger ({damage}). Name another file") from None
    structlog.get_logger("standfast.opened").info("the ledger is open", file=str(path), **store.library())
    return store


def _wrong(settings: "Settings", shown: str, told: str) -> SettingsError:
    return SettingsError(f'{settings.file}: ledger.url = "{shown}": {told}.')


async def open_aloud(settings: "Settings", *, is_first: bool) -> "SqliteStore":
    """As `open_store`, telling people when it fails. After a restart nothing is a slip of the settings any more."""
    from standfast.alerts.direct import tell_ledger_fails

    try:
        return open_store(settings)
    except SettingsError as error:
        if is_first:
            raise
        raise JournalUnavailable(str(error)) from error
    except JournalError as failure:
        if is_first:
            await tell_ledger_fails(channels_of(settings), failure)
        raise


def channels_of(settings: "Settings") -> "list[Channel]":
    from standfast.alerts.outbox import Channel
    from standfast.alerts.sinks import sink_for

    return [Channel(each.label, sink_for(each.url, each.label), each.least) for each in settings.alerts]


def tracker_of(account: "AccountSettings", clock: "Clock") -> "Tracker | None":
    """The bot's own record, where the settings name one. Nothing is opened before it is read."""
    told = account.tracker
    if told is None:
        return None
    from standfast.trackers.tracker import ProcessTracker

    return ProcessTracker(told.path, told.path, told.record, address=told.address, clock=clock)


def watch_record(account: "Account", settings: "AccountSettings") -> None:
    """Have the record read that the settings name now; another one than before, or none, ends the reading of that."""
    told = settings.tracker
    every = told.every if told is not None else None
    account.record.watch(lambda: tracker_of(settings, account.clock), every, told=told)


def fixed_at_start(begun: "Settings", now: "Settings") -> "Iterator[str]":
    """What of these settings differs from those a guard began with and is beyond the reach of a reload."""
    if now.ledger_url != begun.ledger_url:
        yield "ledger.url"
    before, after = ({account.name: account for account in each.accounts} for each in (begun, now))
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            yield f"account {name}, which is {'new' if old is None else 'gone'}"
        elif replace(new, rules=old.rules, tracker=old.tracker) != old:
            yield f"how account {name} is reached"
        elif new.rules.rate_share != old.rules.rate_share:
            yield f"rate_share of {name}"
