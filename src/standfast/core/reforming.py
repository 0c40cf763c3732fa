"""What is left of a structure when others have closed part of it: another structure, where it makes a sound one.

A bot that takes the profit of one side of a condor leaves a spread, and means to. Closed as what exceeds the whole
units it would be sold at the market. So once the loss of the ratio is confirmed, the legs that exceed the whole units
become a structure of their own if they have a shape in which every leg bounds another; anything else is mended by
closing it.

Shares that have lost what was sold against them are no structure: they go on as a position of their own. Structures
of one underlying that a close has mixed up, and that nothing puts right as they are (`swapping`), are taken apart where
their legs together make whole units of them again, or sound ones: `forming` finds these at the next look.

Its stop is figured from its own entry, as that of any structure; a stop, target or trail of the old one was a price of
other legs and ends with it, which is told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from math import gcd
from typing import TypeAlias

from standfast.core.beside_shares import lets_go
from standfast.core.forming import with_anchors
from standfast.core.recognise import SURE, recognise
from standfast.core.shapes import Broken, kind_of, underlying_of
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import open_legs, structure_at
from standfast.core.tell import alarm
from standfast.core.unwinding import is_half_made, lost_ratio
from standfast.model.alert import Severity
from standfast.model.breaks import BreakKind
from standfast.model.ids import STRUCTURE, Holding, position_id
from standfast.model.journal import AlertRaised, LotSplit, StructureDissolved, StructureFormed
from standfast.model.order import ZERO
from standfast.model.position import Position, Standing, split_off
from standfast.model.structure import BookedStructure, Leg, legs_text

Shape: TypeAlias = frozenset[tuple[Holding, int]]


def reforming(s: Situation, holdings: Iterable[Holding]) -> Outcomes:
    for holding in sorted(holding for holding in holdings if holding.hedge == STRUCTURE):
        booked = structure_at(s.book, holding)
        if booked is not None and booked.is_guarded and _is_confirmed(s, holding):
            found = lost_ratio(s, booked)
            if found is None or is_half_made(s, booked):
                continue
            mixed = _mixed_with(s, booked)
            if mixed:
                yield from _taken_apart(s, [booked, *mixed])
                return  # the others would say the same
            if is_sound(found) or lets_go(found):
                yield from _formed_anew(s, booked, found)


def _is_confirmed(s: Situation, holding: Holding) -> bool:
    return any(found.confirmed and found.finding.kind is BreakKind.STRUCTURE for found in s.book.breaks_at(holding))


def _mixed_with(s: Situation, booked: BookedStructure) -> list[BookedStructure]:
    """Others that have lost their ratio, with whose legs this one's make whole units of them, or sound ones, and
    nothing else: one of them, or all."""
    if booked.standing is not Standing.ADOPTED:
        return []
    name = underlying_of(booked.legs[0].holding)
    others = [each for each in s.book.state.structures.values() if each.id != booked.id and _is_lost(s, each, name)]
    together = [[each] for each in others] + ([others] if len(others) > 1 else [])
    return next((each for each in together if _make_whole(s, [booked, *each])), [])


def _is_lost(s: Situation, booked: BookedStructure, name: str) -> bool:
    is_beside = booked.standing is Standing.ADOPTED and underlying_of(booked.legs[0].holding) == name
    return is_beside and lost_ratio(s, booked) is not None and not is_half_made(s, booked)


def _make_whole(s: Situation, lost: Sequence[BookedStructure]) -> bool:
    nets: dict[Holding, Decimal] = {}
    for booked in lost:
        for _, position in open_legs(s.book, booked):
            nets[position.holding] = nets.get(position.holding, ZERO) + position.net
    found = recognise(nets, s.instruments)
    shapes = [_shape(booked) for booked in lost]
    is_all = not found.leftover and not any(found.plain.values())
    return is_all and all(
        each.kind in SURE or frozenset((leg.holding, leg.ratio) for leg in each.legs) in shapes
        for each in found.structures
    )


def _shape(booked: BookedStructure) -> Shape:
    return frozenset((leg.holding, leg.ratio) for leg in booked.legs)


def _taken_apart(s: Situation, lost: Sequence[BookedStructure]) -> Outcomes:
    for each in lost:
        yield StructureDissolved(structure=each.id, reason="a close has mixed up its legs", by="guard")
    names = " and ".join(each.id for each in lost)
    text = (
        f"{names}: others have closed contracts of them, and what is left fits neither as it was. Their legs are put "
        "together anew, each unit whole; stops or targets of their own ended with them. Needed: see whether the right "
        "ones are left."
    )
    yield alarm(s, Severity.WARNING, text, key=f"mixed/{'/'.join(each.id for each in lost)}")


def is_sound(found: Broken) -> bool:
    """Whether what exceeds the whole units is a shape in which every leg bounds another."""
    quantities = [quantity for _, quantity in found.excess]
    if len(quantities) < 2 or any(quantity != quantity.to_integral_value() for quantity in quantities):
        return False
    units = gcd(*map(int, quantities))
    return kind_of(_sized(leg, int(quantity) // units) for leg, quantity in found.excess) in SURE


def _sized(leg: Leg, ratio: int) -> Leg:
    return replace(leg, ratio=ratio)


def _formed_anew(s: Situation, booked: BookedStructure, found: Broken) -> Outcomes:
    splits: list[LotSplit] = []
    whole: list[Position] = []
    beyond: list[Position] = []
    excess = {leg.holding: abs(quantity) for leg, quantity in found.excess}
    for leg, tied in open_legs(s.book, booked):
        position, more = replace(tied, structure=None), excess.get(leg.holding, ZERO)
        if more and more < position.held:
            id = position_id(s.book.account, "left", tied.id, tied.opened, more)
            rest, part = split_off(position, id, more)
            splits.append(LotSplit(position=tied.id, part=id, quantity=more))
            whole.append(rest)
            beyond.append(part)
        else:
            (beyond if more else whole).append(position)
    why = f"what others have left of {booked.id}"
    together = [lots for lots in ([] if lets_go(found) else beyond, whole) if lots]
    made = [outcome for lots in together for outcome in with_anchors(s, lots, why=why)]
    formed = [outcome for outcome in made if isinstance(outcome, StructureFormed)]
    if len(formed) < len(together):
        yield from made  # the price of now is asked for first
        return
    yield StructureDissolved(structure=booked.id, reason="part of it is closed", by="guard")
    yield from splits
    yield from made
    yield _told_alone(s, booked, beyond) if lets_go(found) else _told(s, booked, found, formed)


def _told_alone(s: Situation, booked: BookedStructure, beyond: list[Position]) -> AlertRaised:
    kept = " and ".join(f"{each.net:+} {each.holding} as {each.id}" for each in beyond)
    text = f"{booked.id}: less is sold against its shares than they deliver. {kept}: guarded alone from now on."
    return alarm(s, Severity.WARNING, text, key=f"alone/{booked.id}")


def _told(s: Situation, booked: BookedStructure, found: Broken, made: list[StructureFormed]) -> AlertRaised:
    kept = " and ".join(f"{each.structure} ({each.units} units)" for each in made)
    stop = booked.stop if booked.stop is not None else booked.stop_loss
    lost = [name for name, own in (("stop", stop), ("target", booked.target)) if own is not None]
    own = f" Its own {' and '.join(lost)} ended with it." if lost else ""
    text = (
        f"{booked.id}: others have closed part of it. What is left, "
        f"{legs_text(tuple(leg for leg, _ in found.excess))}, makes a structure: guarded from its own entry as {kept}."
        f"{own} Needed: see whether that is meant."
    )
    return alarm(s, Severity.WARNING, text, key=f"reformed/{booked.id}")
