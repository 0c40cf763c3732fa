"""What `explain` prints: the entries of one subject's proof trail, as a timeline."""

from collections.abc import Mapping, Sequence

from standfast.cli import render, spreads
from standfast.cli.arguments import Options
from standfast.cli.render import BAD, GOOD, WARN
from standfast.cli.telling import sentence
from standfast.cli.trail import Subject, subjects, trail
from standfast.core.book import Book
from standfast.desk import documents, ledger
from standfast.model import journal as j
from standfast.model.errors import StandfastError
from standfast.model.ids import AccountId, PositionId

STYLES: Mapping[type[j.Fact], str] = {
    j.OrderRejected: BAD,
    j.OrderInDoubt: BAD,
    j.OpeningRefused: BAD,
    j.NakedBegan: BAD,
    j.BreakSeen: WARN,
    j.AlertRaised: WARN,
    j.FillBooked: GOOD,
    j.PositionSettled: GOOD,
}


def explain(options: Options) -> int:
    """Print the trail of the one thing whose name begins as asked."""
    with ledger.opened(options.config) as books:
        journals = {book.account: (book, books.entries(book.account)) for book in books.of(None)}
    account, subject = _find(options.id, {name: entries for name, (_, entries) in journals.items()})
    book, entries = journals[account]
    found = trail(entries, subject)
    if options.json:
        render.document({"explain": _document(account, subject, found)})
        return 0
    render.line(f"{subject.kind} {subject.id} of account {account}", "bold")
    for summary in _summary(book, subject):
        render.line(summary)
    for entry in found:
        render.line(
            f"{render.at(entry.at)}  #{entry.number:<6} {type(entry.fact).__name__:<20} {sentence(entry.fact)}",
            STYLES.get(type(entry.fact), ""),
        )
    return 0


def _find(wanted: str, journals: Mapping[AccountId, Sequence[j.Entry]]) -> tuple[AccountId, Subject]:
    """The one subject of that name, or whose name begins so. Raises StandfastError for none and for several."""
    exact: dict[tuple[AccountId, Subject], None] = {}
    begun: dict[tuple[AccountId, Subject], None] = {}
    for account, entries in journals.items():
        for name, subject in subjects(entries).items():
            if name == wanted:
                exact[account, subject] = None
            elif name.startswith(wanted):
                begun[account, subject] = None
    found = list(exact or begun)
    if not found:
        raise StandfastError(f"{wanted!r}: nothing in the journal has a name that begins so; see standfast history")
    if len(found) > 1:
        names = ", ".join(f"{subject.kind} {subject.id} ({account})" for account, subject in found[:5])
        raise StandfastError(f"{wanted!r} could be any of {len(found)}: {names}; write more of it")
    return found[0]


def _summary(book: Book, subject: Subject) -> list[str]:
    if subject.kind != "position":
        return []
    id = PositionId(subject.id)
    whole = book.state.structures.get(id) or book.state.closed_structures.get(id)
    if whole is not None:
        return spreads.summary(book, whole)
    position = book.state.positions.get(id) or book.state.closed.get(id)
    if position is None:
        return []
    entry, closing = (
        documents.number(price and round(price, 4)) for price in (position.entry_price, position.exit_price)
    )
    text = f"{position.direction} {documents.number(position.opened)} {position.holding}, {position.phase.value}"
    text += f", entry {entry}" if entry else ""
    text += f", exit {closing}" if closing else ""
    if position.closed:
        text += f", realised {documents.number(position.pnl)}"
    return [text, *([f"proof: {position.proof}"] if position.proof else []), ""]


def _document(account: AccountId, subject: Subject, found: Sequence[j.Entry]) -> documents.Document:
    return {
        "id": subject.id,
        "kind": subject.kind,
        "account": account,
        "entries": [documents.entry(entry, sentence(entry.fact)) for entry in found],
    }
