"""SIGHUP beyond policies: what is taken in at once, and what is told to need a restart."""

import signal
from pathlib import Path

from tests.acceptance.stage import PAPER, SECOND, Stage, until


def messages(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def test_alarms_go_through_the_channels_of_the_reloaded_settings(stage: Stage) -> None:
    """They went on through the old ones, while `doctor --send` called the new ones good."""
    exchange, pager = stage.exchange(), stage.folder / "pager.jsonl"
    stage.settings(exchange.url)
    guard = stage.guarded()

    stage.settings(exchange.url, alerts=(f"file://{pager}",))
    guard.send(signal.SIGHUP)
    until(lambda: "settings reloaded" in guard.said(), "the reload", told=guard.tail)
    stage.settings(exchange.url, 'exits_held_by = "nobody"\n')
    guard.send(signal.SIGHUP)

    until(lambda: "the old ones go on" in messages(pager), "the alarm in the new channel", told=guard.tail)


def test_what_a_reload_cannot_reach_is_named_and_told(stage: Stage) -> None:
    exchange = stage.exchange()
    stage.settings(exchange.url)
    guard = stage.guarded()

    stage.settings(exchange.url, more='clock = "exchange"\nfeed = "sip"\n', accounts=(PAPER, SECOND))
    guard.send(signal.SIGHUP)

    told = "how account paper is reached, account second, which is new. Needed: restart it"
    until(lambda: stage.alarms(told), "its alarm", told=guard.tail)
