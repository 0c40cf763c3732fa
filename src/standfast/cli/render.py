"""Tables: coloured on a terminal, aligned plain text anywhere else.

1. rich is imported only when something is drawn on a terminal; a pipe never pays for it.
2. What came from a broker or an operator is data: control characters in it are shown, not obeyed.
3. No loaded secret is printed, wherever the text came from: a verb that asks a broker prints what the broker said.
4. Colour says nothing that the words do not say; NO_COLOR turns it off.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from standfast.model.secret import redact


class Cell(NamedTuple):
    text: str
    style: str = ""


class Column(NamedTuple):
    title: str
    right: bool = False
    wraps: bool = False
    """Long prose: wrapped on a terminal, never cut."""
    spare: bool = False
    """Left out on a terminal too narrow for every column, the last one first."""


GAP = 2  # blanks between two columns
SHORTEST_PROSE = 16
GOOD, BAD, WARN, DIM = "green", "red", "yellow", "dim"


def document(value: Mapping[str, object]) -> None:
    """Print one JSON document."""
    import json

    print(json.dumps(_without_secrets(value), indent=2, ensure_ascii=False))


def _without_secrets(value: object) -> object:
    """Every text in it redacted, before it is a document: after, a secret with a quote in it would break that."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {name: _without_secrets(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(item) for item in value]
    return value


def table(columns: Sequence[Column], rows: Iterable[Sequence[Cell | str]], *, empty: str) -> None:
    """Print rows under their titles, or the sentence that says there are none."""
    cells = [[_clean(cell) for cell in row] for row in rows]
    if not cells:
        print(empty)
    elif on_terminal():
        _draw(columns, cells)
    else:
        _align(columns, cells)


def line(text: str, style: str = "") -> None:
    """Print one line, in a style where there are styles."""
    if style and on_terminal():
        from rich.console import Console
        from rich.text import Text

        Console(highlight=False).print(Text(visible(text), style=style), soft_wrap=True)
    else:
        print(visible(text))


def aside(text: str) -> None:
    """Tell a person beside what is printed, so that a pipe gets the rows alone."""
    print(visible(text), file=sys.stderr)


def on_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def visible(text: str) -> str:
    """The text with control characters spelled out, so that no reply of a broker can steer a terminal."""
    text = redact(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


def at(time: datetime | None) -> str:
    """A time as people read it: UTC, to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}" if time is not None else "-"


def money(value: Decimal) -> Cell:
    """An amount with its sign, to the cent."""
    return Cell(f"{value:+,.2f}", GOOD if value > 0 else BAD if value < 0 else "")


def _clean(cell: Cell | str) -> Cell:
    text, style = cell if isinstance(cell, Cell) else (cell, "")
    return Cell(visible(text).replace("\n", " "), style)


def _align(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    titles = [column.title for column in columns]
    lines = [titles, *([cell.text for cell in row] for row in rows)]
    widths = [max(len(texts[index]) for texts in lines) for index in range(len(columns))]
    for texts in lines:
        padded = [
            text.rjust(width) if column.right else text.ljust(width)
            for text, width, column in zip(texts, widths, columns, strict=True)
        ]
        print("  ".join(padded).rstrip())


def _draw(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    columns, rows = _fitting(columns, rows, console.width)
    widths = _widths(columns, rows)
    if _total(widths) > console.width:
        _align(columns, rows)  # lines that the terminal breaks, rather than figures that end too early
        return
    drawn = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=True, padding=(0, GAP))
    for column, width in zip(columns, widths, strict=True):
        justify: Literal["left", "right"] = "right" if column.right else "left"
        drawn.add_column(column.title, justify=justify, no_wrap=not column.wraps, min_width=width, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell.text, style=cell.style) for cell in row))
    console.print(drawn)


def _fitting(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int
) -> tuple[Sequence[Column], Sequence[Sequence[Cell]]]:
    """The columns a terminal of that width has room for."""
    needed = _widths(columns, rows)
    kept = list(range(len(columns)))
    for index in reversed(range(len(columns))):
        if columns[index].spare and _total([needed[each] for each in kept]) > width:
            kept.remove(index)
    return [columns[index] for index in kept], [[row[index] for index in kept] for row in rows]


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[int]:
    """What each column needs: prose a little, everything else all of it."""
    whole = [max(len(column.title), *(len(row[index].text) for row in rows)) for index, column in enumerate(columns)]
    return [min(width, SHORTEST_PROSE) if column.wraps else width for width, column in zip(whole, columns, strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)
