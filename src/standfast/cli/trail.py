"""The proof trail: every entry of a journal that bears on one position, opening, order, break, alert or request.

Two passes. The first finds the names that belong to what was asked for: a position's orders, both their ids, the
request that closed it, the breaks about it and their alerts. The second keeps the entries that carry one of these
names, and the breaks of the position's instrument while it was held.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass

from standfast.core.results import FAR_QUOTE
from standfast.model import journal as j
from standfast.model.ids import Holding

NAMES = frozenset(
    {
        "position",
        "structure",
        "id",
        "broker_id",
        "client_id",
        "request",
        "break_id",
        "order",
        "key",
        "execution_id",
        "broker_order_id",
        "part",
    }
)
"""Fields whose value is the name of something."""

OWNERS = (j.OpeningRequested, j.LotFound, j.PositionAdopted)
"""Facts that begin a position."""


Together = j.StructureRequested | j.StructureFormed | j.TogetherIntended
Tied = Together | j.LotSplit


@dataclass(frozen=True, slots=True)
class Subject:
    """Something one can ask about."""

    kind: str
    id: str


def subjects(entries: Iterable[j.Entry]) -> dict[str, Subject]:
    """Everything in the journal that has a name, by its name; of an order both names lead to one subject."""
    found: dict[str, Subject] = {}
    for entry in entries:
        for name, subject in _introduced(entry.fact):
            if name:
                found.setdefault(name, subject)
    return found


def _introduced(fact: j.Fact) -> Iterator[tuple[str, Subject]]:
    match fact:
        case j.LotFound() | j.PositionAdopted():
            yield fact.position, Subject("position", fact.position)
        case j.StructureRequested() | j.StructureFormed() | j.TogetherIntended() | j.LotSplit():
            yield from _introduced_together(fact)
        case j.OrderIntended():
            yield fact.id, Subject("order", fact.id)
        case j.OrderAccepted():
            yield fact.broker_id, Subject("order", fact.id)
        case j.OrderObserved():
            for report in (fact.report, *fact.report.legs):
                yield report.client_id, Subject("order", report.client_id)
                yield report.broker_id, Subject("order", report.client_id)
        case j.FillBooked() | j.FillMatched():
            yield fact.fill.execution_id, Subject("fill", fact.fill.execution_id)
        case _:
            yield from _introduced_by_people(fact)


def _introduced_together(fact: Tied) -> Iterator[tuple[str, Subject]]:
    if isinstance(fact, j.LotSplit):
        yield fact.part, Subject("position", fact.part)
        return
    if isinstance(fact, j.TogetherIntended):
        yield fact.id, Subject("order", fact.id)
        return
    yield fact.structure, Subject("position", fact.structure)
    if isinstance(fact, j.StructureRequested):
        yield fact.key, Subject("position", fact.structure)
    for leg in fact.legs:
        yield leg.position, Subject("position", leg.position)


def _introduced_by_people(fact: j.Fact) -> Iterator[tuple[str, Subject]]:
    match fact:
        case j.BreakSeen():
            yield fact.id, Subject("break", fact.id)
        case j.AlertRaised():
            yield fact.id, Subject("alert", fact.id)
        case j.RequestTaken():
            yield fact.request, Subject("request", fact.request)
        case j.OpeningRequested():
            yield fact.position, Subject("position", fact.position)
            yield fact.key, Subject("position", fact.position)
        case j.OpeningRefused():
            yield fact.key, Subject("opening", fact.key)
        case _:
            pass  # names nothing new


def trail(entries: Sequence[j.Entry], subject: Subject) -> list[j.Entry]:
    """Every entry about the subject, in order."""
    names = related(entries, subject)
    first, last, holding = _lifetime(entries, subject)
    kept = []
    for entry in entries:
        while_held = holding is not None and first <= entry.number <= last and _is_about(entry.fact, holding)
        if while_held and isinstance(entry.fact, j.BreakSeen):
            names.add(entry.fact.id)
        if while_held or names & set(names_in(entry.fact)):
            kept.append(entry)
    return kept


def related(entries: Sequence[j.Entry], subject: Subject) -> set[str]:
    """The names that belong to the subject, until no entry adds another."""
    names = {_key(subject.id) if subject.kind == "opening" else subject.id}
    known = 0
    while known != len(names):
        known = len(names)
        for entry in entries:
            _follow(entry.fact, names)
    return names


def _follow(fact: j.Fact, names: set[str]) -> None:
    """Add what the fact ties to a known name: never from one position to another, but to the one it was part of."""
    match fact:
        case j.OrderIntended() if fact.position in names:
            names.add(fact.id)
        case j.OrderAccepted() if fact.id in names:
            names.add(fact.broker_id)
        case j.OrderObserved():
            _follow_report(fact, names)
        case j.LotFound() if fact.position in names:
            names.add(fact.order)
        case j.CloseRequested() | j.OpeningRequested() | j.RequestTaken():
            _follow_asked(fact, names)
        case j.BreakSeen() if fact.finding.subject in names:
            names.add(fact.id)
        case j.AlertRaised() if fact.break_id in names:
            names.add(fact.id)
        case _:
            _follow_together(fact, names)


def _follow_asked(fact: j.CloseRequested | j.OpeningRequested | j.RequestTaken, names: set[str]) -> None:
    """Who asked for it, and what they were told: an opening is the request's, or has a key of its own."""
    match fact:
        case j.CloseRequested() if fact.position in names and fact.request is not None:
            names.add(fact.request)
        case j.OpeningRequested():
            _tie({fact.position, _key(fact.key)}, names)
        case j.RequestTaken() if fact.verb == "open":
            _tie({fact.request, _key(fact.arguments.get("key") or fact.request)}, names)
        case _:
            pass


def _tie(both: set[str], names: set[str]) -> None:
    """Two names of one proposal: whoever is known brings the other."""
    if both & names:
        names |= both


def _key(text: str) -> str:
    """A key is a name that somebody has made up: told from every other, so that a key "7" is no execution "7"."""
    return f"key {text}"


def _follow_together(fact: j.Fact, names: set[str]) -> None:
    """What is a structure's is its legs'; a leg alone is no reason to tell of the others. A part was in its whole."""
    if isinstance(fact, j.LotSplit) and fact.part in names:
        names.add(fact.position)
    if isinstance(fact, j.StructureRequested):
        _tie({fact.structure, _key(fact.key)}, names)
    if not isinstance(fact, Together) or fact.structure not in names:
        return
    if isinstance(fact, j.TogetherIntended):
        names.add(fact.id)
    else:
        names.update(leg.position for leg in fact.legs)


def _follow_report(fact: j.OrderObserved, names: set[str]) -> None:
    for report in (fact.report, *fact.report.legs):
        is_known = report.client_id in names or report.broker_id in names
        if is_known or (fact.position is not None and fact.position in names):
            names.update((report.client_id, report.broker_id))


def _lifetime(entries: Sequence[j.Entry], subject: Subject) -> tuple[int, int, Holding | None]:
    """First and last entry of a position, and what it holds; nothing for other subjects."""
    first, last, holding = 0, 0, None
    for entry in entries:
        fact = entry.fact
        if isinstance(fact, OWNERS) and fact.position == subject.id:
            first, last, holding = entry.number, entries[-1].number, fact.holding
        elif isinstance(fact, j.PositionSettled | j.PositionWrittenOff) and fact.position == subject.id:
            last = entry.number
    return first, last, holding


def _is_about(fact: j.Fact, holding: Holding) -> bool:
    """Whether a fact bears on whatever is held there: a break of the holding, a split, suspended prices."""
    match fact:
        case j.BreakSeen():
            return fact.finding.holding == holding and fact.finding.subject in ("", FAR_QUOTE)
        case j.Rescaled() | j.PricesSuspended() | j.PricesResumed():
            return fact.holding == holding
        case _:
            return False


def names_in(value: object) -> Iterator[str]:
    """Every name a fact carries, at any depth."""
    if isinstance(value, tuple) and not isinstance(value, Holding):
        for item in value:
            yield from names_in(item)
    if not is_dataclass(value):
        return
    for each in fields(value):
        found = getattr(value, each.name)
        if each.name in NAMES and isinstance(found, str):
            yield _key(found) if each.name == "key" else found
        elif is_dataclass(found) or isinstance(found, tuple):
            yield from names_in(found)
