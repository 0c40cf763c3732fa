"""Single values of the settings file: from what TOML gives to what the rules need, or `Unfit` with the cure.

Quantities are written with their unit and never guessed: `"2%"`, `"8pt"`, `"5s"`, `"15:55 America/New_York"`. A bare
number where a unit belongs is refused, because 2 and 0.02 are both plausible and a factor of a hundred apart.
"""

import re
from collections.abc import Callable
from datetime import time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from standfast.core.policy import FlatBy
from standfast.settings.report import Unfit

Word = TypeVar("Word", bound=StrEnum)

# Bounded and of ASCII digits, so that no later arithmetic meets a number without end.
DISTANCE = re.compile(r"(?P<sign>[+-]?)\s*(?P<number>\d{1,9}(?:\.\d{1,9})?)\s*(?P<unit>%|pt)", re.ASCII)
DURATION = re.compile(
    r"(?:(?P<days>\d{1,9})d)?(?:(?P<hours>\d{1,9})h)?(?:(?P<minutes>\d{1,9})m)?"
    r"(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)s)?",
    re.ASCII,
)
NUMBER = re.compile(r"[-+]?\d{1,15}(?:\.\d{1,9})?", re.ASCII)
WALL_TIME = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})\s+(?P<zone>\S{1,64})", re.ASCII)
ENTRY_POINT = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<name>[A-Za-z_]\w*)", re.ASCII)

FARTHEST = Decimal(100)
"""A hundred times the entry: beyond it a distance is a slip of the pen."""
MOST = 1_000_000
"""Of anything that is counted here."""


def text(value: object) -> str:
    if not isinstance(value, str):
        raise Unfit("is not a text", "Write it in quotes")
    if not value.strip():
        raise Unfit("is empty", "Write a value, or leave the key out")
    return value


def optional_text(value: object) -> str:
    """As `text`, but an empty one is an answer too."""
    return value if value == "" and isinstance(value, str) else text(value)


def instrument_list(value: object) -> tuple[str, ...]:
    """A list of patterns of instruments."""
    if not isinstance(value, list):
        raise Unfit("is not a list", 'Write a list of texts: ["VTI", "BND"]')
    return tuple(instruments(each) for each in value)


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unfit("is not true or false", "Write true or false, without quotes")
    return value


def count(value: object) -> int:
    """A whole number of at least one."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unfit("is not a whole number", "Write a whole number, without quotes")
    if value < 1:
        raise Unfit("is below one", "Write 1 or more, or leave the key out")
    if value > MOST:
        raise Unfit(f"is above {MOST}", "Write a smaller number, or leave the key out")
    return value


def up_to(most: int) -> Callable[[object], int]:
    """A parser for a whole number from one to `most`."""

    def parse(value: object) -> int:
        found = count(value)
        if found > most:
            raise Unfit(f"is above {most}", f"Write a number from 1 to {most}")
        return found

    return parse


def money(value: object) -> Decimal:
    """A positive amount, in account currency."""
    try:
        amount = _number(value)
    except ArithmeticError:
        raise Unfit("is not an amount of money", 'Write digits in quotes: "25000"') from None
    if amount <= 0:
        raise Unfit("is not above zero", "Write an amount above zero, or leave the key out")
    return amount


def share(value: object) -> Decimal:
    """A fraction above zero and up to one."""
    try:
        fraction = _number(value)
    except ArithmeticError:
        raise Unfit("is not a number", "Write a fraction such as 0.25") from None
    if not 0 < fraction <= 1:
        raise Unfit("is not between 0 and 1", "Write a fraction such as 0.25")
    return fraction


def request_share(value: object) -> Decimal:
    """A fraction of a budget that leaves enough to read at all."""
    fraction = share(value)
    if fraction < LEAST_SHARE:
        raise Unfit(f"is below {LEAST_SHARE}, which is too little to read at all", "Write a fraction such as 0.25")
    return fraction


LEAST_SHARE = Decimal("0.01")


def _number(value: object) -> Decimal:
    """A Decimal of sane length (TOML floats arrive as Decimals already), or ArithmeticError."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ArithmeticError(value)  # noqa: TRY004  # one error for every way of being no number
    if isinstance(value, int) and abs(value) >= 10**15:
        raise ArithmeticError("a number without end")
    if NUMBER.fullmatch(str(value)) is None:
        raise ArithmeticError(value)
    return Decimal(value)


def distance(value: object) -> Decimal:
    """`"2%"` of entry, or `"8pt"` of result in per cent: both are 0.0x of entry. Always positive."""
    found = DISTANCE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Unfit("is not a distance", 'Write it with its unit, in quotes: "2%" of entry, or "8pt" points of result')
    number = Decimal(found["number"]) / 100
    if found["sign"] == "-":
        raise Unfit("is negative", f'Distances are written without a sign: "{found["number"]}{found["unit"]}"')
    if number == 0:
        raise Unfit("is zero, which would fire at once", "Write a distance above zero, or leave the key out")
    if number > FARTHEST:
        raise Unfit(f"is more than {FARTHEST} times the entry", "Check the number and its unit")
    return number


def give_back(value: object) -> Decimal | None:
    """`"8pt"` from the peak, or `"to entry"`, which is None: the break-even rung."""
    if isinstance(value, str) and value.strip().lower() == "to entry":
        return None
    try:
        return distance(value)
    except Unfit as unfit:
        raise Unfit(unfit.trouble, 'Write "to entry", or points of result given back from the peak: "8pt"') from None


def duration(value: object) -> timedelta:
    """`"5s"`, `"30m"`, `"1h30m"`, `"5d"`; zero is one."""
    found = DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or not any(found.groupdict().values()):
        raise Unfit("is not a duration", 'Write it with its units, in quotes: "5s", "30m", "1h30m", "5d"')
    try:
        return timedelta(**{unit: float(number) for unit, number in found.groupdict().items() if number})
    except OverflowError:
        raise Unfit("is longer than can be counted", 'Write a duration such as "5d"') from None


def some_time(value: object) -> timedelta:
    """A duration above zero."""
    found = duration(value)
    if not found:
        raise Unfit("is zero", 'Write a duration above zero: "5s"')
    return found


def no_longer(most: timedelta, parse: Callable[[object], timedelta], why: str) -> Callable[[object], timedelta]:
    """The same parser, up to a duration beyond which the promise it serves could not be kept."""

    def bounded(value: object) -> timedelta:
        found = parse(value)
        if found > most:
            raise Unfit(f"is longer than {most}: {why}", "Write a shorter duration, or leave the key out")
        return found

    return bounded


def glob(value: object) -> str:
    """A pattern with `*`, `?` and `[...]`."""
    pattern = text(value)
    if not pattern.isprintable() or pattern != pattern.strip():
        raise Unfit("has a blank at an end, or a character that cannot be seen", 'Write it plainly: "SPY", "BTC*"')
    opened = pattern.find("[")
    if opened >= 0 and "]" not in pattern[opened + 2 :]:
        raise Unfit("is no pattern: its [ is never closed", 'Write "SPY", "BTC*" or "[AB]*"')
    return pattern


def instruments(value: object) -> str:
    """A pattern of instruments, which are never written in small letters alone."""
    pattern = glob(value)
    if pattern.islower():
        raise Unfit("is in small letters and would match no instrument", f'Write it in capitals: "{pattern.upper()}"')
    return pattern


def wall_time(value: object) -> FlatBy:
    """`"15:55 America/New_York"`."""
    remedy = 'Write time and zone, in quotes: "15:55 America/New_York"'
    found = WALL_TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Unfit("is not a time with its zone", remedy)
    try:
        at = time(int(found["hour"]), int(found["minute"]))
    except ValueError:
        raise Unfit("is no time of day", remedy) from None
    try:
        return FlatBy(at=at, zone=ZoneInfo(found["zone"]))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unfit(f"names no time zone we know ({found['zone']})", remedy) from None


def entry_point(value: object) -> tuple[str, str]:
    """`"package.module:name"`, not loaded."""
    found = ENTRY_POINT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unfit("is not a Python entry point", 'Write module and name: "mypackage.rules:late_fade"')
    return found["module"], found["name"]


def word(kind: type[Word]) -> Callable[[object], Word]:
    """A parser for one of the words of an enum."""

    def parse(value: object) -> Word:
        try:
            return kind(text(value))
        except ValueError:
            raise Unfit("is not a word known here", _one_of([each.value for each in kind], value)) from None

    return parse


def one_of(*words: str) -> Callable[[object], str]:
    """A parser for one of these words."""

    def parse(value: object) -> str:
        if value not in words:
            raise Unfit("is not a word known here", _one_of(words, value))
        return str(value)

    return parse


def _one_of(words: list[str] | tuple[str, ...], value: object) -> str:
    from difflib import get_close_matches  # only where there is something to say

    near = get_close_matches(str(value).lower(), words, n=1)
    return f"Write one of {', '.join(words)}" + (f' (did you mean "{near[0]}"?)' if near else "")
