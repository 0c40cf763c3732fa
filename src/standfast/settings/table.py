"""One table of the settings file while it is read: every key is asked for once, and what nobody asked for is unknown.

A key that cannot be read is reported and its fallback returned, so that reading goes on and finds the next problem;
`Report.close` sees to it that no fallback is ever used.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from standfast.settings.report import Key, Report, Unfit

T = TypeVar("T")


class Table:
    """A view of one table; `path` is where it stands in the file."""

    def __init__(self, values: Mapping[str, object], path: Key, report: Report) -> None:
        self.values = values
        self.path = path
        self.report = report
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def read(self, key: str, parse: Callable[[object], T], default: T) -> T:
        """The parsed value, or the default where the key is not written or cannot be used."""
        self._asked.add(key)
        if key not in self.values:
            return default
        try:
            return self._parsed(key, parse)
        except Unfit as unfit:
            self.report.wrong((*self.path, key), self.values[key], unfit)
            return default

    def need(self, key: str, parse: Callable[[object], T], fallback: T, *, remedy: str) -> T:
        """As `read`, for a key that has to be there."""
        if key not in self.values:
            self._asked.add(key)
            self.report.missing((*self.path, key), remedy)
        return self.read(key, parse, fallback)

    def table(self, key: str) -> "Table":
        """A table inside this one; empty where it is not written."""
        nothing: Mapping[str, object] = {}
        found = self.read(key, _as_table, nothing)
        return Table(found, (*self.path, key), self.report)

    def tables(self, key: str) -> Iterator["Table"]:
        """The tables of an array, in the order of the file."""
        nothing: list[Mapping[str, object]] = []
        for index, found in enumerate(self.read(key, _as_tables, nothing)):
            yield Table(found, (*self.path, key, index), self.report)

    def wrong(self, key: str, trouble: str, remedy: str) -> None:
        """Report a key whose value is fine by itself and not beside the others."""
        self.report.wrong((*self.path, key), self.values.get(key), Unfit(trouble, remedy))

    def warn(self, key: str, text: str) -> None:
        self.report.warn((*self.path, key) if key else self.path, text)

    def close(self) -> None:
        """Report every key that nobody asked for."""
        for key in self.values:
            if key not in self._asked:
                self._unknown(key)

    def _unknown(self, key: str) -> None:
        from difflib import get_close_matches  # only where there is something to say

        near = get_close_matches(key, sorted(self._asked), n=1)
        remedy = f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(sorted(self._asked))}"
        self.report.wrong((*self.path, key), None, Unfit("is not a setting", remedy, shown="..."))

    def _parsed(self, key: str, parse: Callable[[object], T]) -> T:
        value = self.values[key]
        try:
            return parse(value)
        except Unfit:
            if not (isinstance(value, str) and self.report.is_from_environment((*self.path, key))):
                raise
            other = _as_toml(
                value
            )  # the environment knows only text: `true`, `20` and `["VTI"]` are meant as in the file
            if other is None:
                raise
            return parse(other)


def _as_table(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Unfit("is not a table", "Write it as a [section] with keys")
    return value


def _as_tables(value: object) -> list[Mapping[str, object]]:
    if not isinstance(value, list):
        raise Unfit("is not a list of tables", "Write each one as a [[section]], with two brackets")
    return [_as_table(each) for each in value]


def _as_toml(text: str) -> object | None:
    try:
        return tomllib.loads(f"value = {text}", parse_float=Decimal).get("value")
    except tomllib.TOMLDecodeError:
        return None
