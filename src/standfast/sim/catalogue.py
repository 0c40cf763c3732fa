"""The faults there are: reliability.md §4.2, kind by kind, with what makes each of them apply to one equities account.

A kind stands either in `KINDS` (a seed may draw it) or in `ELSEWHERE`, with the reason and where it is tested.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. `lasts`: seconds, drawn between the two ends. `an_hour`: about how often in an hour, when it is on."""

    name: str
    lasts: tuple[float, float] = (10.0, 90.0)
    an_hour: float = 3.0
    sick_from: float = 2.0
    """From this strength on the account cannot be called healthy while it lasts; 2: never."""
    about_one: bool = False
    """Whether it is about one instrument."""


KINDS: dict[int, Kind] = {
    1: Kind("request lost", an_hour=12, sick_from=0.15),
    2: Kind("accepted, response lost", an_hour=12, sick_from=0.15),
    3: Kind("accepted after the client's timeout", an_hour=12, sick_from=0.15),
    4: Kind("accepted after the flight time", an_hour=0.7, sick_from=0),
    5: Kind("429", sick_from=0.15),
    6: Kind("5xx before acceptance", sick_from=0.15),
    7: Kind("5xx or reset after acceptance", an_hour=12, sick_from=0.15),
    8: Kind("reject", an_hour=6, sick_from=0.15),
    9: Kind("accepted, then rejected", lasts=(0, 0), about_one=True),
    10: Kind("partial fill, then nothing", about_one=True, sick_from=0),
    11: Kind("partial fill, then cancelled by the broker", lasts=(0, 0), about_one=True),
    12: Kind("slow fill", sick_from=0.3),
    13: Kind("a fill wins the race against a cancel"),
    14: Kind("cancel stays pending", sick_from=0.1),
    15: Kind("cancel refused while live", an_hour=6, sick_from=0.15),
    16: Kind("stop triggered while being replaced"),
    17: Kind("replace slow, both ids visible", sick_from=0.3),
    18: Kind("duplicate id refused", an_hour=0),
    22: Kind("DAY order expires at the session's end", an_hour=0),
    23: Kind("GTC order expires", lasts=(0, 0), about_one=True),
    26: Kind("fractions of a share", an_hour=0),
    29: Kind("stale positions", sick_from=0.5),
    30: Kind("stale orders", sick_from=0.5),
    31: Kind("rows missing from a list", sick_from=0.2),
    32: Kind("one endpoint stale for minutes", lasts=(20, 200), an_hour=2.5, sick_from=0),
    33: Kind("empty list", sick_from=0.2),
    35: Kind("an answer that cannot be understood", sick_from=0.15),
    37: Kind("quotes missing, zero, crossed or old", sick_from=0),
    38: Kind("latency", sick_from=0.3),
    39: Kind("outage", lasts=(2, 120), an_hour=2, sick_from=0),
    40: Kind("outage over a session's end", lasts=(60, 400), an_hour=0.7, sick_from=0),
    41: Kind("only reads, or only writes, fail", an_hour=2, sick_from=0),
    42: Kind("swizzle", lasts=(20, 120), an_hour=2, sick_from=0),
    43: Kind("half-open connections", an_hour=2, sick_from=0),
    44: Kind("no name resolves", lasts=(1, 30), an_hour=2, sick_from=0),
    45: Kind("key revoked", an_hour=1, sick_from=0),
    46: Kind("duplicate stream event"),
    47: Kind("lost stream event"),
    48: Kind("late or overtaken stream event"),
    49: Kind("silent stream", lasts=(20, 300)),
    50: Kind("stream cut"),
    51: Kind("flood of events", lasts=(0, 0), an_hour=1, about_one=True),
    52: Kind("wall clock jumps", lasts=(20, 600), an_hour=1.5),
    53: Kind("daylight saving ends or begins", an_hour=0),
    54: Kind("half-day session", an_hour=0),
    55: Kind("clocks drift apart", lasts=(300, 1800), an_hour=1),
    56: Kind("paused for longer than the lease", lasts=(15, 90), an_hour=1.5),
    57: Kind("store busy", an_hour=2, sick_from=0),
    58: Kind("disk full", lasts=(2, 40), an_hour=1.5, sick_from=0),
    59: Kind("fsync fails on and on", lasts=(1, 20), an_hour=1.5, sick_from=0),
    60: Kind("commit durable, acknowledgement lost", lasts=(0, 0), an_hour=2),
    68: Kind("kill -9 at an effect", lasts=(0, 0), an_hour=6),
    69: Kind("killed in recovery, again and again", lasts=(0, 0), an_hour=1),
    71: Kind("loop blocked", lasts=(1, 12), an_hour=2),
    72: Kind("an error at an effect", lasts=(0, 0), an_hour=4),
    73: Kind("two guards", lasts=(30, 400), an_hour=1.5),
    74: Kind("one guard hands over to the next", lasts=(0, 0), an_hour=1.5),
    75: Kind("the operator trades at the broker", an_hour=0),
    76: Kind("split", lasts=(0, 0), an_hour=0.5, about_one=True),
    77: Kind("the broker liquidates", lasts=(0, 0), an_hour=1, about_one=True),
    78: Kind("halt, jump, gap through the stop", lasts=(5, 180), an_hour=2, about_one=True),
    # Added later, at the end: what a seed draws of those above stays as it was.
    21: Kind("client order ids changed in answers", an_hour=2),
    24: Kind("the other exit of a pair ends late", an_hour=2),
    27: Kind("a trade taken back or corrected", lasts=(0, 0), an_hour=0.7, about_one=True),
    34: Kind("an answer of another account, or under another name", an_hour=2, sick_from=0.15),
    36: Kind("a state or type nobody knows", an_hour=2, sick_from=0.15),
    70: Kind("no memory left at an effect", lasts=(0, 0), an_hour=1.5),
}
"""With `an_hour=0`: nothing strikes by itself; it is counted when the plan brings it about."""

AFTER = 30.0
"""Seconds after a fault until what it has delayed (back-off, a read to come) may count as healthy time."""

BY_FILE = "a file: tests/stores, with real files, a recording VFS and a failing libc"
ELSEWHERE: dict[int, str] = {
    19: "the contract of this broker says ids are unique; another protocol is for those where they are not",
    20: "ids of this broker stay taken for longer than a run lasts",
    25: "there is no reduce-only on an equities account",
    28: "fees in the asset: crypto",
    61: BY_FILE,
    62: BY_FILE,
    63: BY_FILE,
    64: BY_FILE,
    65: BY_FILE,
    66: BY_FILE,
    67: "PostgreSQL: there is no such store yet",
}
