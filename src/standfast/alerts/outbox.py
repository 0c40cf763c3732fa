"""What is sent when: retries, digests and channels of the alerts that the journal holds.

The journal is the outbox: an alert is raised there with its cause, in one commit, and stays undelivered until a fact
says otherwise. So a restart loses nothing; at worst it tells something twice (it died after sending and before the
fact). Invariants:

- An alert is delivered when one channel took it. A channel that failed keeps owing it and catches up when it works
  again, for as long as this process lives.
- A failing channel delays no other, and backs off: 1, 2, 5, 15, 60 s, and 5 minutes in the end.
- More than ten alerts in ten seconds become one digest, most severe first, at most one every ten seconds.
- A channel that keeps failing is itself an alert, once an outage, for the other channels.
- Failures are journaled when they are news (first of an alert, another reason, an hour later), so that a dead service
  does not fill the ledger.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from standfast.model.alert import Alert, Severity
from standfast.model.ids import AlertId, digest
from standfast.model.journal import AlertDelivered, AlertFailed, AlertRaised, Fact
from standfast.model.secret import redact
from standfast.ports import AlertSink, Clock

BACK_OFF = (1.0, 2.0, 5.0, 15.0, 60.0, 60.0, 60.0, 60.0, 300.0)
"""Seconds after the first, second, ... failure in a row; the last for all that follow."""
FLOOD = 10
FLOOD_SECONDS = 10.0
PATIENCE = 10.0
"""Real seconds for one message on one channel, whatever the channel does itself."""
FAILURES_TOLD = 4
"""Failures in a row that make a channel an alert of its own: eight seconds of trying."""
REPEAT_SECONDS = 3600.0
OWED_MOST = 1_000
LISTED_MOST = 15


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach people, from this severity on."""

    name: str
    sink: AlertSink
    least: Severity = Severity.INFO

    async def send(self, severity: str, title: str, text: str) -> str:
        """Hand it to the sink: the last place where a secret that came so far is taken out. Raises what it raises."""
        return await self.sink.send(severity, redact(title), redact(text))


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent at once: one alert, equal ones together, or a digest of many."""

    alerts: tuple[Alert, ...]
    title: str
    text: str
    is_digest: bool = False

    @property
    def severity(self) -> Severity:
        return max((alert.severity for alert in self.alerts), key=lambda severity: severity.rank)


def messages(pending: Sequence[Alert], *, recent: int, may_digest: bool, account: str) -> tuple[Message, ...]:
    """What to send of these alerts now, most severe first; `recent` is how many alerts went in the last ten seconds.

    Nothing, when there is a flood and the last digest is too young: the next one will hold them.
    """
    ordered = sorted(pending, key=lambda alert: (-alert.severity.rank, alert.first_at, alert.id))
    groups: dict[tuple[Severity, str], list[Alert]] = {}
    for alert in ordered:
        groups.setdefault((alert.severity, alert.text), []).append(alert)
    if not groups:
        return ()
    if len(groups) + recent <= FLOOD:
        return tuple(_single(tuple(alike), account) for alike in groups.values())
    return (_digest(tuple(ordered), groups, account),) if may_digest else ()


def _single(alike: tuple[Alert, ...], account: str) -> Message:
    times = f" ({len(alike)} times)" if len(alike) > 1 else ""
    first = alike[0]
    return Message(alike, f"Standfast {account}: {first.severity}{times}", f"{first.text}\n{_stamp(first.first_at)}")


def _digest(ordered: tuple[Alert, ...], groups: dict[tuple[Severity, str], list[Alert]], account: str) -> Message:
    listed = [
        f"{severity}: {text}" + (f" ({len(alike)} times)" if len(alike) > 1 else "")
        for (severity, text), alike in list(groups.items())[:LISTED_MOST]
    ]
    if len(groups) > LISTED_MOST:
        listed.append(f"and {len(groups) - LISTED_MOST} more: standfast alerts")
    first, last = min(alert.first_at for alert in ordered), max(alert.first_at for alert in ordered)
    text = "\n".join([*listed, f"{_stamp(first)} to {_stamp(last)}"])
    return Message(ordered, f"Standfast {account}: {len(ordered)} alerts", text, is_digest=True)


def _stamp(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds")


@dataclass(slots=True)
class _Line:
    """What one channel still owes, and how it has been doing. Times are the clock's monotonic seconds."""

    channel: Channel
    owed: dict[AlertId, Alert] = field(default_factory=dict)
    sent: dict[AlertId, None] = field(default_factory=dict)
    sent_at: list[float] = field(default_factory=list)
    digest_at: float | None = None
    held_until: float = 0.0
    """A flood waits for its next digest."""
    failures: int = 0
    not_before: float = 0.0
    told: dict[AlertId, tuple[str, float]] = field(default_factory=dict)
    """Which failure of an alert was journaled last, and when."""

    def owe(self, alert: Alert) -> None:
        if alert.acknowledged_at is not None:
            self.owed.pop(alert.id, None)
        elif (
            alert.delivered_at is None and alert.id not in self.sent and alert.severity.rank >= self.channel.least.rank
        ):
            self.owed.setdefault(alert.id, alert)
        while len(self.owed) > OWED_MOST:
            self.owed.pop(next(iter(self.owed)))

    def due_at(self) -> float | None:
        """When this line has something to do; None when it owes nothing."""
        return max(self.not_before, self.held_until) if self.owed else None


class Outbox:
    """The alerts of one account on their way to people. Call `deliver` from a task of its own, never from a cycle."""

    def __init__(self, account: str, channels: Sequence[Channel]) -> None:
        self.account = account
        self._lines = [_Line(channel) for channel in channels]

    def due_at(self) -> float | None:
        """The monotonic time of the next retry or digest; None when nothing is owed. New alerts do not wait for it."""
        return min((due for line in self._lines if (due := line.due_at()) is not None), default=None)

    async def deliver(self, alerts: Iterable[Alert], clock: Clock, *, last: bool = False) -> list[Fact]:
        """Send what is due of these alerts (the undelivered and the newly acknowledged ones) and of what is owed.

        `last` waits for no back-off and holds no flood back: nobody will be there to try again.

        Returns the facts to journal, at most once a call and channel each. Bounded by each channel's patience; the
        loop goes on meanwhile. Raises nothing that a channel raises.
        """
        for alert in alerts:
            for line in self._lines:
                line.owe(alert)
        facts: list[Fact] = []
        async with asyncio.TaskGroup() as tasks:
            for line in self._lines:
                tasks.create_task(self._work(line, clock, facts, last=last), name=f"alerts to {line.channel.name}")
        return _once_each(facts)

    async def _work(self, line: _Line, clock: Clock, facts: list[Fact], *, last: bool) -> None:
        at = clock.monotonic()
        if at < line.not_before and not last:
            return
        line.sent_at = [sent for sent in line.sent_at if at - sent < FLOOD_SECONDS]
        next_digest = line.digest_at + FLOOD_SECONDS if line.digest_at is not None else at
        pending = tuple(line.owed.values())
        planned = messages(
            pending, recent=len(line.sent_at), may_digest=last or at >= next_digest, account=self.account
        )
        line.held_until = next_digest if pending and not planned else 0.0
        for message in planned:
            reason = await _attempt(line.channel, message)
            at = clock.monotonic()
            if reason is not None:
                facts += _failed(line, message, reason, at)
                return
            facts += _delivered(line, message, at)


async def _attempt(channel: Channel, message: Message) -> str | None:
    """Send one message; the reason in words when it failed."""
    try:
        async with asyncio.timeout(PATIENCE):
            await channel.send(message.severity.value, message.title, message.text)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except Exception as error:  # noqa: BLE001  # a sink may raise what it likes; a failed alert must not end a guard
        return redact(str(error)) or type(error).__name__
    return None


def _delivered(line: _Line, message: Message, at: float) -> list[Fact]:
    line.failures, line.not_before = 0, 0.0
    line.sent_at += [at] * len(message.alerts)
    if message.is_digest:
        line.digest_at = at
    for alert in message.alerts:
        line.owed.pop(alert.id, None)
        line.told.pop(alert.id, None)
        line.sent[alert.id] = None
    while len(line.sent) > 10 * OWED_MOST:
        line.sent.pop(next(iter(line.sent)))
    return [AlertDelivered(id=alert.id, channel=line.channel.name) for alert in message.alerts]


def _failed(line: _Line, message: Message, reason: str, at: float) -> list[Fact]:
    line.not_before = at + BACK_OFF[min(line.failures, len(BACK_OFF) - 1)]
    line.failures += 1
    facts: list[Fact] = []
    for alert in message.alerts:
        before = line.told.get(alert.id)
        if before is None or before[0] != reason or at - before[1] >= REPEAT_SECONDS:
            line.told[alert.id] = (reason, at)
            facts.append(AlertFailed(id=alert.id, reason=f"{line.channel.name}: {reason}"))
    if line.failures == FAILURES_TOLD:
        text = f"alert channel {line.channel.name} fails: {reason}; {len(line.owed)} alerts wait for it"
        name = AlertId(digest("alert channel", line.channel.name, message.alerts[0].id))
        facts.append(AlertRaised(id=name, severity=Severity.WARNING, text=text))
    return facts


def _once_each(facts: list[Fact]) -> list[Fact]:
    """Two channels that deliver one alert are two facts; the same fact twice is one."""
    return list(dict.fromkeys(facts))
