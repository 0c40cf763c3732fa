"""What `doctor` asks of brokers and alert services: each once, nothing changed, every failure an answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from standfast.adapters import broker_of
from standfast.app import clock_of, load
from standfast.model.errors import SettingsError, StandfastError
from standfast.model.evidence import AccountRead, Guarded, MarketClock, Rights
from standfast.opened import channels_of, tracker_of
from standfast.ports import TellsGuarded, TellsRights

if TYPE_CHECKING:
    from standfast.model.tracked import RecordRead
    from standfast.settings import Settings


@dataclass(slots=True)
class Probe:
    """What one account's broker answered, once."""

    account: AccountRead | None = None
    clock: MarketClock | None = None
    asked_at: datetime | None = None
    positions: int | None = None
    rights: Rights | None = None
    """What the key may do beyond trading; None where the broker has no word for it."""
    guarded: Sequence[Guarded] = ()
    """What is and is not guarded there, where the broker tells."""
    failures: dict[str, str] = field(default_factory=dict)


def probe(config: Path, account: str) -> Probe:
    import asyncio

    return asyncio.run(_probe(load(config), account))


async def _probe(settings: "Settings", name: str) -> Probe:
    found = settings.account(name)
    if found is None:
        raise SettingsError(f"no account {name!r} in {settings.file}")
    clock = await clock_of(found)
    broker, answer = broker_of(found, clock), Probe()
    try:
        began = clock.now()
        for kind in ("clock", "account", "positions"):
            try:
                read = await getattr(broker, kind)()
            except StandfastError as error:
                answer.failures[kind] = f"{type(error).__name__}: {error}"
                continue
            if kind == "positions":
                answer.positions = len(read.rows)
            else:
                setattr(answer, kind, read)
            if kind == "clock":
                answer.asked_at = began + (clock.now() - began) / 2
        if answer.account is not None and isinstance(broker, TellsRights):
            answer.rights = await broker.rights()
        if isinstance(broker, TellsGuarded):
            answer.guarded = await _guarded(broker, answer)
    finally:
        await broker.close()
    return answer


async def _guarded(broker: TellsGuarded, answer: Probe) -> Sequence[Guarded]:
    try:
        return await broker.guarded()
    except StandfastError as error:
        answer.failures["what is guarded"] = f"{type(error).__name__}: {error}"
        return ()


def record(config: Path, account: str) -> "RecordRead | None":
    """The bot's own record of one account, read once; None where none is named. Raises RecordUnreadable."""
    import asyncio

    return asyncio.run(_record(load(config), account))


async def _record(settings: "Settings", name: str) -> "RecordRead | None":
    from standfast.runtime.clock import RealClock

    found = settings.account(name)
    tracker = tracker_of(found, RealClock()) if found is not None else None
    if tracker is None:
        return None
    try:
        return await tracker.read()
    finally:
        await tracker.close()


def misunderstood(settings: "Settings") -> Sequence[str]:
    """Labels of the channels whose address lacks something its service needs: they would fail at the first alarm."""
    from standfast.alerts.sinks import is_understood

    return [each.label for each in settings.alerts if not is_understood(each.url)]


def send_test_alert(config: Path) -> Sequence[tuple[str, str]]:
    """Each channel's label, and why it did not take the test message (empty: it did)."""
    import asyncio

    from standfast.alerts.direct import send

    text = "A test message of `standfast doctor`. Nothing is wrong."
    return asyncio.run(send(channels_of(load(config)), "info", "Standfast: test", text))
