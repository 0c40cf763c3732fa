"""What is sent when. Times are a clock moved by hand; channels are real objects that fail when told."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from standfast.alerts import outbox as module
from standfast.alerts.outbox import Channel, Outbox, messages
from standfast.model import secret
from standfast.model.alert import Alert, Severity
from standfast.model.ids import AlertId
from standfast.model.journal import AlertDelivered, AlertFailed, AlertRaised, Fact

START = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


class Hands:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)

    def timer(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)

    def later(self, seconds: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, act)


@dataclass
class Sink:
    """Takes messages, or fails with that reason."""

    reason: str = ""
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    tried: int = 0

    async def send(self, severity: str, title: str, text: str) -> str:
        self.tried += 1
        if self.reason:
            raise ConnectionError(self.reason)
        self.sent.append((severity, title, text))
        return "sink"


def alert(number: int, severity: Severity = Severity.WARNING, text: str = "") -> Alert:
    at = START + timedelta(seconds=number)
    return Alert(id=AlertId(f"a{number}"), severity=severity, text=text or f"event {number}", first_at=at)


def alerts(count: int, first: int = 0) -> list[Alert]:
    return [alert(number) for number in range(first, first + count)]


async def told(box: Outbox, clock: Hands, raised: Sequence[Alert] = ()) -> list[Fact]:
    return await box.deliver(raised, clock)


async def test_an_alert_goes_to_every_channel_that_carries_its_severity() -> None:
    everything, grave = Sink(), Sink()
    box = Outbox("paper", [Channel("all", everything), Channel("grave", grave, Severity.CRITICAL)])

    facts = await told(box, Hands(), [alert(1), alert(2, Severity.CRITICAL)])

    assert [text.split("\n")[0] for _, _, text in everything.sent] == ["event 2", "event 1"]
    assert everything.sent[0][:2] == ("critical", "Standfast paper: critical")
    assert [text.split("\n")[0] for _, _, text in grave.sent] == ["event 2"]
    assert sorted(facts, key=str) == [
        AlertDelivered(id=AlertId("a1"), channel="all"),
        AlertDelivered(id=AlertId("a2"), channel="all"),
        AlertDelivered(id=AlertId("a2"), channel="grave"),
    ]


async def test_an_alert_is_sent_once_however_often_it_is_handed_over() -> None:
    sink, clock = Sink(), Hands()
    box = Outbox("paper", [Channel("one", sink)])
    await told(box, clock, [alert(1)])

    assert await told(box, clock, [alert(1), replace(alert(1), delivered_at=START)]) == []
    assert len(sink.sent) == 1
    assert box.due_at() is None


async def test_what_an_earlier_life_delivered_or_a_person_acknowledged_is_not_sent() -> None:
    sink, clock = Sink("down"), Hands()
    box = Outbox("paper", [Channel("one", sink)])
    assert (
        await told(box, clock, [replace(alert(1), delivered_at=START), replace(alert(2), acknowledged_at=START)]) == []
    )
    await told(box, clock, [alert(3)])

    await told(box, clock, [replace(alert(3), acknowledged_at=START)])

    assert box.due_at() is None
    assert sink.tried == 1


async def test_a_failing_channel_is_tried_again_at_growing_intervals() -> None:
    sink, clock = Sink("down"), Hands()
    box = Outbox("paper", [Channel("one", sink)])
    await told(box, clock, [alert(1)])
    waits = []
    for _ in range(10):
        due = box.due_at()
        assert due is not None
        waits.append(due - clock.at)
        clock.at = due - 0.01
        tried = sink.tried
        await told(box, clock, [alert(1)])
        assert sink.tried == tried, "it was tried before its time"
        clock.at = due
        await told(box, clock, [alert(1)])
        assert sink.tried == tried + 1

    assert waits == [1, 2, 5, 15, 60, 60, 60, 60, 300, 300]


async def test_a_channel_that_works_again_catches_up_and_starts_afresh() -> None:
    sink, clock = Sink("down"), Hands()
    box = Outbox("paper", [Channel("one", sink)])
    await told(box, clock, alerts(3))
    sink.reason = ""
    clock.at += 1

    facts = await told(box, clock)

    assert facts == [AlertDelivered(id=each.id, channel="one") for each in alerts(3)]
    sink.reason = "down again"
    await told(box, clock, [alert(9)])
    assert box.due_at() == clock.at + 1


async def test_a_channel_that_fails_delays_no_other_and_still_owes_what_the_other_delivered() -> None:
    bad, good, clock = Sink("down"), Sink(), Hands()
    box = Outbox("paper", [Channel("bad", bad), Channel("good", good)])
    facts = await told(box, clock, [alert(1)])
    assert sorted(facts, key=str) == [
        AlertDelivered(id=AlertId("a1"), channel="good"),
        AlertFailed(id=AlertId("a1"), reason="bad: down"),
    ]

    bad.reason = ""
    clock.at += 1

    assert await told(box, clock) == [AlertDelivered(id=AlertId("a1"), channel="bad")]
    assert (len(bad.sent), len(good.sent)) == (1, 1)


async def test_failures_are_journaled_when_they_are_news() -> None:
    sink, clock = Sink("down"), Hands()
    box = Outbox("paper", [Channel("one", sink)])
    failed: list[str] = []
    for reason in ("down", "down", "refused", "refused"):
        sink.reason = reason
        facts = await told(box, clock, [alert(1)])
        failed += [fact.reason for fact in facts if isinstance(fact, AlertFailed)]
        clock.at += 100
    clock.at += module.REPEAT_SECONDS
    failed += [fact.reason for fact in await told(box, clock) if isinstance(fact, AlertFailed)]

    assert failed == ["one: down", "one: refused", "one: refused"]


async def test_a_channel_that_keeps_failing_is_an_alert_once() -> None:
    sink, clock = Sink("down"), Hands()
    box = Outbox("paper", [Channel("one", sink)])
    raised: list[AlertRaised] = []
    for _ in range(12):
        raised += [fact for fact in await told(box, clock, alerts(2)) if isinstance(fact, AlertRaised)]
        clock.at += 300

    assert [(fact.severity, fact.text) for fact in raised] == [
        (Severity.WARNING, "alert channel one fails: down; 2 alerts wait for it")
    ]


async def test_ten_alerts_are_ten_messages_and_eleven_are_one_digest() -> None:
    for count, expected in ((10, 10), (11, 1), (1000, 1)):
        sink = Sink()
        facts = await told(Outbox("paper", [Channel("one", sink)]), Hands(), alerts(count))

        assert (len(sink.sent), len(facts)) == (expected, count)


async def test_a_flood_is_one_digest_every_ten_seconds_and_loses_nothing() -> None:
    sink, clock = Sink(), Hands()
    box = Outbox("paper", [Channel("one", sink)])
    delivered: set[AlertId] = set()
    for number in range(400):  # ten a second for forty seconds
        facts = await told(box, clock, [alert(number)])
        delivered |= {fact.id for fact in facts if isinstance(fact, AlertDelivered)}
        clock.at += 0.1
    while (due := box.due_at()) is not None:
        assert due > clock.at
        clock.at = due
        delivered |= {fact.id for fact in await told(box, clock) if isinstance(fact, AlertDelivered)}

    assert delivered == {each.id for each in alerts(400)}
    assert 10 + 3 <= len(sink.sent) <= 10 + 5
    assert clock.at <= 100 + 40 + module.FLOOD_SECONDS


def test_a_digest_lists_the_gravest_first_and_says_how_many_there_are() -> None:
    pending = [*alerts(30), alert(99, Severity.CRITICAL, "the worst")]

    (message,) = messages(pending, recent=0, may_digest=True, account="paper")
    lines = message.text.split("\n")

    assert (message.severity, message.title) == (Severity.CRITICAL, "Standfast paper: 31 alerts")
    assert lines[:2] == ["critical: the worst", "warning: event 0"]
    assert lines[-2] == "and 16 more: standfast alerts"
    assert lines[-1] == "2026-11-20 14:30:00+00:00 to 2026-11-20 14:31:39+00:00"


def test_equal_alerts_are_told_together() -> None:
    pending = [alert(number, text="blind on AAPL") for number in range(20)]

    (message,) = messages(pending, recent=0, may_digest=True, account="paper")

    assert message.title == "Standfast paper: warning (20 times)"
    assert len(message.alerts) == 20


async def test_no_message_holds_a_loaded_secret_alone_or_in_a_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})
    secret.remember("canary-of-the-alerts")
    sink, clock = Sink(), Hands()
    outbox = Outbox("canary-of-the-alerts", [Channel("one", sink)])

    await outbox.deliver([alert(0, text="refused canary-of-the-alerts")], clock)
    await outbox.deliver([alert(n, text=f"refused canary-of-the-alerts {n}") for n in range(1, 20)], clock)

    assert len(sink.sent) == 2
    assert "19 alerts" in sink.sent[1][1]
    assert [message for message in sink.sent if "canary" in str(message) or "***" not in message[2]] == []


async def test_a_sink_that_hangs_is_given_up_on_and_the_loop_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)

    class Hung(Sink):
        async def send(self, severity: str, title: str, text: str) -> str:
            await asyncio.Event().wait()
            return ""

    good, clock = Sink(), Hands()
    box = Outbox("paper", [Channel("hung", Hung()), Channel("good", good)])

    facts = await told(box, clock, [alert(1)])

    assert AlertFailed(id=AlertId("a1"), reason="hung: no answer within 0.05 s") in facts
    assert AlertDelivered(id=AlertId("a1"), channel="good") in facts


async def test_a_dead_service_does_not_grow_the_debt_without_end() -> None:
    sink, clock = Sink("down"), Hands()
    box = Outbox("paper", [Channel("one", sink)])
    await told(box, clock, alerts(3_000))
    sink.reason = ""
    clock.at += 1

    facts = await told(box, clock)

    assert len(facts) == module.OWED_MOST
    assert AlertDelivered(id=AlertId("a2999"), channel="one") in facts
