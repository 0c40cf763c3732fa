"""What `journal` does: prove, copy, write out and show."""

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TextIO

from standfast.cli import render
from standfast.cli.arguments import Options
from standfast.cli.render import BAD, GOOD, Cell, Column
from standfast.cli.telling import sentence
from standfast.core.book import Book, BookState
from standfast.core.fold import fold
from standfast.desk import documents, ledger, stored
from standfast.model.errors import StandfastError
from standfast.model.ids import AccountId
from standfast.model.journal import Entry

FOLLOW_EVERY = 0.5
"""Seconds between two looks for new entries."""

VERIFY_COLUMNS = (Column("ACCOUNT"), Column("ENTRIES", right=True), Column("HEAD"), Column("VERDICT", wraps=True))


def verify(options: Options) -> int:
    """Walk every chain, and compare each saved book with the fold; 1 where anything does not hold."""
    path = ledger.path_of(options.config)
    with ledger.opened(options.config) as books:
        chosen = books.chosen(options.account)
        found = [each for each in stored.verify(path) if each.account in chosen]
        verdicts = [(each, each.damage or _saved_book_differs(books, each.account)) for each in found]
    if options.json:
        rows = [
            {"account": each.account, "entries": each.entries, "head": each.head, "ok": not damage, "damage": damage}
            for each, damage in verdicts
        ]
        render.document({"journals": rows})
    else:
        table = [
            (each.account, str(each.entries), each.head[:16], Cell(damage or "whole", BAD if damage else GOOD))
            for each, damage in verdicts
        ]
        render.table(VERIFY_COLUMNS, table, empty="The ledger holds no journal yet.")
    return 1 if any(damage for _, damage in verdicts) else 0


def _saved_book_differs(books: ledger.Books, account: AccountId) -> str:
    """What is wrong with the newest saved book; empty when it is what the journal folds to."""
    saved = books.reader.book(account, BookState)
    if saved is None:
        return ""
    number, state = saved
    folded = fold(Book.empty(account), books.reader.entries(account, 0, number)).state
    if folded == state:
        return ""
    return f"the saved book of entry {number} is not what the journal folds to: run standfast journal rebuild {account}"


def backup(options: Options) -> int:
    """Copy the ledger; the copy is proven before it gets its name."""
    target = Path(options.file).absolute()
    if not target.parent.is_dir():
        raise StandfastError(f"{target.parent}: there is no such folder; make it first")
    stored.back_up(ledger.path_of(options.config), target)
    if options.json:
        render.document({"backup": {"file": str(target), "bytes": target.stat().st_size}})
    else:
        render.line(f"{target}: {target.stat().st_size:,} bytes, verified")
    return 0


def export(options: Options) -> int:
    """Write every entry as one line of JSON."""
    with ledger.opened(options.config) as books:
        chosen = books.chosen(options.account)
        with _output(options.output) as out:
            for account in chosen:
                out.writelines(f"{text}\n" for text in stored.export(books.reader, account))
    return 0


def _output(path: str | None) -> AbstractContextManager[TextIO]:
    if path is None:
        return nullcontext(sys.stdout)
    try:
        return Path(path).open("x", encoding="utf-8")
    except FileExistsError:
        raise StandfastError(f"{path}: there is a file already; name another") from None
    except OSError as error:
        raise StandfastError(f"{path}: cannot be written ({error.strerror}); check the folder and its rights") from None


def tail(options: Options) -> int:
    """Show the last entries, each in a sentence; with `--follow` those that come, too."""
    with ledger.opened(options.config) as books:
        accounts = books.chosen(options.account)
        if options.follow and len(accounts) != 1:
            raise StandfastError(f"--follow shows one journal: name the account; accounts: {', '.join(accounts)}")
        starts = {account: max(books.reader.head(account)[0] - options.lines, 0) for account in accounts}
        if options.json and not options.follow:
            found = [(account, each) for account in accounts for each in books.reader.entries(account, starts[account])]
            rows = [{"account": account, **documents.entry(each, sentence(each.fact))} for account, each in found]
            render.document({"entries": rows})
            return 0
        for account in accounts:
            for each in stored.tail(books.reader, account, starts[account], lambda: _paused(go_on=options.follow)):
                _print_entry(account, each, json=options.json)
    return 0


def _paused(*, go_on: bool) -> bool:
    """Wait before the next look, if there is to be one."""
    import time

    if go_on:
        sys.stdout.flush()
        time.sleep(FOLLOW_EVERY)
    return go_on


def _print_entry(account: AccountId, found: Entry, *, json: bool) -> None:
    if json:
        from json import dumps

        print(dumps({"account": account, **documents.entry(found, sentence(found.fact))}, ensure_ascii=False))
        return
    kind = type(found.fact).__name__
    render.line(f"{render.at(found.at)}  {account} #{found.number:<6} {kind:<20} {sentence(found.fact)}")
