"""`import`: the bot's existing record into the ledger, shown first, each position checked against the broker.

1. What would be done is shown before anything is done, and nothing is done without a word: typed, or `--yes`.
2. Each entry travels as a request of its own, as every act does, and is answered for itself. Again is nothing new.
3. Exit code 0: the broker holds every entry and the books have it. 1: some were refused, or nothing was done.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from standfast.cli import doors, render
from standfast.cli.acting import through_guard
from standfast.cli.arguments import Options
from standfast.cli.render import BAD, GOOD, Cell, Column
from standfast.desk import ledger, stored
from standfast.desk.acts import Act
from standfast.model.ids import AccountId

COLUMNS = (Column(""), Column("ENTRY"), Column("STRATEGY"), Column("HELD", wraps=True), Column("WHAT", wraps=True))


def run(options: Options) -> int:
    """Show what would be taken in, ask, do it; the exit code."""
    with doors.quietly():
        planned = doors.import_plan().plan(Path(options.config), options.account)
    new = [each for each in planned if each.ok and each.is_new]
    if options.dry_run or not new:
        return _told(options, planned, [(each.ok, each.detail) for each in planned])
    if not options.json:
        _show(planned, [(each.ok, each.detail) for each in planned])
    if not _confirmed(options, len(new)):
        render.aside("Nothing was done.")
        return 1
    outcomes = dict(zip((id(each) for each in new), _done(options, new), strict=True))
    return _told(options, planned, [outcomes.get(id(each), (each.ok, each.detail)) for each in planned])


def _confirmed(options: Options, count: int) -> bool:
    """An owner's word. Unlike what must be able to end things at once, this can wait for one."""
    if options.yes:
        return True
    if not sys.stdin.isatty():
        render.aside("Not on a terminal: --yes does what is shown.")
        return False
    print(f"Take {count} into the books of {options.account}? Type yes to go on: ", end="", flush=True)
    return sys.stdin.readline().strip().lower() == "yes"


def _done(options: Options, new: Sequence[doors.Planned]) -> list[tuple[bool, str]]:
    account = AccountId(options.account)
    if _is_guarded(options, account):
        return [through_guard(options, Act(account, "import", each.arguments)) for each in new]
    render.aside(f"No guard holds {account}: taking the lease for this.")
    with doors.quietly():
        arguments = [each.arguments for each in new]
        return doors.app().act_on_all(Path(options.config), account, "import", arguments, options.wait)


def _is_guarded(options: Options, account: AccountId) -> bool:
    if not ledger.path_of(options.config).exists():
        return False
    with ledger.opened(options.config) as books:
        return stored.is_held(books.reader.lease(account), ledger.now())


def _told(options: Options, planned: Sequence[doors.Planned], outcomes: Sequence[tuple[bool, str]]) -> int:
    if options.json:
        pairs = zip(planned, outcomes, strict=True)
        render.document({"import": [_row(each, ok=ok, detail=detail) for each, (ok, detail) in pairs]})
    else:
        _show(planned, outcomes)
    return 0 if all(ok for ok, _ in outcomes) else 1


def _row(each: doors.Planned, *, ok: bool, detail: str) -> dict[str, object]:
    legs = [{"instrument": leg.holding.instrument, "quantity": str(leg.quantity)} for leg in each.entry.legs]
    return {"name": each.entry.name, "strategy": each.entry.strategy, "legs": legs, "ok": ok, "detail": detail}


def _show(planned: Sequence[doors.Planned], outcomes: Sequence[tuple[bool, str]]) -> None:
    rows = [
        (
            Cell("ok", GOOD) if ok else Cell("REFUSED", BAD),
            each.entry.name,
            each.entry.strategy or "-",
            ", ".join(f"{leg.quantity} {leg.holding}" for leg in each.entry.legs),
            detail,
        )
        for each, (ok, detail) in zip(planned, outcomes, strict=True)
    ]
    render.table(COLUMNS, rows, empty="The record holds nothing.")
