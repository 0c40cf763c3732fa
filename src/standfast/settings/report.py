"""Everything that is wrong with a settings file, told at once: where, which key, its value, what is wrong, what to do.

A place is the line of the file, or the environment variable that set the key. A value that may be a secret is never
repeated; whoever raises `Unfit` for one says so by `shown`.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from standfast.model.errors import SettingsError

Key: TypeAlias = tuple[str | int, ...]
"""Path of a key: `("accounts", 0, "mode")`."""


class Unfit(Exception):
    """One value that cannot be used: what is wrong with it, and what to write instead."""

    def __init__(self, trouble: str, remedy: str, *, shown: str | None = None) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.remedy = remedy
        self.shown = shown
        """What stands for the value in the message, where the value itself must not."""


class Report:
    """Collects problems and warnings of one file, so that an operator corrects it once and not eleven times."""

    def __init__(self, file: str, lines: Mapping[Key, int], variables: Mapping[Key, str]) -> None:
        self.file = file
        self.lines = lines
        self.variables = variables
        self.names: dict[Key, str] = {}
        """What `accounts[0]` is called: `paper`."""
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def wrong(self, key: Key, value: object, unfit: Unfit) -> None:
        shown = unfit.shown if unfit.shown is not None else written(value)
        remedy = unfit.remedy if unfit.remedy.endswith("?") else f"{unfit.remedy}."
        told = seen(f"{self.place(key)}: {self.label(key)} = {shown}: {unfit.trouble}. {remedy}")
        if told not in self.problems:  # a key that bears on several others is read for each of them
            self.problems.append(told)

    def missing(self, key: Key, remedy: str) -> None:
        self.problems.append(f"{self.place(key)}: {self.label(key)} is missing. {remedy}.")

    def warn(self, key: Key, text: str) -> None:
        self.warnings.append(f"{self.place(key)}: {self.label(key)}: {text}.")

    def close(self) -> None:
        """Raise what was collected, if anything was."""
        if self.problems:
            raise SettingsError("\n".join(self.problems))

    def is_from_environment(self, key: Key) -> bool:
        return key in self.variables

    def place(self, key: Key) -> str:
        """The variable or the line of the key, or of the nearest table around it."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.variables:
                return f"environment {self.variables[key[:length]]}"
            if key[:length] in self.lines:
                return f"{self.file}:{self.lines[key[:length]]}"
        for inner, variable in self.variables.items():
            if inner[: len(key)] == key:  # a section that only the environment knows
                return f"environment {variable}"
        return self.file

    def label(self, key: Key) -> str:
        text = ""
        for length, part in enumerate(key, start=1):
            if isinstance(part, int):
                text += f"[{self.names.get(key[:length], part)}]"
            else:
                text += f".{part}" if text else part
        return text


SHOWN_MAX = 120
"""Characters of a value that a message repeats."""


def written(value: object) -> str:
    """The value as one would write it in the file; only the beginning of a long one."""
    if isinstance(value, Decimal):
        shown = str(value)
    else:
        import json  # here: the reading verbs pass through this module, and mostly have nothing to report

        shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= SHOWN_MAX else f"{shown[:SHOWN_MAX]}..."


def seen(text: str) -> str:
    """One line without a character that could steer a terminal or a log."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


TABLE = re.compile(r"^\s*\[(?P<array>\[)?\s*(?P<name>[^\[\]#]+?)\s*\]")
ASSIGNMENT = re.compile(r"^\s*(?P<name>[A-Za-z0-9_\-.\"' ]+?)\s*=")


LINE_MAX = 1000


def line_numbers(text: str) -> dict[Key, int]:
    """The line of every table and of every key at the start of a line. Good enough to point at; not a TOML parser."""
    found: dict[Key, int] = {}
    counts: dict[Key, int] = {}
    table: Key = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LINE_MAX:
            continue  # the patterns go back and forth over a line: no key of ours needs that much of it
        if header := TABLE.match(line):
            table = _within(_parts(header["name"]), counts, is_array=bool(header["array"]))
            found.setdefault(table, number)
        elif assignment := ASSIGNMENT.match(line):
            found.setdefault(table + _parts(assignment["name"]), number)
    return found


def _parts(dotted: str) -> Key:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _within(names: Key, counts: dict[Key, int], *, is_array: bool) -> Key:
    """The path of a table header, with the running index of every array of tables on its way."""
    path: Key = ()
    for position, name in enumerate(names):
        path += (name,)
        if is_array and position == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
    return path
