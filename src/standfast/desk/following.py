"""What a guard said when it took an act, read from the journal it writes.

A refusal is written together with the taking, in one commit: whoever sees an act taken sees whether it was refused.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from standfast.model.ids import AccountId, EntryNumber, RequestId
from standfast.model.journal import Fact, OpeningRefused, RequestDone, RequestTaken

if TYPE_CHECKING:
    from standfast.model.journal import Entry
    from standfast.stores.sqlite.reading import LedgerReader

PAGE = 1024
"""Entries looked through at a time, from the newest back."""
TOGETHER = 2
"""Facts that a refusal is made of, after the one that takes the act."""


class Answered(NamedTuple):
    """Accepted is not done: it means that what was asked for has begun."""

    accepted: bool
    reasons: tuple[str, ...] = ()


def answer_of(reader: "LedgerReader", account: AccountId, request: RequestId) -> Answered | None:
    """None where the journal has not taken it, as far back as it reaches."""
    end, _ = reader.head(account)
    while end > 0:
        begin = EntryNumber(max(end - PAGE, 0))
        found = answered(request, reader.entries(account, begin, PAGE + TOGETHER))
        if found is not None:
            return found
        end = begin
    return None


def answered(request: RequestId, entries: "Iterator[Entry]") -> Answered | None:
    """The answer among these entries."""
    for entry in entries:
        if isinstance(entry.fact, RequestTaken) and entry.fact.request == request:
            return _said(request, [each.fact for each in islice(entries, TOGETHER)])
    return None


def _said(request: RequestId, following: Sequence[Fact]) -> Answered:
    reasons: tuple[str, ...] = ()
    for fact in following:
        if isinstance(fact, OpeningRefused):
            reasons = fact.reasons
        elif isinstance(fact, RequestDone) and fact.request == request and not fact.ok:
            return Answered(accepted=False, reasons=reasons or (fact.detail.removeprefix("refused: "),))
        else:
            break
    return Answered(accepted=True)
