"""The guard's side of a bot's own record: asks the process that reads it, bounded in time, and never waits beyond."""

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import asdict

from standfast.model.errors import RecordUnreadable
from standfast.model.secret import Secret
from standfast.model.tracked import RecordMap, RecordRead, TrackedEntry, entry_of
from standfast.ports import Clock

ANSWER_WITHIN = 10.0
"""Real seconds, the start of its process included: a disk's or a server's own time, whatever the account's clock."""
END_WITHIN = 1.0
LENGTH = 8
PASSED_ON = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
"""What its process gets of our environment. Keys may be in the rest."""


class ProcessTracker:
    """`ports.Tracker` over a process of its own, started with the first read, and anew after it was ended."""

    def __init__(self, label: str, path: str, record: RecordMap, *, address: Secret, clock: Clock) -> None:
        self.label = label
        self._told = {"path": path, "record": asdict(record)}
        self._address, self._clock = address, clock
        self._process: asyncio.subprocess.Process | None = None
        self._ending: asyncio.subprocess.Process | None = None
        self._last: tuple[str, tuple[TrackedEntry, ...]] = ("", ())

    async def read(self) -> RecordRead:
        began = self._clock.now()
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                answer = await self._asked()
        except TimeoutError:
            await self.close()
            raise RecordUnreadable(f"gave no answer within {ANSWER_WITHIN:g} s") from None
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            await self.close()
            raise RecordUnreadable(f"the process that reads it ended ({type(error).__name__})") from None
        if "error" in answer:
            raise RecordUnreadable(str(answer["error"]))
        if "same" not in answer:
            try:
                entries = tuple(entry_of(values) for values in answer["entries"])  # type: ignore[attr-defined]  # as our own process makes it
                self._last = (str(answer["stamp"]), entries)
            except (LookupError, TypeError, ValueError, ArithmeticError) as error:
                raise RecordUnreadable(f"is told in a way we do not understand ({type(error).__name__})") from None
        return RecordRead(entries=self._last[1], began=began)

    async def _asked(self) -> dict[str, object]:
        process = self._process if self._process is not None else await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"last": self._last[0]}).encode() + b"\n")
        await process.stdin.drain()
        length = int(await process.stdout.readexactly(LENGTH))
        answer = json.loads(await process.stdout.readexactly(length))
        assert isinstance(answer, dict), type(answer)
        return answer

    async def _start(self) -> asyncio.subprocess.Process:
        if self._ending is not None and self._ending.returncode is None:
            raise RecordUnreadable("is on a disk that does not answer: the last reading of it cannot even be ended")
        self._last = ("", ())
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "standfast.trackers.process",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={key: os.environ[key] for key in PASSED_ON if key in os.environ},
            start_new_session=True,  # a Control-C at a terminal is the guard's to answer
        )
        assert self._process.stdin is not None
        told = {**self._told, "address": self._address.reveal()}
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        return self._process

    async def close(self) -> None:
        """End its process; the next read starts another. One that a dead disk keeps is left to end by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        self._ending = process
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_WITHIN):
                await process.wait()
