"""Drills: incidents that cost money, played twice on the simulated exchange, bare and guarded.

A drill's story is written once, against a small `Stage`. It is played with a bot alone, which makes the mistake of
the incident, and with the same bot beside (or through) a guard. Each run is judged by claims about what is so at the
exchange and in the ledger. The drill is passed when the guarded run held every claim and the bare one did not.

Importing this room is cheap: a drill is loaded when it is played.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from standfast.drills.lagging import Figures, Ran
    from standfast.drills.played import Played

NAMES = {
    "silent-removal": "closing one spread rewrites the bot's file: another one is no longer in it, open at the broker",
    "dead-manager": "the task that looks after a spread dies of an empty quote, and nobody starts it again",
    "trailing-never-arms": "the trailing stop arms at +30 %, the trade peaks at +29 %: nothing is kept of it",
    "orphan-legs": "six legs are found where two or four were expected: the bot skips them all",
    "half-spread": "one leg of a spread fills, the rest is rejected: the bot takes it that nothing happened",
    "assigned-early": "a sold put is assigned early: the bot sells what is left and knows of no shares",
    "leg-liquidated": "on the last day the broker sells the bought leg, and leaves the sold one alone",
    "expired-worthless": "a spread expires: no order closed it, so its result is in nobody's books",
    "expired-in-the-money": "a sold put ends in the money on Friday: shares on Monday, and a gap",
    "exits-expire": "brackets with day legs lose their exits at the close, and nobody looks",
    "gone-between-polls": "the broker's bracket closes positions before the bot's next poll: no record of them",
    "empty-list": "the broker answers `no positions` for a while: the bot settles its books at cost",
    "incomplete-list": "a list leaves rows out now and then: the bot cancels stops that are needed",
    "dns-outage": "no name resolves: the bot takes three silences for `order not found` and forgets its orders",
    "timeout-after-accept": "an order times out, is written off as rejected, and fills",
    "filled-while-cancelling": "an entry fills while its cancel is under way: the bot deletes its record",
    "stale-after-cancel": "an entry still reads `open` after its cancel: a stop is placed for a position that is not",
    "retry-doubles": "a POST that was not answered is sent again under a fresh id: the position doubles",
    "close-flips": "a close takes its side from the wrong field: the short position doubles instead of ending",
    "close-twice": "a filled close is not noticed and sent again: the position flips",
    "exit-storm": "a close cannot be verified and is fired again at every look, booking profit each time",
    "stop-not-seen": "a stop rests as a held stop-limit leg: the reconciler does not know it and places its own",
    "stop-wrong-size": "the stop keeps its old size when the position changes: refused after a sale, half after a buy",
    "kill-switch-leftovers": "`flatten all` closes positions, leaves an entry resting, and it fills with nobody there",
    "rollback-doubles": "perpetual: positions are told late, and an entry is `rolled back` by buying it once more",
    "liquidated-before-stop": "perpetual: liquidated before its stop was there, open in the bot's database for ever",
    "perp-liquidated": "perpetual: a stop rests beyond the liquidation price: the exchange is there first",
    "perp-deleveraged": "perpetual: the exchange takes a part of a short away, the bot closes all of what it had",
    "perp-funding-week": "perpetual: a week's funding is in nobody's books: a profit that was a loss",
    "perp-hedge-mode": "perpetual: both sides are held, and the stop of the long is sent for the short",
    "perp-mode-mismatch": "perpetual: the bot is one-way, the account hedged: stop and close are refused, and logged",
    "perp-close-flips": "perpetual: a close takes its side from the wrong field: the short doubles instead of ending",
    "perp-stop-not-seen": "perpetual: the stop is a conditional order that no list shows: one more at every look",
    "perp-timeout-after-accept": "perpetual: an order times out, is written off as rejected, and fills",
    "perp-filled-while-cancelling": "perpetual: an entry fills while its cancel is on its way: its record is deleted",
}
"""Each drill's name, and what happened."""


def run(name: str, *, wire: bool, replay: "Path | None" = None, at: str | None = None) -> "Played":
    """Play one incident, bare and guarded. KeyError for an unknown name.

    `wire`: over HTTP and WebSocket against a served exchange, in minutes of a faster clock, instead of in process.
    `replay`: on these recorded quotes. ValueError or OSError where that cannot be.
    `at`: at this exchange instead of its usual one. ValueError where it is not played there.
    """
    from standfast.drills.playing import run as play

    if name not in NAMES:
        raise KeyError(name)
    return play(name, wire=wire, replay=replay, at=at)


SEEDED = "rollback-doubles"
"""The drill that can be played over seeds."""


def seeds(first: int, count: int, told: "Callable[[Ran], None]") -> "Figures":
    """Play `SEEDED` guarded over so many seeds: see `lagging`. `told` of each."""
    from standfast.drills.lagging import measure

    return measure(first, count, told)
