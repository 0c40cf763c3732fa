"""What a seed's number says: which play it is, and so its plan."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import count, islice

from standfast.core.policy import Policy
from standfast.sim.perpetual.plan import draw_perps
from standfast.sim.plan import Plan, draw
from standfast.sim.spreads.plan import draw_spreads

SPREADS_FROM = 10**9
"""From this number on seeds play spreads of options at Tradier; below it, shares."""
PERPS_FROM = 2 * 10**9
"""From this number on they play perpetual futures at Bybit and Binance."""
ONE_IN, AT = 10, 5


class Play(StrEnum):
    """Which seeds a run of them takes."""

    AS_NUMBERED = "as numbered"
    SHARES = "shares"
    SPREADS = "spreads"
    PERPS = "perps"
    BOTH = "both"
    """One in ten plays spreads."""


def plan_of(seed: int, *, hours: float = 1.0, policies: Sequence[Policy] | None = None) -> Plan:
    """The plan of this seed: pure. `policies`: a user's own."""
    if seed >= PERPS_FROM:
        return draw_perps(seed, hours=hours, policies=policies)
    if seed >= SPREADS_FROM:
        return draw_spreads(seed, hours=hours, policies=policies)
    return draw(seed, hours=hours, policies=policies)


def seeds_from(first: int, seeds: int | None, play: Play) -> Iterator[int]:
    """So many from the first one on, without end where `seeds` is None."""
    found = (_played_as(seed, play) for seed in count(first))
    return found if seeds is None else islice(found, seeds)


def _played_as(seed: int, play: Play) -> int:
    if play is Play.PERPS:
        return seed if seed >= PERPS_FROM else seed % SPREADS_FROM + PERPS_FROM
    is_spreads = play is Play.SPREADS or (play is Play.BOTH and seed % ONE_IN == AT)
    if is_spreads and seed < SPREADS_FROM:
        return seed + SPREADS_FROM
    return seed % SPREADS_FROM if play is Play.SHARES else seed
