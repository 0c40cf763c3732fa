"""Tables: coloured on a terminal, aligned plain text anywhere else.

1. rich is imported only when something is drawn on a terminal; a pipe never pays for it.
2. What came from a broker or an operator is data: control characters in it are shown, not obeyed.
3. Colour says nothing that the words do not say; NO_COLOR turns it off.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple


class Cell(NamedTuple):
    text: str
    style: str = ""


class Column(NamedTuple):
    title: str
    right: bool = False
    wraps: bool = False
    """Long prose: wrapped on a terminal, never cut."""


GOOD, BAD, WARN, DIM = "green", "red", "yellow", "dim"


def document(value: Mapping[str, object]) -> None:
    """Print one JSON document."""
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False))


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


def on_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def visible(text: str) -> str:
    """The text with control characters spelled out, so that no reply of a broker can steer a terminal."""
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
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in columns:
        drawn.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
        )
    for row in rows:
        drawn.add_row(*(Text(cell.text, style=cell.style) for cell in row))
    Console(highlight=False).print(drawn)
