"""The verb `import`: its arguments and its help. The work is `taken_in.py`, which a help text need not load."""

from standfast.cli.arguments import Options, Parser, Verb, seconds


def _arguments(parser: Parser) -> None:
    parser.add_argument("account", metavar="ACCOUNT")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--wait", type=seconds, default=60.0, metavar="DURATION", help="how long to wait for the proof (default: 60s)"
    )


def _import(options: Options) -> int:
    from standfast.cli import taken_in

    return taken_in.run(options)


VERBS = {
    "import": Verb(
        does="Take the bot's existing record ([accounts.tracker]) into the ledger, each position checked against the\n"
        "broker: what it does not hold is refused with the reason. Strategy, entry price and time, stop and target\n"
        "are kept where they are recorded. Shows what it will do and asks; taken in again, nothing changes.",
        example="standfast import paper --dry-run\nstandfast import paper --yes",
        codes="0   every entry is in the books\n1   some were refused, or nothing was done\n2   usage error\n"
        "78  bad configuration",
        run=_import,
        arguments=_arguments,
    ),
}
