"""The demo's screen: who holds what and what it is worth, what just happened, what somebody was told.

On a terminal it is redrawn in place; anywhere else every event is one line as it happens. Both say the same.
"""

import os
import shutil
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING

from standfast.drills.demo_story import Story, Trade
from standfast.drills.demo_view import Ledger, View, of
from standfast.drills.demo_words import Line, is_bots, money, price
from standfast.exchange.sessions import NEW_YORK
from standfast.model.position import CloseReason, Phase, Position

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

KEPT = 40
ALARMS = 3
TABLE_LINES = 18
"""Lines of the screen that are not events."""
WIDE = 100
"""Columns from which on the entry price is shown too."""
ENDS = {
    CloseReason.STOP_LOSS: "its stop",
    CloseReason.TAKE_PROFIT: "its target",
    CloseReason.BROKER_EXIT: "its bracket",
    CloseReason.BOT_EXIT: "the bot",
    CloseReason.OPERATOR: "you",
}
MARGIN = 26
"""Columns beside the text of an event."""
WHO = {"the bot": "magenta", "Standfast": "cyan", "you": "blue", "the demo": "bold", "alarm": "yellow"}


class Screen:
    """`with Screen(story) as screen:`; then `tell` each event and `draw` as often as wanted."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.is_live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._events: deque[tuple[str, Line]] = deque(maxlen=KEPT)
        self._alarms: deque[tuple[str, Line]] = deque(maxlen=ALARMS)
        self._told: set[str] = set()
        self._live: Live | None = None
        self._stack = ExitStack()

    def __enter__(self) -> "Screen":
        if self.is_live:
            from rich.live import Live

            self._live = self._stack.enter_context(Live(screen=True, auto_refresh=False))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._live = None

    def tell(self, at: datetime, line: Line) -> None:
        """One event; the same alarm is told once."""
        when = f"{at.astimezone(NEW_YORK):%H:%M:%S}"
        if line.who == "alarm":
            if line.text in self._told:
                return
            self._told.add(line.text)
            self._alarms.append((when, line))
        else:
            self._events.append((when, line))
        if self._live is None:
            sys.stdout.write(f"{when}  {line.who:<9}  {line.text}\n")
            sys.stdout.flush()

    def draw(self, view: View, ledger: Ledger) -> None:
        """Nothing where events are printed as lines."""
        if self._live is not None:
            self._live.update(self.picture(view, ledger), refresh=True)

    # --- the picture ------------------------------------------------------------------------------

    def picture(self, view: View, ledger: Ledger) -> "RenderableType":
        from rich.console import Group
        from rich.panel import Panel

        width, height = shutil.get_terminal_size((100, 30))
        events = _fitting(list(self._events), max(4, height - TABLE_LINES), width - MARGIN)
        return Group(
            Panel(self._heading(view, ledger), border_style="cyan", title="standfast demo", title_align="left"),
            self._table(view, ledger),
            Panel(_lines(events), border_style="dim", title="what just happened", title_align="left"),
            Panel(_lines(list(self._alarms)), border_style="dim", title="alarms", title_align="left"),
        )

    def _heading(self, view: View, ledger: Ledger) -> "Text":
        from rich.text import Text

        local = view.now.astimezone(NEW_YORK)
        session = ledger.book.state.session
        is_open = session is not None and session.is_open
        text = Text(f"{local:%a %d %b %Y  %H:%M:%S} New York", style="bold")
        text.append(f"   session {'open' if is_open else 'closed'}", style="green" if is_open else "yellow")
        text.append(f"   x{self.story.speed}   {self.story.title}   ledger: {ledger.book.head} entries", style="dim")
        return text

    def _table(self, view: View, ledger: Ledger) -> "Table":
        from rich import box
        from rich.table import Table

        titles = ("TRADE", "BROKER", "BOOKS", "BOT'S LIST", "ENTRY", "PRICE", "P&L", "ITS STOP")
        is_wide = shutil.get_terminal_size((100, 30)).columns >= WIDE
        kept = [number for number, title in enumerate(titles) if is_wide or title != "ENTRY"]
        table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, header_style="bold")
        for number in kept:
            is_text = titles[number] in ("TRADE", "ITS STOP")
            table.add_column(titles[number], justify="left" if is_text else "right", no_wrap=True)
        shown: set[str] = set()
        for trade in self.story.trades:
            row = self._row(trade, view, ledger, is_first=trade.instrument not in shown)
            table.add_row(*(row[number] for number in kept))
            shown.add(trade.instrument)
        return table

    def _row(self, trade: Trade, view: View, ledger: Ledger, *, is_first: bool) -> "list[Text]":
        from rich.text import Text

        position = ledger.position(trade.name)
        held = view.held.get(trade.instrument, Decimal(0))
        name = Text(f"{trade.instrument} {trade.name}", style="" if position is not None else "dim")
        broker = Text(f"{held:f}".rstrip("0").rstrip(".") if held else "-") if is_first else Text("")
        listed = of(view.listed, trade.name)
        if position is None:
            return [name, broker, Text("-"), _listed(trade, listed=listed, held=False), *_blank(4)]
        bid = view.bids.get(trade.instrument)
        is_over = position.phase is Phase.CLOSED
        pnl = position.pnl if is_over or bid is None else _value(position, bid)
        return [
            name,
            broker,
            Text(f"{position.held:f}" if not is_over else "-"),
            _listed(trade, listed=listed, held=not is_over),
            Text(price(position.entry_price)),
            Text(price(position.exit_price if is_over else bid), style="dim" if is_over else ""),
            Text(money(pnl), style="green" if pnl > 0 else "red" if pnl < 0 else ""),
            _ended(position) if is_over else _stop(position, ledger),
        ]


def _value(position: Position, bid: Decimal) -> Decimal:
    """Realised, and what closing the rest now would bring."""
    entry = position.entry_price or bid
    return position.pnl + (bid - entry) * position.held * position.sign


def _listed(trade: Trade, *, listed: bool, held: bool) -> "Text":
    from rich.text import Text

    if listed:
        return Text(str(trade.quantity), style="" if held else "red")
    return Text("not listed" if held else "-", style="bold red" if held else "dim")


def _ended(position: Position) -> "Text":
    from rich.text import Text

    why = ENDS.get(position.close_reason, str(position.close_reason)) if position.close_reason else "fills"
    return Text(f"closed: {why}", style="dim")


def _stop(position: Position, ledger: Ledger) -> "Text":
    from rich.text import Text

    stops = ledger.stops(position)
    own = [order for order in stops if not is_bots(order)]
    if own:
        return Text(f"{price(own[0].stop_price)} Standfast's", style="green")
    if stops:
        return Text(f"{price(stops[0].stop_price)} the bot's, a day", style="yellow")
    return Text("being put in place", style="red")


def _blank(count: int) -> "list[Text]":
    from rich.text import Text

    return [Text("-", style="dim") for _ in range(count)]


def _fitting(events: Sequence[tuple[str, Line]], lines: int, width: int) -> list[tuple[str, Line]]:
    """The last of them, as many as fit when long ones are wrapped."""
    kept: list[tuple[str, Line]] = []
    for event in reversed(events):
        lines -= -(-len(event[1].text) // max(width, 20))
        if lines < 0:
            break
        kept.append(event)
    return kept[::-1]


def _lines(events: Sequence[tuple[str, Line]]) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, min_width=8, style="dim")
    table.add_column(no_wrap=True, min_width=9)
    table.add_column(overflow="fold", ratio=1)
    for when, line in events:
        table.add_row(when, Text(line.who, style=WHO.get(line.who, "")), Text(line.text, style=line.style))
    return table if events else Text("none", style="dim")
