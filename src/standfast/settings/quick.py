"""What a verb that only reads the ledger has to know, with plain tomllib: nothing heavy is imported, little is checked.

A guard that runs has checked the file already; here an answer in milliseconds is worth more than a second opinion.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from standfast.model.errors import SettingsError
from standfast.settings.environment import override
from standfast.settings.files import read_regular
from standfast.settings.ledger import DEFAULT, ledger_address
from standfast.settings.report import Unfit, seen


def ledger_url(file: Path, environ: Mapping[str, str]) -> str:
    """The ledger's address, absolute; the default beside the file where none is written."""
    ledger = _read(file, environ).get("ledger", {})
    value = ledger.get("url", DEFAULT) if isinstance(ledger, dict) else ledger
    try:
        return ledger_address(value, file.absolute().parent)
    except Unfit as unfit:
        raise SettingsError(f"{file}: ledger.url {unfit.trouble}. {unfit.remedy}.") from None


def account_names(file: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the accounts, in the order of the file."""
    accounts = _read(file, environ).get("accounts", [])
    rows = accounts if isinstance(accounts, list) else []
    return tuple(str(row["name"]) for row in rows if isinstance(row, dict) and "name" in row)


def _read(file: Path, environ: Mapping[str, str]) -> dict[str, object]:
    data = toml(file)
    _, problems = override(data, environ)
    if problems:
        raise SettingsError("\n".join(problems))
    return data


def toml(file: Path) -> dict[str, object]:
    """The file's tables as they stand; a `SettingsError` with the cure where it cannot be read."""
    return parsed(file, source(file))


BYTES_MAX = 256 * 1024
"""Five hundred policies are shorter; something longer is another file."""
DOTS_MAX = 500
"""In one line: tomllib takes time with the square of a dotted key's length."""


def source(file: Path) -> str:
    """The text of the file, as the SettingsErrors below have it. A byte order mark, as some editors write, is none."""
    try:
        read, _ = read_regular(file, BYTES_MAX + 1)
        if len(read) > BYTES_MAX:
            raise SettingsError(f"{file}: is longer than {BYTES_MAX} bytes. Is it the right file?")
        return read.decode("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(
            f"{file}: there is no such file. Write one with `standfast init`, or name yours with --config."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror}). Check the path and its rights.") from None


def parsed(file: Path, text: str) -> dict[str, object]:
    from decimal import Decimal

    if any(line.count(".") > DOTS_MAX for line in text.splitlines()):
        raise SettingsError(f"{file}: has a line with more than {DOTS_MAX} dots. Is it the right file?")
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: is not TOML: {seen(str(error))}. Correct that line.") from None
    except (RecursionError, ArithmeticError, ValueError):
        raise SettingsError(
            f"{file}: is not TOML for us: a number without end, or tables without end. Correct it."
        ) from None
