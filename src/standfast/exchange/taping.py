"""What the tapes of all exchanges have in common: a file of JSON lines that is written while a block runs.

Each line is handed to the operating system at once. Amounts are decimal strings, times exchange time.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TextIO, TypeVar

import msgspec

from standfast.exchange.dialects.hall import Asked, Hall
from standfast.exchange.dialects.operator_rows import asked_row

Place = TypeVar("Place", bound=Hall[Any, Any])
_ENCODER = msgspec.json.Encoder(decimal_format="string")


class Taping(ABC, Generic[Place]):
    """`with` one of them on a hall and a path: it follows the hall until the block ends. OSError for a file that
    cannot be written."""

    def __init__(self, venue: Place, path: Path) -> None:
        self._venue = venue
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)  # line by line
        venue.overhearers.append(self._answered)
        venue.engine.overhearers.append(self._asked)
        venue.engine.listeners.append(self._event)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._venue.overhearers.remove(self._answered)
        self._venue.engine.overhearers.remove(self._asked)
        self._venue.engine.listeners.remove(self._event)
        self._file.close()

    def _write(self, row: str, **facts: object) -> None:
        self._file.write(_ENCODER.encode({"row": row, **facts}).decode() + "\n")

    def _answered(self, answered: Asked) -> None:
        self._write("answered", **asked_row(answered))

    @abstractmethod
    def _asked(self, asked: Any) -> None:
        """A client's request, before it is judged."""

    @abstractmethod
    def _event(self, event: Any) -> None:
        """What came of it."""
