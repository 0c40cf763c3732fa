"""Which prices are needed because of what is held, and which of them wake the loop.

What a single position needs is told by a band of its own price; what a structure needs by bounds of the net price of
all its legs, whose quotes are watched for that and wake nobody alone.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from standfast.core.bands import NOTHING_WAKES, Band, band
from standfast.core.columns import Bounds, bounds, width
from standfast.core.expiring import pin_watched, settling_watched
from standfast.core.situation import Situation
from standfast.core.structures import alone, is_option, structure_at, structure_of
from standfast.model.ids import STRUCTURE, Holding, PositionId


class Watch(NamedTuple):
    """What was figured for the holdings that were looked at; None: no longer needed."""

    bands: Mapping[Holding, Band | None]
    beside: Mapping[Holding, frozenset[Holding]] = {}
    """Whose prices are needed because of what is held at a holding, though no rule of their own needs them."""
    bounds: Mapping[PositionId, Bounds | None] = {}


def watching(s: Situation, holdings: Iterable[Holding]) -> Watch:
    looked = list(holdings)
    held = [holding for holding in looked if holding.hedge != STRUCTURE]
    wholes = [holding for holding in looked if holding.hedge == STRUCTURE]
    return Watch(
        bands={holding: _band(s, holding) for holding in held},
        beside={holding: _beside(s, holding) for holding in looked},
        bounds={PositionId(holding.instrument): _bounds(s, holding) for holding in wholes},
    )


def _band(s: Situation, holding: Holding) -> Band | None:
    """Of the single positions held here; the quote of a leg only must not be too wide."""
    single, spread = band(s, holding), None
    for position in s.book.guarded_at(holding):
        whole = s.book.state.structures.get(position.structure) if position.structure is not None else None
        if whole is not None and s.book.held(position) > 0:
            limit = width(structure_of(s.book, whole), s.structure_policy(whole))
            spread = min(limit, spread) if spread is not None else limit
    if spread is None:
        return single
    known = single if single is not None else NOTHING_WAKES
    return known._replace(spread=min(known.spread, spread))


def _bounds(s: Situation, holding: Holding) -> Bounds | None:
    whole = structure_at(s.book, holding)
    if whole is None or not whole.is_guarded:
        return None
    return bounds(structure_of(s.book, whole), s.structure_policy(whole))


def _beside(s: Situation, holding: Holding) -> frozenset[Holding]:
    """What lies under options that are about to end."""
    whole = structure_at(s.book, holding)
    if whole is not None:
        ending = [structure_of(s.book, whole)]
    else:
        singles = (each for each in s.book.guarded_at(holding) if each.structure is None and is_option(each))
        ending = [alone(s.book, each) for each in singles]
    watched = (found for each in ending for found in (*pin_watched(s, each), *settling_watched(s, each)))
    return frozenset(watched)
