"""Drills: incidents that cost money, played twice on the simulated exchange, bare and guarded.

A drill's story is written once, against a small `Stage`. It is played with a bot alone, which makes the mistake of
the incident, and with the same bot beside (or through) a guard. Each run is judged by claims about what is so at the
exchange and in the ledger. The drill is passed when the guarded run held every claim and the bare one did not.

Importing this room is cheap: a drill is loaded when it is played.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from standfast.drills.played import Played

NAMES = {
    "exits-expire": "brackets with day legs lose their exits at the close, and nobody looks",
}
"""Each drill's name, and what happened."""


def run(name: str, *, wire: bool) -> "Played":
    """Play one incident, bare and guarded. KeyError for an unknown name.

    `wire`: over HTTP and WebSocket against a served exchange, in minutes of a faster clock, instead of in process.
    """
    from standfast.drills.playing import run as play

    if name not in NAMES:
        raise KeyError(name)
    return play(name, wire=wire)
