"""What a LEAN quote file holds, read from its path and its members' names.

The rows carry neither day nor instrument nor unit, so a renamed file would be believed wholesale. Therefore: the
member's name is read first, the path fills in what it leaves out, and two sources that disagree are an error, not a
precedence rule.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeVar

Resolution = Literal["minute", "second", "tick"]

CRYPTO_FOLDERS = {"crypto", "cryptofuture"}
QUOTE_CURRENCIES = ("FDUSD", "USDT", "USDC", "BUSD", "USD", "EUR", "BTC", "ETH")  # longest first where one ends another

MEMBER = re.compile(
    r"(?P<day>\d{8})_(?P<symbol>[a-z0-9.\-]+)_"
    r"(?:(?P<resolution>minute|second|tick)_quote|quote_(?P<tick>tick))"
    r"(?:_(?:american|european)_(?P<right>call|put)_(?P<strike>\d+)_(?P<expiry>\d{8})|_(?P<perpetual>perp))?\.csv"
)
ARCHIVE = re.compile(r"(?P<day>\d{8})_quote(?:_american|_european)?\.(?:zip|csv)")

_T = TypeVar("_T")


class UnreadableQuotes(ValueError):
    """The file, or a row of it, is not what its format says. The text names file, row and value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """One CSV's meaning. Crypto: plain decimals, UTC. All else: 1/10,000 dollar, New York."""

    name: str
    instrument: str
    day: date
    resolution: Resolution
    is_crypto: bool


def contents_of(
    path: Path, names: Iterable[str], *, instrument: str | None, day: date | None, resolution: Resolution | None
) -> list[Contents]:
    """Every member wanted, by instrument. UnreadableQuotes when nothing is left or something cannot be told."""
    known = [_contents(path, name, instrument, day, resolution) for name in names]
    if not known:
        raise UnreadableQuotes(f"{path}: holds no CSV")
    found = [contents for contents in known if instrument in (None, contents.instrument)]
    if not found:
        held = ", ".join(sorted(contents.instrument for contents in known))
        raise UnreadableQuotes(f"{path}: holds no quotes of {instrument}, only of {held}")
    if len({contents.instrument for contents in found}) < len(found):
        raise UnreadableQuotes(f"{path}: several members of one instrument: {', '.join(c.name for c in found)}")
    return sorted(found, key=lambda contents: contents.instrument)


def _contents(
    path: Path, name: str, instrument: str | None, day: date | None, resolution: Resolution | None
) -> Contents:
    where = f"{path}!{name}" if name != path.name else str(path)
    member = MEMBER.fullmatch(Path(name).name.lower())
    archive = ARCHIVE.fullmatch(path.name.lower())
    folders = [part.lower() for part in path.parent.parts]
    is_crypto = bool(CRYPTO_FOLDERS & set(folders)) or bool(member and member["perpetual"])
    said = (member["resolution"] or member["tick"]) if member else None
    return Contents(
        name=name,
        instrument=_instrument(where, member, folders, instrument, is_crypto=is_crypto),
        day=_agreed(where, "day", member and _day(where, member["day"]), archive and _day(where, archive["day"]), day),
        resolution=_agreed(where, "resolution", _resolution(said), _folder_resolution(folders), resolution),
        is_crypto=is_crypto,
    )


def _agreed(where: str, what: str, *said: _T | None) -> _T:
    different = list(dict.fromkeys(value for value in said if value is not None))
    if not different:
        raise UnreadableQuotes(f"{where}: neither the path nor the name says which {what} this is; give it")
    if len(different) > 1:
        raise UnreadableQuotes(f"{where}: {what} is {different[0]} and also {different[1]}")
    return different[0]


def _day(where: str, digits: str) -> date:
    try:
        return datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007  a calendar day has no zone
    except ValueError:
        raise UnreadableQuotes(f"{where}: {digits} is not a day") from None


def _resolution(text: str | None) -> Resolution | None:
    for resolution in ("minute", "second", "tick"):
        if text == resolution:
            return resolution
    return None


def _folder_resolution(folders: list[str]) -> Resolution | None:
    """The folders nearest the file decide: `minute/spy/` and `spy/minute/` are both in use."""
    return next((found for part in folders[:-3:-1] if (found := _resolution(part))), None)


def _instrument(
    where: str, member: re.Match[str] | None, folders: list[str], given: str | None, *, is_crypto: bool
) -> str:
    if member and member["right"]:
        return _option(where, member)
    if given:  # nothing but an options zip holds several, so a given name is the name
        return given
    symbol = member["symbol"] if member else _symbol_folder(folders)
    if symbol is None:
        raise UnreadableQuotes(f"{where}: neither the path nor the name says which instrument this is; give it")
    if not is_crypto:
        return symbol.upper()
    return _pair(where, symbol, is_perpetual="cryptofuture" in folders or bool(member and member["perpetual"]))


def _symbol_folder(folders: list[str]) -> str | None:
    """`…/spy/second/` and `…/second/spy/`: the one of the last two folders that is not the resolution."""
    last = folders[-2:]
    if not any(_resolution(part) for part in last):
        return None
    return next((part for part in last if _resolution(part) is None), None)


def _option(where: str, member: re.Match[str]) -> str:
    """OSI, as `SPXW210106P03800000`. LEAN writes the strike x 10,000, OSI x 1,000."""
    strike = Decimal(member["strike"]) / 10
    if strike != int(strike):
        raise UnreadableQuotes(f"{where}: strike {member['strike']} is finer than OSI can write")
    expiry = _day(where, member["expiry"])
    return f"{member['symbol'].upper()}{expiry:%y%m%d}{member['right'][0].upper()}{int(strike):08d}"


def _pair(where: str, symbol: str, *, is_perpetual: bool) -> str:
    """ccxt's unified name: `BTC/USDT`, perpetual `BTC/USDT:USDT`, coin-margined `BTC/USD:BTC`."""
    text = symbol.upper()
    quote = next((currency for currency in QUOTE_CURRENCIES if text.endswith(currency) and text != currency), None)
    if quote is None:
        raise UnreadableQuotes(f"{where}: {symbol} does not end in a known currency; give the instrument")
    base = text.removesuffix(quote)
    if not is_perpetual:
        return f"{base}/{quote}"
    return f"{base}/{quote}:{base if quote == 'USD' else quote}"
