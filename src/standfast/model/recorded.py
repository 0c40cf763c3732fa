"""What every fact can do beside holding its fields: be compared, hashed and shown.

`dataclass` would compile these for each of sixty classes, which is a tenth of the time a verb takes to start.
"""

from collections.abc import Iterable, Iterator


class Recorded:
    """Base of the facts and their parts. Equal are two of one class with equal fields."""

    __slots__ = ()

    def _values(self) -> Iterator[tuple[str, object]]:
        names: Iterable[str] = self.__slots__  # of its dataclass, not this empty one
        return ((name, getattr(self, name)) for name in names)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(value == getattr(other, name) for name, value in self._values())

    def __hash__(self) -> int:
        return hash((type(self), *(value for _, value in self._values())))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self._values())
        return f"{type(self).__qualname__}({fields})"
