"""`guard` and `scan`: thin, because the guard is not here.

`guard` is two processes (design.md §2): the one that was typed watches, and starts the worker with the hidden options
`--worker --heartbeat --parent --restarted`. `--once` is one process and no watching.
"""

import argparse

from standfast.cli.arguments import Options, Parser, Verb, whole
from standfast.cli.reading import account_argument

UNVERIFIED = 3


def _guard_arguments(parser: Parser) -> None:
    parser.add_argument("--once", action="store_true", help="one look at everything, with what it calls for, then end")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--heartbeat", type=whole, help=argparse.SUPPRESS)
    parser.add_argument("--parent", type=whole, help=argparse.SUPPRESS)
    parser.add_argument("--restarted", default="", help=argparse.SUPPRESS)


def _guard(options: Options) -> int:
    from pathlib import Path

    if options.worker or options.once:
        from standfast.cli import doors

        return doors.app().guard(
            Path(options.config),
            once=options.once,
            heartbeat=options.heartbeat,
            parent=options.parent,
            restarted=options.restarted,
        )
    from standfast.runtime import parent

    return parent.run(["--config", options.config, *(["--json"] if options.json else [])])


def _scan(options: Options) -> int:
    from pathlib import Path

    from standfast.cli import doors, render, shown
    from standfast.desk import documents

    with doors.quietly():
        found = doors.app().scan(Path(options.config), options.account)
    agree = not found.breaks and not found.unverified
    if options.json:
        breaks = [documents.broken(account, each) for account, each in found.breaks]
        render.document({"agree": agree, "breaks": breaks, "unverified": list(found.unverified)})
    else:
        if found.breaks or agree:
            shown.print_breaks(found.breaks)
        for each in found.unverified:
            render.line(f"Could not verify: {each}", render.BAD)
    if found.breaks:
        return 1
    return UNVERIFIED if found.unverified else 0


VERBS = {
    "guard": Verb(
        does="Guard every account of the settings until told to stop: the main job.\n"
        "SIGTERM hands over and stops cleanly; SIGHUP reads the settings again.",
        example="standfast guard --config /etc/standfast/standfast.toml\nstandfast guard --once",
        codes="0   stopped as asked\n2   usage error\n74  a worker's, or with --once: the ledger cannot be used\n"
        "75  a worker's: another process has taken an account over\n78  bad configuration\n"
        "79  the account is guarded already",
        run=_guard,
        arguments=_guard_arguments,
    ),
    "scan": Verb(
        does="Compare once, read-only, with no trading rights: books against broker where there is a ledger, and\n"
        "positions, orders and fills against each other where there is none. Nothing is sent or recorded.",
        example="standfast scan\nstandfast scan paper --json",
        codes="0   they agree\n1   there are breaks\n2   usage error\n3   could not verify\n78  bad configuration",
        run=_scan,
        arguments=account_argument,
    ),
}
