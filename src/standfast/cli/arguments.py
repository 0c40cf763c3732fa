"""What every verb's arguments share: one parser per verb, one style of help, one kind of refusal.

1. A verb's parser is built only when that verb was asked for; nothing here is expensive to import.
2. `--config` and `--json` are taken before and after the verb alike.
3. A value that cannot be used is refused with the value and the remedy, and exit code 2.
"""

import argparse
import os
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, NoReturn

from standfast.model.share import share_of

USAGE = 2
DEFAULT_CONFIG = "standfast.toml"
PORT_MAX = 65_535

Options = argparse.Namespace


class Verb(NamedTuple):
    """One verb: its help, its arguments, and what it does (returning the exit code)."""

    does: str
    example: str
    codes: str
    run: Callable[[Options], int]
    arguments: Callable[["Parser"], None] = lambda parser: None


class Parser(argparse.ArgumentParser):
    """argparse, with our way of refusing."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"standfast: {message}\nTry: {self.prog} --help\n")


def parser_for(name: str, verb: Verb, *, config: str, json: bool) -> Parser:
    """The parser of one verb; what was said before the verb is its default."""
    parser = Parser(
        prog=f"standfast {name}",
        description=verb.does,
        epilog=f"example:\n{_indented(verb.example)}\n\nexit codes:\n{_indented(verb.codes)}",
        formatter_class=_formatter,
        allow_abbrev=False,
        add_help=False,
    )
    verb.arguments(parser)
    everywhere = parser.add_argument_group("everywhere")
    everywhere.add_argument("--config", metavar="FILE", default=config, help=f"settings (default: {DEFAULT_CONFIG})")
    everywhere.add_argument("--json", action="store_true", default=json, help="print one JSON document")
    everywhere.add_argument("-h", "--help", action="help", help="show this text")
    return parser


def _formatter(prog: str) -> argparse.HelpFormatter:
    """As wide as the terminal. argparse would import an archiver (shutil) to find that out."""
    try:
        width = os.get_terminal_size(1).columns
    except OSError:
        width = 100
    return argparse.RawDescriptionHelpFormatter(prog, width=max(min(width, 120) - 2, 60))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def quantity(text: str) -> Decimal:
    """A signed number that is not zero."""
    number = _number(text, 'a quantity is a number such as 10, 0.5 or -3 ("--" is not needed before a negative one)')
    if number == 0:
        raise argparse.ArgumentTypeError(f"{text!r}: a quantity of zero does nothing; give the number of shares")
    return number


def amount(text: str) -> Decimal:
    """An unsigned quantity."""
    number = _number(text, "a quantity is a number such as 10 or 0.5")
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text!r}: give a quantity above zero; the direction follows the position")
    return number


def price(text: str) -> Decimal:
    """A price above zero."""
    number = _number(text, "a price is a number such as 412.50, without currency sign or thousands separator")
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text!r}: give a price above zero")
    return number


def net_price(text: str) -> Decimal:
    """A price that may lie below zero: of a spread, for what closing it costs."""
    return _number(text, "a price is a number such as 412.50, of a spread also -5.55 or 0")


def share(text: str) -> Decimal:
    """How far a stop is from the entry, as the settings write it."""
    found = share_of(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: is no share of the entry; write for example 2%")
    return found


def seconds(text: str) -> float:
    """A duration: `60s`, `5m`, `1h`, or a bare number of seconds."""
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:], 0)
    digits = text[:-1] if unit else text
    number = _number(digits, "a duration is a number with its unit: 60s, 5m or 1h", shown=text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r}: a duration is not negative; write for example 60s")
    return float(number * (unit or 1))


def instrument(text: str) -> str:
    """An instrument's name, as the broker writes it: upper case, no blanks; of a hedged account with its side."""
    from standfast.desk.acts import instrument_named
    from standfast.model.errors import Misasked

    try:
        return instrument_named(text)
    except Misasked as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


def day(text: str) -> str:
    """A calendar day, `2026-11-20`."""
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: a day is written YYYY-MM-DD, for example 2026-11-20") from None


def whole(text: str) -> int:
    """A whole number from zero up."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 0 up")
    return int(text)


def port(text: str) -> int:
    """A port of this machine; 0 leaves the choice to it."""
    number = whole(text)
    if number > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r}: a port is at most {PORT_MAX}")
    return number


def _number(text: str, remedy: str, *, shown: str | None = None) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or "_" in text:
        raise argparse.ArgumentTypeError(f"{shown or text!r}: {remedy}")
    return number
