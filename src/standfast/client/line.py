"""The way to a guard and back: an act put into the ledger, its answer and its proof read from there.

1. The request's id is made of the bot's own, so what is asked again, by whichever process, is the act that is there.
2. Nothing is put there while nobody guards the account, and nothing under an id that asked for something else.
3. Every look is a view of its own: no file stays open between two.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from standfast.client.results import Break, Order, Position, Proof
from standfast.client.waiting import Steps
from standfast.desk import asking, documents, held, ledger, stored
from standfast.desk.acts import Act
from standfast.desk.following import Answered, answer_of
from standfast.model.errors import (
    AskedOtherwise,
    JournalUnavailable,
    Misasked,
    NoGuard,
    NotDone,
    Unanswered,
    Unproven,
)
from standfast.model.ids import AccountId, PositionId, RequestId
from standfast.runtime.clock import monotonic

if TYPE_CHECKING:
    from standfast.core.book import Book
    from standfast.desk.stored import KeptRequest

LOOK = 0.05
"""Seconds between two looks for an answer, which comes within half a second from a guard that is well."""
LOOK_FOR_PROOF = 0.1
ANSWER_AFTER = 5.0
"""Seconds given to the answer after the act may not be taken any more: a disk may be slow."""
UNTIL = "until"
"""The one argument in which the same act may differ when it is asked again."""


@dataclass(frozen=True, slots=True)
class Line:
    """One account, reached through the ledger that a settings file names."""

    config: str
    account: AccountId
    by: str

    # --- asking ---------------------------------------------------------------------------------

    def ask(self, act: Act, request: RequestId, *, patience: float) -> Steps[Answered]:
        """Put it there unless it is, and wait for the answer. `patience`: seconds for a guard to come back."""
        good_for = datetime.fromisoformat(act.arguments[UNTIL]) - ledger.now()
        over = monotonic() + max(good_for.total_seconds(), 0) + ANSWER_AFTER
        kept = yield from self._put(act, request, patience=patience)
        self._refuse_other(act, kept)
        while (answer := self._answer(request)) is None:
            if monotonic() >= over:
                raise self._unanswered(act, request)
            yield LOOK
        return answer

    def _put(self, act: Act, request: RequestId, *, patience: float) -> Steps["KeptRequest"]:
        over = monotonic() + patience
        while True:
            kept, is_guarded = self._find(request)
            if kept is not None:
                return kept
            if is_guarded:
                asking.put(ledger.path_of(self.config), act, request, by=self.by, at=ledger.now())
            elif monotonic() >= over:
                raise self.no_guard("nothing was asked")
            else:
                yield LOOK

    def _find(self, request: RequestId) -> "tuple[KeptRequest | None, bool]":
        if not ledger.path_of(self.config).exists():
            return None, False
        with self._opened() as books:
            kept = books.reader.request(request)
            return kept, stored.is_held(books.reader.lease(self.account), ledger.now())

    def _answer(self, request: RequestId) -> Answered | None:
        with self._opened() as books:
            kept = books.reader.request(request)
            if kept is None or not (kept.is_taken or kept.outcome):
                return None
            answer = answer_of(books.reader, self.account, request)
            if answer is None and kept.outcome is not None:  # answered, and the journal has been begun anew
                answer = Answered(kept.outcome.ok, () if kept.outcome.ok else (kept.outcome.detail,))
            return answer

    def _refuse_other(self, act: Act, kept: "KeptRequest") -> None:
        """An id names one act: asked for something else under it, somebody has made a mistake."""
        was = {name: value for name, value in kept.request.arguments.items() if name != UNTIL}
        now = {name: value for name, value in act.arguments.items() if name != UNTIL}
        if (kept.request.verb, was) != (act.verb, now):
            raise AskedOtherwise(
                f"{self.account}: id {act.arguments.get('key') or kept.request.id!r} has asked for {_spoken(was)} at "
                f"{kept.request.at:%Y-%m-%d %H:%M:%S} UTC, and not for {_spoken(now)}: nothing new was asked, what was "
                "asked then stands. Look at it (ask for it again as it was, or standfast explain "
                f"{kept.request.id}) before you ask for this under an id of its own"
            )

    def _unanswered(self, act: Act, request: RequestId) -> Unanswered:
        until = act.arguments.get(UNTIL, "")
        return Unanswered(
            f"{self.account}: no guard has taken {act.verb} (request {request}) in time; it was good until {until}, "
            "and is not done after that. Ask again under the same id to learn whether it was taken: it is done once"
        )

    # --- proof ----------------------------------------------------------------------------------

    def prove(self, request: RequestId, position: PositionId | None, *, within: float) -> Steps[Proof]:
        """Wait for the outcome. Raises NotDone and Unproven."""
        over = monotonic() + within
        while (proof := self._proof(request, position)) is None:
            if monotonic() >= over:
                raise Unproven(
                    f"{self.account}: request {request} is accepted, and not proven within {within:g} s: it may still "
                    f"be done. Wait again; standfast explain {request} shows how far it is"
                )
            yield LOOK_FOR_PROOF
        return proof

    def _proof(self, request: RequestId, position: PositionId | None) -> Proof | None:
        with self._opened() as books:
            kept = books.reader.request(request)
            if kept is None or kept.outcome is None:
                return None
            if not kept.outcome.ok:
                raise NotDone(f"{self.account}: request {request} came to nothing: {kept.outcome.detail}")
            if position is None:
                return Proof(account=self.account, request=request, detail=kept.outcome.detail)
            book = books.book(self.account)
            return Proof(
                account=self.account,
                request=request,
                detail=kept.outcome.detail,
                position=next((each for each in self._positions(book) if each.id == position), None),
                orders=tuple(each for each in _orders(book) if each.position in _parts(book, position)),
            )

    # --- reading --------------------------------------------------------------------------------

    def is_guarded(self) -> bool:
        """Whether a living guard holds the account now."""
        if not ledger.path_of(self.config).exists():
            return False
        with self._opened() as books:
            return self._is_held(books)

    def positions(self, *, closed_too: bool, unguarded_too: bool) -> list[Position]:
        return list(self._positions(self._book(unguarded_too=unguarded_too), closed_too=closed_too))

    def orders(self, *, finished_too: bool, unguarded_too: bool) -> list[Order]:
        return list(_orders(self._book(unguarded_too=unguarded_too), finished_too=finished_too))

    def breaks(self, *, unguarded_too: bool) -> list[Break]:
        book = self._book(unguarded_too=unguarded_too)
        return [Break.of(documents.broken(book.account, each)) for each in book.state.breaks.values()]

    def _book(self, *, unguarded_too: bool) -> "Book":
        with self._opened() as books:
            if not unguarded_too and not self._is_held(books):
                raise self.no_guard("what the books hold may be long out of date")
            return books.book(self.account)

    def _positions(self, book: "Book", *, closed_too: bool = True) -> Iterator[Position]:
        rules = ledger.rules(self.config).get(self.account)
        shown = held.positions(book, rules, ledger.now(), closed_too=closed_too, is_watched=self.is_guarded())
        return (Position.of(each) for each in shown)

    def _is_held(self, books: ledger.Books) -> bool:
        return stored.is_held(books.reader.lease(self.account), ledger.now())

    @contextmanager
    def _opened(self) -> Iterator[ledger.Books]:
        try:
            with ledger.opened(self.config) as books:
                yield books
        except JournalUnavailable as error:
            if ledger.path_of(self.config).exists():
                raise
            raise self.no_guard(str(error)) from error

    def no_guard(self, consequence: str) -> NoGuard:
        return NoGuard(
            f"{self.account}: no guard holds this account (settings {self.config}): {consequence}. "
            "Start one: standfast guard"
        )


def request_of(account: AccountId, verb: str, id: str) -> RequestId:
    """The request that an id of a bot stands for, in every process and in every life of it."""
    from standfast.model.ids import digest

    return RequestId(digest("client", account, verb, id))


def account_of(config: str, name: str | None) -> AccountId:
    """That account, or the only one. Raises Misasked."""
    known = ledger.configured(config)
    if name is None and len(known) == 1:
        return known[0]
    if name not in known:
        wrong = "account is not given" if name is None else f"account={name!r}: there is none of that name"
        raise Misasked(f"{Path(config).name}: {wrong}; accounts: {', '.join(known) or 'none'}")
    return AccountId(name)


def _orders(book: "Book", *, finished_too: bool = True) -> Iterator[Order]:
    for order in book.state.orders.values():
        if finished_too or not order.is_finished:
            yield Order.of(documents.order(book, order))


def _parts(book: "Book", position: PositionId) -> set[str]:
    """Whose orders are a position's: its own, of a spread its legs' too."""
    whole = book.state.structures.get(position) or book.state.closed_structures.get(position)
    return {position} if whole is None else {position, *(leg.position for leg in whole.legs)}


def _spoken(arguments: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(arguments.items()))
