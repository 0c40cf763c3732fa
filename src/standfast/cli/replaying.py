"""`drill replay`: recorded days of options, played from the quotes to the exits and judged."""

import argparse
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from standfast.cli.arguments import Options, Parser, Verb

if TYPE_CHECKING:
    from standfast.cli.doors_days import DayJudged, DayKept

OPENS, CLOSES = time(9, 30), time(16, 0)
SHOWN = 5
"""Of what is wrong with one position, so many are printed."""


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "path", metavar="PATH", help="recorded quotes of options as LEAN keeps them: a day's file, or a folder of days"
    )
    parser.add_argument(
        "--from", dest="since", type=_after_open, metavar="HH:MM", help="begin then, New York time (default: 09:30)"
    )
    parser.add_argument(
        "--to", dest="until", type=_after_open, metavar="HH:MM", help="leave it then (default: after the close)"
    )
    parser.add_argument(
        "--keep", metavar="DIR", help="a folder for each day's settings, ledger and exchange log, to look into"
    )


def _after_open(text: str) -> timedelta:
    """Time since the open."""
    try:
        at = datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  # a time of day has no zone
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: a time is written HH:MM, for example 13:30") from None
    if not OPENS <= at <= CLOSES:
        raise argparse.ArgumentTypeError(f"{text!r}: give a time of the session, 09:30 to 16:00")
    return timedelta(hours=at.hour - OPENS.hour, minutes=at.minute - OPENS.minute)


def _replay(options: Options) -> int:
    from pathlib import Path

    from standfast.cli import doors_days, render
    from standfast.model.errors import StandfastError

    path = Path(options.path)
    if not path.exists():
        raise StandfastError(f"{options.path}: there is no such file; check the path")
    since = options.since or timedelta(0)
    if options.until is not None and options.until <= since:
        raise StandfastError("--to is not after --from; give a later time")
    found = doors_days.days().run(
        path,
        since=since,
        until=options.until,
        keep=Path(options.keep) if options.keep else None,
        told=(lambda _: None) if options.json else _print_day,
    )
    if options.json:
        render.document({"days": [_day(each) for each in found]})
    return 0 if all(each.held for each in found) else 1


def _print_day(day: "DayJudged") -> None:
    from standfast.cli import render

    render.line(f"{day.notes.day}: {'held' if day.held else 'NOT HELD'}", render.GOOD if day.held else render.BAD)
    columns = (
        render.Column("POSITION"),
        render.Column("OPENED BY"),
        render.Column("AT"),
        render.Column("ENTRY", right=True),
        render.Column("WAS DUE"),
        render.Column("AT"),
        render.Column("SENT AFTER", right=True),
        render.Column("FLAT AFTER", right=True),
        render.Column("MINUTES", right=True),
        render.Column("BLIND", right=True),
        render.Column("EXCHANGE", right=True),
        render.Column("BOOKS", right=True),
    )
    render.table(columns, [_row(each) for each in day.kept], empty="Nothing was opened.")
    for each in day.kept:
        for text in each.wrong[:SHOWN]:
            render.line(f"  {each.name}: {text}", render.BAD)
        if len(each.wrong) > SHOWN:
            render.line(f"  {each.name}: and {len(each.wrong) - SHOWN} more; see --json", render.BAD)
    for text in day.refused:
        render.line(f"  not opened, {text}", render.DIM)
    for text in day.wrong:
        render.line(f"  {text}", render.BAD)
    wrong = len(day.wrong) + sum(len(each.wrong) for each in day.kept)
    render.line(
        f"  {len(day.kept)} positions, {day.minutes} minutes held, {wrong} found wrong; "
        f"the account earned {day.notes.earned:,.2f}, the books {day.booked:,.2f}"
    )


def _row(kept: "DayKept") -> list[str]:
    over = None if kept.over is None else (kept.over - kept.due.at).total_seconds()
    return [
        kept.name,
        kept.by,
        _clock(kept.opened),
        f"{kept.entry:.2f}",
        kept.due.reason,
        _clock(kept.due.at),
        _seconds(kept.lag),
        _seconds(over),
        str(kept.minutes),
        str(kept.blind),
        f"{kept.earned:,.2f}",
        f"{kept.booked:,.2f}",
    ]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _clock(at: datetime | None) -> str:
    from zoneinfo import ZoneInfo

    return "-" if at is None else f"{at.astimezone(ZoneInfo('America/New_York')):%H:%M:%S}"


def _day(day: "DayJudged") -> dict[str, object]:
    return {
        "day": day.notes.day.isoformat(),
        "held": day.held,
        "minutes": day.minutes,
        "earned": str(day.notes.earned),
        "booked": str(day.booked),
        "refused": day.refused,
        "wrong": day.wrong,
        "positions": [_position(each) for each in day.kept],
    }


def _position(kept: "DayKept") -> dict[str, object]:
    return {
        "name": kept.name,
        "opened_by": kept.by,
        "opened_at": _utc(kept.opened),
        "entry": str(kept.entry),
        "due": kept.due.reason,
        "due_at": _utc(kept.due.at),
        "sent_at": _utc(kept.sent),
        "flat_at": _utc(kept.over),
        "close_reason": kept.reason,
        "minutes": kept.minutes,
        "blind_minutes": kept.blind,
        "earned": str(kept.earned),
        "booked": str(kept.booked),
        "wrong": kept.wrong,
    }


def _utc(at: datetime | None) -> str | None:
    from datetime import UTC

    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


VERBS = {
    "drill replay": Verb(
        does="Play recorded days of options end to end: quotes, simulated exchange, Tradier's HTTP, the guard, exits.\n"
        "Spreads and single options are opened through the guard and by a bot and kept by rules of every kind. They\n"
        "are judged by the recording and the exchange's own books: no uncovered minute, every exit before the next\n"
        "quote, the profit equal to the cent. Time is not waited for: a day takes a minute or two.",
        example="standfast drill replay indexoption/spxw\n"
        "standfast drill replay 20210106_quote_european.zip --from 13:00 --to 15:30 --keep replayed",
        codes="0   every position of every day was kept as its rules say\n1   not (what was wrong is printed)\n"
        "2   usage error",
        run=_replay,
        arguments=_arguments,
    ),
}
