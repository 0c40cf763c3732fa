"""Where the demo's prices come from: a made-up afternoon and morning, or a recorded day.

Both are played by the exchange from files of quotes, second by second, so the demo never moves a price while it runs:
what the story needs is in the file beforehand, and in a recorded file nothing is added.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from standfast.drills.demo_story import Story, trades
from standfast.exchange.market import Drift, Market, Walk
from standfast.exchange.quotes_file import FileQuote, quotes
from standfast.exchange.quotes_name import UnreadableQuotes
from standfast.exchange.sessions import NEW_YORK, USSessions
from standfast.model.errors import StandfastError

SEED = 20260105
MADE_UP = date(2026, 1, 5)  # a Monday
MINUTE = timedelta(minutes=1)
LAST = 49 * MINUTE
"""How long before the close a recorded day is entered: what the bot does needs this long."""
FINEST = ("second", "minute", "tick")


def made_up(folder: Path) -> Story:
    """Four instruments, the last forty minutes of one session and the first minutes of the next."""
    sessions = USSessions()
    close = sessions.next_close(datetime(MADE_UP.year, MADE_UP.month, MADE_UP.day, 15, tzinfo=NEW_YORK))
    morning = sessions.next_open(close)
    start = close - 39 * MINUTE
    walks = [
        Walk(instrument="AAPL", price=Decimal(250), volatility=0.002),
        Walk(instrument="BMY", price=Decimal(50), volatility=0.03),
        Walk(instrument="MSFT", price=Decimal(480), volatility=0.002),
        Walk(instrument="NVDA", price=Decimal(180), volatility=0.002),
    ]
    falls = [
        Drift("NVDA", close - 22 * MINUTE, close - 3 * MINUTE, Decimal("-0.07")),
        Drift("MSFT", morning + MINUTE, morning + 6 * MINUTE, Decimal("-0.045")),
    ]
    market = Market(SEED, walks, events=falls, sessions=sessions)
    found = market.quotes(start - 2 * MINUTE, morning + 15 * MINUTE)
    return Story(
        title="a made-up market",
        trades=trades(("AAPL", "NVDA", "MSFT", "BMY"), (40, 60, 20, 100), ("3", "2", "2", "0.25")),
        prices=_written(found, folder),
        start=start,
        close=close,
        morning=morning - MINUTE,
        end=morning + 8 * MINUTE,
        speed=40,
        is_real=False,
    )


def recorded(path: Path) -> Story:
    """The last part of a recorded day's session, all four trades in its instrument. StandfastError if it cannot be."""
    try:
        files = _one_day(path)
        first = next(quotes(files[0]))
    except (UnreadableQuotes, StopIteration, OSError) as error:
        raise StandfastError(f"{path}: cannot be replayed: {str(error) or 'no quotes in it'}") from error
    session = USSessions().session(first.at.astimezone(NEW_YORK).date())
    if session is None:
        raise StandfastError(f"{path}: no session of US equities on {first.at.date()}; give a trading day")
    name = first.instrument
    return Story(
        title=f"{name} as it was on {session.day:%d %B %Y}, second by second",
        trades=trades((name,) * 4, (40, 120, 80, 60), ("1.5", "0.2", "2", "0.03")),
        prices=files,
        start=session.closes - LAST,
        close=session.closes,
        morning=None,
        end=None,
        speed=45,
        is_real=True,
    )


def _one_day(path: Path) -> list[Path]:
    """The file, or of a folder its finest file: SPY's if there is one."""
    if path.is_file():
        return [path]
    files = [file for file in sorted(path.rglob("*")) if file.name.lower().endswith(("_quote.zip", "_quote.csv"))]
    if not files:
        raise UnreadableQuotes("no file in it ends in _quote.zip")
    return [min(files, key=_rank)]


def _rank(file: Path) -> tuple[bool, int, str]:
    parts = [part.lower() for part in file.parts]
    grain = next((rank for rank, name in enumerate(FINEST) if name in parts), len(FINEST))
    return "spy" not in parts, grain, str(file)


def _written(found: Iterable[FileQuote], folder: Path) -> Sequence[Path]:
    """The quotes as files of seconds, a file for each instrument and day, as LEAN keeps them."""
    rows: dict[Path, list[str]] = {}
    for quote in found:
        local = quote.at.astimezone(NEW_YORK)
        path = folder / "equity" / quote.instrument.lower() / "second" / f"{local:%Y%m%d}_quote.csv"
        rows.setdefault(path, []).append(_row(quote, local))
    for path, lines in rows.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return list(rows)


def _row(quote: FileQuote, local: datetime) -> str:
    """A bar of one second: it is dated at its beginning and its close holds at its end."""
    midnight = datetime(local.year, local.month, local.day, tzinfo=NEW_YORK)
    milliseconds = int((quote.at - midnight.astimezone(UTC)) / timedelta(milliseconds=1)) - 1000
    assert quote.bid is not None, quote
    assert quote.ask is not None, quote
    bid, ask = (f"{price * 10_000:.0f}" for price in (quote.bid, quote.ask))
    return ",".join([str(milliseconds), *(bid,) * 4, f"{quote.bid_size:f}", *(ask,) * 4, f"{quote.ask_size:f}"])
