"""`standfast demo`: exchange, careless bot, guard and screen in one go; no keys, no network, nothing left behind.

Everything is real but the exchange: the guard is started by the ordinary command line on an ordinary settings file, the
bot is a script of the official client, and they speak HTTP and WebSocket over the loopback interface. The folder they
live in is temporary, and every process is ended whatever happens.
"""

import shutil
import signal
import sys
import tempfile
import textwrap
from pathlib import Path
from types import FrameType
from typing import NoReturn

from standfast.drills import demo_bot, demo_prices
from standfast.drills.demo_play import Play
from standfast.drills.demo_processes import Children
from standfast.drills.demo_report import judge, report
from standfast.drills.demo_screen import Screen

INTERRUPTED = 130


def run(*, replay: Path | None) -> int:
    """Show it on this terminal; 0 when everything the report claims held, 1 otherwise. StandfastError as elsewhere."""
    demo_bot.script()  # before anything is started, so that what is missing is said at once
    usual = signal.signal(signal.SIGTERM, _interrupt)
    try:
        play = _play(replay)
    except KeyboardInterrupt:
        sys.stdout.write("Interrupted; every process is ended and nothing is left.\n")
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, usual)
    claims = judge(play)
    _print(list(report(claims)))
    return 0 if all(claim.held for claim in claims) else 1


def _play(replay: Path | None) -> Play:
    with tempfile.TemporaryDirectory(prefix="standfast-demo-") as name:
        folder = Path(name)
        story = demo_prices.made_up(folder) if replay is None else demo_prices.recorded(replay.absolute())
        with Screen(story) as screen, Children(folder) as children:
            play = Play(story, folder, children, screen)
            play.run()
            return play


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _print(lines: list[tuple[str, str]]) -> None:
    lines = [(part, style) for text, style in lines for part in _wrapped(text)]
    if not sys.stdout.isatty():
        sys.stdout.write("".join(f"{text}\n" for text, _ in lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for text, style in lines:
        console.print(Text(text, style=style))


def _wrapped(text: str) -> list[str]:
    """To what reads well, continued under the first word."""
    indent = " " * (len(text) - len(text.lstrip()))
    width = min(100, shutil.get_terminal_size((100, 30)).columns)
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False) or [""]
