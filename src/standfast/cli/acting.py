"""An operator's act on its way: checked against the books, put into the ledger as a request, waited for.

1. A name may be shortened as long as only one thing begins so; what travels is the whole name.
2. While a guard holds the lease the verb only writes the request; with no guard it takes the lease itself (`app.act`).
3. Exit code 0 means proven. A wait that ends says how to go on looking, and is 1.
"""

import os
import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from standfast.cli import doors, render
from standfast.cli.arguments import Options
from standfast.cli.render import BAD, GOOD
from standfast.core.book import Book
from standfast.desk import documents, ledger, stored
from standfast.model.errors import StandfastError
from standfast.model.ids import AccountId, RequestId, digest

Named = TypeVar("Named", bound=str)

POLL = 0.1
"""Seconds between two looks for the outcome."""
TELL_EVERY = 5.0
"""Seconds between two lines of progress."""


class Act:
    """One act, ready to travel: account, verb, and flat text arguments."""

    def __init__(self, account: AccountId, verb: str, arguments: Mapping[str, str]) -> None:
        self.account = account
        self.verb = verb
        self.arguments = {name: value for name, value in arguments.items() if value}


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
    if options.verb == "open" and options.legs:
        return Act(account, "open", _structure_arguments(options))
    if options.verb == "open":
        if options.instrument is None or options.quantity is None or options.credit or options.debit or options.units:
            raise StandfastError("open: write INSTRUMENT QUANTITY, or --legs with --quantity, --credit or --debit")
        arguments = {
            "instrument": options.instrument,
            "quantity": _text(options.quantity),
            "strategy": options.strategy,
            "limit": _text(options.limit),
            "stop": _text(options.stop),
            "target": _text(options.target),
            "key": options.key,
        }
        _refuse_wrong_side(options.quantity, options.stop, options.target)
        return Act(account, "open", arguments)
    if options.verb == "flatten":
        return Act(account, "flatten", {"everything": "true" if options.everything else ""})
    return Act(account, options.verb, {"scope": options.scope or "", "reason": options.reason})


def _structure_arguments(options: Options) -> dict[str, str]:
    if options.instrument is not None or options.limit:
        raise StandfastError("--legs: the instruments are its legs, the price is --credit or --debit")
    if options.credit is not None and options.debit is not None:
        raise StandfastError("--credit and --debit: a unit brings something or costs something")
    return {
        "legs": " ".join(options.legs.upper().split()),
        "quantity": _text(options.units) or "1",
        "credit": _text(options.credit),
        "debit": _text(options.debit),
        "stop": _text(options.stop),
        "target": _text(options.target),
        "strategy": options.strategy,
        "key": options.key,
    }


def _refuse_wrong_side(quantity: Decimal, stop: Decimal | None, target: Decimal | None) -> None:
    """A stop lies on the losing side of a target: seen before anything is asked of a broker."""
    for name, price in (("stop", stop), ("target", target)):
        if price is not None and price <= 0:
            raise StandfastError(f"--{name} {price}: give a price above zero; only a spread's may lie below")
    if stop is None or target is None:
        return
    if (target - stop) * quantity <= 0:
        direction, words = ("long", "below") if quantity > 0 else ("short", "above")
        raise StandfastError(
            f"stop {stop}: the stop of a {direction} position lies {words} its target {target}; swap them"
        )


def _on_position(options: Options, books: list[Book]) -> Act:
    account, id = _one(
        options.position, "open position", {b.account: [*b.state.structures, *b.state.positions] for b in books}
    )
    book = next(book for book in books if book.account == account)
    if id in book.state.structures:
        return _on_structure(options, account, id)
    position = book.state.positions[id]
    if options.verb == "close":
        held = book.held(position)
        if options.quantity is not None and options.quantity > held:
            raise StandfastError(
                f"--quantity {options.quantity}: {id} holds {documents.number(held)}; leave it out for all"
            )
        arguments = {"position": id, "quantity": _text(options.quantity), "reason": options.reason}
        return Act(account, "close", arguments)
    if options.none and (options.stop is not None or options.target is not None):
        raise StandfastError("--none leaves a position without protection: write it without --stop and --target")
    _refuse_wrong_side(Decimal(position.sign), options.stop, options.target)
    stop, target = _text(options.stop), _text(options.target)
    return Act(
        account, "protect", {"position": id, "stop": stop, "target": target, "none": "true" if options.none else ""}
    )


def _on_structure(options: Options, account: AccountId, id: str) -> Act:
    if options.verb == "close":
        return Act(account, "close", {"position": id, "quantity": _text(options.quantity), "reason": options.reason})
    none = "true" if options.none else ""
    prices = {"stop": _text(options.stop), "target": _text(options.target)}
    return Act(account, "protect", {"position": id, "none": none, **prices})


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


def _text(value: Decimal | None) -> str:
    return documents.number(value) or ""


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
    from standfast.ports import Request

    now, who = ledger.now(), _who()
    request = RequestId(digest(wanted.account, wanted.verb, sorted(wanted.arguments.items()), who, now, os.getpid()))
    path = ledger.path_of(options.config)
    stored.put_request(
        path,
        Request(id=request, account=wanted.account, verb=wanted.verb, arguments=wanted.arguments, by=who, at=now),
    )
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


def _who() -> str:
    """Who asks: the login, and where from."""
    import getpass
    import socket

    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # a container may have a user id without a name
        login = str(os.getuid())
    return f"{login}@{socket.gethostname()}"
