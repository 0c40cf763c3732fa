"""What may be on a disk whose power went at some moment: built from the record of what it was asked for.

What was synced is there. Of what was written since, any set of 512-byte sectors may be there, in any mixture of their
versions; where a file was made longer there may be anything. Folders keep their order: of files made, renamed and
deleted since the folder's last sync, the first few are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from tests.stores.recording import Op

SECTOR = 512

Survives = Callable[[int, int], bool]
"""Whether a sector survives, asked with its write's place among those pending and how many are pending."""
Image = dict[str, bytes]


@dataclass
class File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Op] = field(default_factory=list)

    def image(self, survives: Survives, garbage: Random | None = None) -> bytearray:
        content = bytearray(self.durable)
        for place, op in enumerate(self.pending):
            if op.kind == "truncate":
                if survives(place, len(self.pending)):
                    del content[op.at :]
                continue
            for at, sector in _sectors(op):
                if survives(place, len(self.pending)):
                    _put(content, at, sector)
                elif garbage is not None and at >= len(content):
                    _put(content, at, garbage.randbytes(len(sector)))
        return content

    def sync(self) -> None:
        self.durable = self.image(lambda place, count: True)
        self.pending.clear()


class Move(NamedTuple):
    """A change of the folder, and the file it is about."""

    op: Op
    file: File

    def apply(self, names: dict[str, File]) -> None:
        if self.op.kind != "create":
            names.pop(self.op.file, None)
        if self.op.kind != "delete":
            names[self.op.data.decode() or self.op.file] = self.file


class Disk:
    """Takes a record one operation at a time, and can tell at any moment what may be left."""

    def __init__(self, *, heeds_syncs: bool = True) -> None:
        """One that heeds no sync loses what was promised: a check that does not notice proves nothing."""
        self._heeds_syncs = heeds_syncs
        self._names: dict[str, File] = {}
        self._durable_names: dict[str, File] = {}
        self._moves: list[Move] = []
        self.acknowledged = 0

    def apply(self, op: Op) -> None:
        match op.kind:
            case "ack":
                self.acknowledged = max(self.acknowledged, op.at)
            case "write" | "truncate":
                self._names[op.file].pending.append(op)
            case "sync" if self._heeds_syncs:
                self._names[op.file].sync()
            case "sync_folder":
                self._durable_names = dict(self._names)
                self._moves.clear()
            case "create" | "rename" | "delete":
                file = self._names[op.file] if op.kind != "create" else self._names.get(op.file, File())
                self._moves.append(Move(op, file))
                self._moves[-1].apply(self._names)
            case _:
                pass  # a sync that is not heeded

    def images(self, seed: int) -> Iterator[Image]:
        """Nothing of what is not certain, a mixture of it, and by turns all, most, the newest or the older half."""
        seen: list[Image] = []
        for number, survives in enumerate(_choices(seed)):
            rng = Random(seed * 31 + number)
            names = dict(self._durable_names)
            for move in self._moves[: (0, len(self._moves), rng.randint(0, len(self._moves)))[number]]:
                move.apply(names)
            garbage = rng if number % 2 else None
            image = {name: bytes(file.image(survives, garbage)) for name, file in names.items()}
            if image not in seen:
                seen.append(image)
                yield image


def _choices(seed: int) -> Sequence[Survives]:
    def by_chance(chance: float) -> Survives:
        rng = Random(seed * 7 + int(chance * 100))
        return lambda place, count: rng.random() < chance

    rotating: Sequence[Survives] = (
        lambda place, count: True,
        by_chance(0.85),
        lambda place, count: place == count - 1,
        lambda place, count: place < count // 2,
    )
    return (lambda place, count: False, by_chance(0.5), rotating[seed % len(rotating)])


def _sectors(op: Op) -> Iterator[tuple[int, bytes]]:
    at, end = op.at, op.at + len(op.data)
    while at < end:
        upto = min(end, (at // SECTOR + 1) * SECTOR)
        yield at, op.data[at - op.at : upto - op.at]
        at = upto


def _put(content: bytearray, at: int, data: bytes) -> None:
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at : at + len(data)] = data
