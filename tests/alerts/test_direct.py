"""Messages past the journal: every channel is told, whatever another one does."""

import pytest

from standfast.alerts.direct import send
from standfast.alerts.outbox import Channel
from standfast.model import secret


class Taking:
    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str]] = []

    async def send(self, severity: str, title: str, text: str) -> str:
        self.taken.append((severity, title, text))
        return "taking"


class Raising:
    async def send(self, severity: str, title: str, text: str) -> str:
        raise OSError(28, "No space left on device")


async def test_a_channel_that_fails_is_named_and_keeps_no_other_from_hearing() -> None:
    taking = Taking()

    found = await send([Channel("broken", Raising()), Channel("good", taking)], "critical", "title", "text")

    assert found == [("broken", "[Errno 28] No space left on device"), ("good", "")]
    assert taking.taken == [("critical", "title", "text")]


async def test_no_channel_is_no_answer() -> None:
    assert await send([], "critical", "title", "text") == []


async def test_no_message_past_the_journal_holds_a_loaded_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})
    secret.remember("canary-of-the-alerts")
    taking = Taking()

    await send([Channel("good", taking)], "critical", "of canary-of-the-alerts", "no key canary-of-the-alerts")

    assert taking.taken == [("critical", "of ***", "no key ***")]
