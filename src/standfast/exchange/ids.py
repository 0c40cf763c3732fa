"""Ids from a seeded counter: shaped like a venue's, the same for the same seed."""

from random import Random
from uuid import UUID


class Ids:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._number = 0

    def uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def number(self) -> int:
        """1, 2, 3 ..."""
        self._number += 1
        return self._number
