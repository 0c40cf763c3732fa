"""`journal rebuild`: the books again from the journal, or the ledger again from what the broker says."""

from pathlib import Path

from standfast.cli import doors, render
from standfast.cli.arguments import Options
from standfast.desk import ledger, stored
from standfast.model.errors import JournalError, StandfastError
from standfast.model.ids import AccountId, EntryNumber


def rebuild(options: Options) -> int:
    """Fold each journal from its first entry and save the result; refused while a guard writes it."""
    if options.from_broker:
        return _from_broker(options)
    with ledger.opened(options.config) as books:
        accounts = books.chosen(options.account)
    numbers = {account: _folded(ledger.path_of(options.config), account) for account in accounts}
    if options.json:
        render.document({"rebuilt": [{"account": account, "entries": number} for account, number in numbers.items()]})
    else:
        for account, number in numbers.items():
            render.line(f"{account}: folded again from {number} entries")
    return 0


def _folded(path: Path, account: AccountId) -> EntryNumber:
    import asyncio

    return asyncio.run(stored.rebuild(path, account, ledger.now()))


def _from_broker(options: Options) -> int:
    """Put the ledger aside and guard once: the broker says what is held, its resting orders which of it is ours."""
    if options.account is not None:
        raise StandfastError("--from-broker begins the whole ledger anew: name no account")
    path, accounts = ledger.path_of(options.config), ledger.configured(options.config)
    _refuse_guarded(path)
    aside = stored.begin_anew(path, accounts, ledger.now())
    with doors.quietly():
        code = doors.app().guard(Path(options.config), once=True, heartbeat=None, parent=None, restarted="")
    with ledger.opened(options.config) as books:
        found = {book.account: book for book in books.of(None)}
    rows = [
        {
            "account": account,
            "entries": book.head,
            "positions": sum(position.is_guarded for position in book.state.positions.values()),
            "breaks": len(book.state.breaks),
        }
        for account, book in found.items()
    ]
    if options.json:
        render.document({"rebuilt": rows, "aside": str(aside)})
        return code
    render.line(f"The old ledger is in {aside}.")
    for row in rows:
        render.line(
            f"{row['account']}: begun anew, {row['positions']} positions taken in, {row['breaks']} differences open; "
            f"openings are frozen until: standfast thaw {row['account']}"
        )
    if code:
        render.line("It had not come to rest yet: start the guard, it goes on from here.", render.BAD)
    return code


def _refuse_guarded(path: Path) -> None:
    """As far as the old ledger can still say who writes it."""
    if not path.exists():
        return
    try:
        with stored.open_reader(path) as reader:
            for account in reader.accounts():
                lease = reader.lease(account)
                if lease is not None and stored.is_held(lease, ledger.now()):
                    raise StandfastError(f"{account} is guarded by {stored.holder_of(lease)}: stop the guard first")
    except JournalError:
        return
