"""An operator's act on its way: checked against the books, put into the ledger as a request, waited for.

1. A name may be shortened as long as only one thing begins so; what travels is the whole name.
2. While a guard holds the lease the verb only writes the request; with no guard it takes the lease itself (`app.act`).
3. Exit code 0 means proven. A wait that ends says how to go on looking, and is 1.
"""

import os
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from standfast.cli import doors, render
from standfast.cli.arguments import Options
from standfast.cli.render import BAD, GOOD
from standfast.core.book import Book
from standfast.desk import acts, asking, ledger, stored
from standfast.desk.acts import Act
from standfast.model.errors import StandfastError
from standfast.model.ids import AccountId, PositionId, RequestId, digest

Named = TypeVar("Named", bound=str)

POLL = 0.1
"""Seconds between two looks for the outcome."""
TELL_EVERY = 5.0
"""Seconds between two lines of progress."""
GOOD_FOR_LEAST = 30.0
"""Seconds in which an opening has to be taken, however short its operator waits for the proof."""


def act(options: Options) -> int:
    """Check, ask, send, wait; print what became of it."""
    wanted, guarded = _checked(options)
    if wanted.verb == "flatten" and not _confirmed(options):
        render.line("Nothing was done.")
        return 1
    ok, detail = through_guard(options, wanted) if guarded else _by_ourselves(options, wanted)
    if options.json:
        render.document({"request": {"verb": wanted.verb, "account": wanted.account, "ok": ok, "detail": detail}})
    else:
        render.line(f"{'Done' if ok else 'Not done'}: {detail or wanted.verb}", GOOD if ok else BAD)
    return 0 if ok else 1


def _checked(options: Options) -> tuple[Act, bool]:
    """The act, and whether a guard holds its account. The first act of all may come before there is a ledger."""
    if not ledger.path_of(options.config).exists():
        return _act(options, [Book.empty(account) for account in ledger.configured(options.config)]), False
    with ledger.opened(options.config) as books:
        wanted = _act(options, list(books.of(None)))
        return wanted, stored.is_held(books.reader.lease(wanted.account), ledger.now())


# --- what is asked ----------------------------------------------------------------------------------


def _act(options: Options, books: list[Book]) -> Act:
    match options.verb:
        case "open" | "flatten" | "freeze" | "thaw":
            return _on_account(options, books)
        case "close" | "protect":
            return _on_position(options, books)
        case "adopt" | "ignore":
            account, break_id = _one(options.break_, "break", {b.account: list(b.state.breaks) for b in books})
            return Act(account, options.verb, {"break": break_id})
        case "ack":
            account, alert_id = _one(options.alert, "alert", {b.account: list(b.state.alerts) for b in books})
            return Act(account, "ack", {"alert": alert_id})
        case _:
            assert options.verb == "undo", options.verb
            return _undo(options, books)


def _on_account(options: Options, books: list[Book]) -> Act:
    account = _account(options.account, books)
    if options.verb == "open":
        return _opening(options, account)
    if options.verb == "flatten":
        return acts.flattening(account, everything=options.everything)
    return acts.freezing(account, options.verb, options.scope or "", options.reason)


def _opening(options: Options, account: AccountId) -> Act:
    until = ledger.now() + timedelta(seconds=max(options.wait, GOOD_FOR_LEAST))
    wanted = acts.Wanted(
        key=options.key,
        strategy=options.strategy,
        stop=options.stop,
        stop_loss=options.stop_loss,
        target=options.target,
        until=until,
    )
    if options.legs:
        if options.instrument is not None or options.limit:
            raise StandfastError("--legs: the instruments are its legs, the price is --credit or --debit")
        net = acts.net_of(options.credit, options.debit)
        return acts.opening_of_legs(account, options.legs, options.units or Decimal(1), wanted, net=net)
    if options.instrument is None or options.quantity is None or options.credit or options.debit or options.units:
        raise StandfastError("open: write INSTRUMENT QUANTITY, or --legs with --quantity, --credit or --debit")
    return acts.opening(account, options.instrument, options.quantity, wanted, limit=options.limit)


def _on_position(options: Options, books: list[Book]) -> Act:
    account, id = _one(
        options.position, "open position", {b.account: [*b.state.structures, *b.state.positions] for b in books}
    )
    book = next(book for book in books if book.account == account)
    is_structure = id in book.state.structures
    if options.verb == "close":
        if not is_structure:
            _refuse_more_than_held(options, book, PositionId(id))
        return acts.closing(account, id, quantity=options.quantity, reason=options.reason)
    if not is_structure:
        acts.refuse_wrong_side(Decimal(book.state.positions[PositionId(id)].sign), options.stop, options.target)
    return acts.protecting(account, id, stop=options.stop, target=options.target, bare=options.none)


def _refuse_more_than_held(options: Options, book: Book, id: PositionId) -> None:
    held = book.held(book.state.positions[id])
    if options.quantity is not None and options.quantity > held:
        raise StandfastError(f"--quantity {options.quantity}: {id} holds {acts.text(held)}; leave it out for all")


def _undo(options: Options, books: list[Book]) -> Act:
    known = [book.account for book in books if book.head]
    if options.account is None and len(known) != 1:
        raise StandfastError(f"entry {options.entry}: say whose with --account; accounts: {', '.join(known) or 'none'}")
    account = _account(options.account if options.account is not None else known[0], books)
    head = next(book.head for book in books if book.account == account)
    if not 1 <= options.entry <= head:
        raise StandfastError(f"entry {options.entry}: the journal of {account} has entries 1 to {head}")
    return Act(account, "undo", {"entry": str(options.entry)})


def _account(name: str, books: list[Book]) -> AccountId:
    for book in books:
        if book.account == name:
            return book.account
    known = ", ".join(book.account for book in books) or "none"
    raise StandfastError(f"{name!r}: there is no account of that name; accounts here: {known}")


def _one(wanted: str, kind: str, names: Mapping[AccountId, list[Named]]) -> tuple[AccountId, Named]:
    """The one thing of that name, or whose name begins so."""
    everything = [(account, name) for account, each in names.items() for name in each]
    found = [pair for pair in everything if pair[1] == wanted] or [
        pair for pair in everything if pair[1].startswith(wanted)
    ]
    if not found:
        where = {"open position": "positions", "break": "breaks", "alert": "alerts"}[kind]
        raise StandfastError(f"{wanted!r}: no {kind} has an id that begins so; see standfast {where}")
    if len(found) > 1:
        several = ", ".join(f"{name} ({account})" for account, name in found[:5])
        raise StandfastError(f"{wanted!r} could be any of {len(found)}: {several}; write more of it")
    return found[0]


def _confirmed(options: Options) -> bool:
    """An owner's word, typed on a terminal. A script is not asked: it must be able to end things at once."""
    if options.yes or not sys.stdin.isatty():
        return True
    what = "everything it holds, foreign quantity too" if options.everything else "everything its books hold"
    print(f"Close {what}, on account {options.account}? Type the account's name to go on: ", end="", flush=True)
    return sys.stdin.readline().strip() == str(options.account)


# --- how it travels -------------------------------------------------------------------------------


def _by_ourselves(options: Options, wanted: Act) -> tuple[bool, str]:
    _tell(options, f"No guard holds {wanted.account}: taking the lease for this act.")
    with doors.quietly():
        return doors.app().act(Path(options.config), wanted.account, wanted.verb, wanted.arguments, options.wait)


def through_guard(options: Options, wanted: Act) -> tuple[bool, str]:
    now, who = ledger.now(), asking.who()
    request = RequestId(digest(wanted.account, wanted.verb, sorted(wanted.arguments.items()), who, now, os.getpid()))
    path = ledger.path_of(options.config)
    asking.put(path, wanted, request, by=who, at=now)
    _tell(options, f"Asked the guard of {wanted.account} (request {request}); waiting for the proof.")
    progress = _Progress(options, request)
    outcome = stored.wait_request(path, request, attempts=1 + int(options.wait / POLL), pause=progress.pause)
    if outcome is None:
        return False, f"no proof within {options.wait:g} s; the request stands: standfast explain {request}"
    return outcome.ok, outcome.detail


class _Progress:
    """Waits between two looks, and says now and then that it still does."""

    def __init__(self, options: Options, request: RequestId) -> None:
        self.options = options
        self.request = request
        self.waited = 0.0
        self.told = 0.0

    def pause(self) -> None:
        time.sleep(POLL)
        self.waited += POLL
        if self.waited - self.told >= TELL_EVERY:
            self.told = self.waited
            _tell(self.options, f"Still waiting, {self.waited:.0f} of {self.options.wait:g} s.")


def _tell(options: Options, text: str) -> None:
    """Progress goes to standard error, so that a pipe carries the outcome alone."""
    if not options.json:
        print(text, file=sys.stderr)
