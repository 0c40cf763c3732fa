"""Messages that do not come out of the journal: `doctor`'s test, and the last word of a guard whose ledger fails.

Sent once, to every channel at the same time, within a bound; what a channel raises is an answer like any other.
"""

import asyncio
from collections.abc import Sequence

from standfast.alerts.outbox import PATIENCE, Channel
from standfast.model.errors import JournalError
from standfast.model.secret import redact


async def send(channels: Sequence[Channel], severity: str, title: str, text: str) -> list[tuple[str, str]]:
    """Each channel's name, and why it did not take the message (empty: it did)."""
    async with asyncio.TaskGroup() as group:
        tasks = [(each.name, group.create_task(_send(each, severity, title, text))) for each in channels]
    return [(name, task.result()) for name, task in tasks]


async def tell_ledger_fails(channels: Sequence[Channel], failure: JournalError) -> None:
    """The last word of a guard: every other alarm goes through the ledger."""
    text = f"The ledger fails, so the guard ends and nothing is guarded: {failure}. It is tried again. Needed: see why."
    await send(channels, "critical", "Standfast: critical", text)


async def _send(channel: Channel, severity: str, title: str, text: str) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await channel.send(severity, title, text)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except Exception as error:  # noqa: BLE001  # a sink may raise what it likes, and the others are still to be told
        return redact(str(error)) or type(error).__name__
    return ""
