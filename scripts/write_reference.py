"""Write the reference pages that follow from the code: the command line's help, and the kinds of fact.

    python scripts/write_reference.py            write docs/reference/commands.md and journal.md
    python scripts/write_reference.py --check    say whether they are as they should be; 1 when not

What can be generated cannot drift. `tests/docs` runs the check. A kind of fact is told in its docstring's first
sentence; where the class has none, in `TOLD` below, and a kind told nowhere stops the script.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from inspect import getmodule
from pathlib import Path

from standfast.cli.arguments import DEFAULT_CONFIG, Verb, parser_for
from standfast.cli.main import GROUPS
from standfast.model.journal import FACTS

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
WRITTEN = "<!-- written by scripts/write_reference.py: change the code, then run it -->"
WIDTH = 96

COMMANDS = """\
# Commands

{written}

`standfast VERB [--config FILE] [--json]`. Both options may stand before or after the verb. Ids may be shortened as long
as only one thing begins so. What each exit code means: [exit-codes.md](exit-codes.md). What `--json` prints:
[json.md](json.md).

"Acts" travel as requests: with a guard running the verb asks the guard and waits for the proof (`--wait`); with none it
takes the account's lease itself, guards for that moment in the account's mode, acts, proves, gives the lease back.
"""

JOURNAL = """\
# Journal: every kind of fact

{written}

Each account has one journal. An entry has a number, the epoch of the lease it was written under, a time, one fact, and
a hash over itself and the hash of the entry before. `standfast journal tail` shows entries as sentences,
`standfast journal export` writes them as JSON Lines: `account, number, epoch, at, kind, version, fact, hash`. Entries
are never changed; old versions are read for ever. How the book follows from them: [ledger](../concepts/ledger.md).
"""

TITLES = {
    "facts_guard": "The guard itself",
    "facts_orders": "Orders",
    "facts_fills": "Fills and movements",
    "facts_positions": "Positions",
    "facts_structures": "Structures: several legs as one position",
    "facts_watch": "Breaks, alarms, operators",
}

TOLD = {
    "AlertAcknowledged": "Somebody has seen an alert.",
    "AlertDelivered": "A channel took an alert.",
    "AlertFailed": "A channel did not take an alert; it is tried again.",
    "AlertRaised": "Something people are to be told, with the break it is about, if any.",
    "BreakActed": "What was done about a break.",
    "BreakConfirmed": "A second look agreed: the break may be repaired and told.",
    "BreakEnded": "The difference is gone, and why.",
    "CancelIntended": "Committed before a cancel leaves.",
    "CloseRequested": "A position is to be closed, or reduced to `remain`: by whom and why.",
    "FillBooked": "A fill, shared out to the positions it opens or closes, with the profit of each closing part.",
    "FlattenEnded": "A flatten is over; the detail names what it left.",
    "FlattenRequested": "An operator flattens the account; `everything`: foreign quantity too.",
    "GuardStarted": "A guard took the account: its version and mode.",
    "GuardStopped": "A guard let go of the account, as asked.",
    "MovementBooked": "Something other than a fill that the broker reports: a split, a fee, a dividend, a transfer.",
    "NakedBegan": "From here on a position lacks the resting cover its policy asks for.",
    "NakedEnded": "It is covered again, or gone.",
    "OpeningRefused": "The gate said no, with every reason.",
    "OpeningRequested": "An opening the gate has let through.",
    "OrderAccepted": "The broker took an order and gave it an id.",
    "OrderInDoubt": "An order was sent and no answer proves what became of it; it is asked for by id.",
    "OrderNotSent": "An order never left: trying again is safe.",
    "OrderRejected": "The broker said no to an order: nothing changed.",
    "PricesResumed": "Price rules go on.",
    "ProtectionChosen": "An operator chose stop and target of one position, or to leave it bare.",
    "RequestDone": "How an operator's act ended: proven or not, and the detail.",
    "RequestTaken": "An operator's act reached the guard: verb, arguments, who.",
    "SessionSeen": "What the broker's clock said about the session.",
    "StandingChanged": "A lot became adopted or foreign; `anchor` where its stop is figured from another price.",
    "Thawed": "A freeze ended.",
    "TrailMoved": "The trailing ladder armed a rung or raised its stop.",
    "WatermarkMoved": "How far the broker's activities have been read.",
    "CashCompared": "The broker's cash, which realised profit is held against from there on, and whether it agreed.",
}


def commands() -> str:
    """The help of every verb, as the command line prints it."""
    parts = [COMMANDS.format(written=WRITTEN)]
    for group, verbs in GROUPS.items():
        parts.append(f"\n## {group}\n")
        for name, (module, summary) in verbs.items():
            parts.append(f"\n### {name}\n\n{summary[0].upper()}{summary[1:]}.\n\n```text\n{_help(name, module)}```\n")
    return "".join(parts)


def _help(name: str, module: str) -> str:
    verb = import_module(f"standfast.cli.{module}").VERBS[name]
    assert isinstance(verb, Verb), name
    parser = parser_for(name, verb, config=DEFAULT_CONFIG, json=False)
    parser.formatter_class = _formatter
    return parser.format_help()


def _formatter(prog: str) -> argparse.HelpFormatter:
    """One width, whatever terminal this runs on."""
    return argparse.RawDescriptionHelpFormatter(prog, width=WIDTH)


def journal() -> str:
    """Every kind of fact: what it means, and its fields."""
    parts = [JOURNAL.format(written=WRITTEN)]
    for module, title in TITLES.items():
        parts.append(f"\n## {title}\n\n| fact | meaning | fields |\n| --- | --- | --- |\n")
        parts += [f"| `{name}` | {_meaning(name)} | {_fields(name)} |\n" for name in _of(module)]
    return "".join(parts)


def _of(module: str) -> Iterator[str]:
    for name, cls in FACTS.items():
        home = getmodule(cls)
        assert home is not None, name
        assert home.__name__.rpartition(".")[2] in TITLES, f"{name} lives in {home.__name__}: give it a title here"
        if home.__name__.endswith(f".{module}"):
            yield name


def _meaning(name: str) -> str:
    text = (FACTS[name].__doc__ or "").strip()
    if not text or text.startswith(f"{name}("):  # what dataclass writes where nobody did
        return TOLD[name]
    first = re.split(r"\n\s*\n", text)[0]
    return " ".join(first.split()).replace("|", "\\|")


def _fields(name: str) -> str:
    return ", ".join(each.name for each in fields(FACTS[name]))


PAGES = {"commands.md": commands, "journal.md": journal}


def main(argv: list[str]) -> int:
    """Write or check; the exit code."""
    stale = []
    for name, write in PAGES.items():
        path, text = REFERENCE / name, write()
        if argv == ["--check"]:
            stale += [name] if not path.exists() or path.read_text(encoding="utf-8") != text else []
        else:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        sys.stderr.write(f"docs/reference/{name} is not what the code says: run scripts/write_reference.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
