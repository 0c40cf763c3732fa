"""`journal verify | backup | export | tail | rebuild`: the ledger itself. What they do is in pages.py."""

from standfast.cli.arguments import Options, Parser, Verb, whole
from standfast.cli.reading import account_argument

CODES = "0   done\n1   damaged, or not done\n2   usage error\n78  bad configuration"


def _backup_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="where the copy goes; must not exist")


def _export_arguments(parser: Parser) -> None:
    account_argument(parser)
    parser.add_argument("--output", metavar="FILE", help="write there instead of to standard output")


def _tail_arguments(parser: Parser) -> None:
    account_argument(parser)
    parser.add_argument("--lines", type=whole, default=20, metavar="N", help="how many entries (default: 20)")
    parser.add_argument("--follow", action="store_true", help="go on with new entries as they come")


def _rebuild_arguments(parser: Parser) -> None:
    account_argument(parser)
    told = "put the ledger aside and begin a new one from what the broker says"
    parser.add_argument("--from-broker", action="store_true", help=told)


def _verify(options: Options) -> int:
    from standfast.cli import pages

    return pages.verify(options)


def _backup(options: Options) -> int:
    from standfast.cli import pages

    return pages.backup(options)


def _export(options: Options) -> int:
    from standfast.cli import pages

    return pages.export(options)


def _tail(options: Options) -> int:
    from standfast.cli import pages

    return pages.tail(options)


def _rebuild(options: Options) -> int:
    from standfast.cli import rebuilding

    return rebuilding.rebuild(options)


VERBS = {
    "journal verify": Verb(
        does="Walk every journal from its first entry: nothing missing, nothing changed, every fact readable, and the\n"
        "saved books equal to the fold.",
        example="standfast journal verify\nstandfast journal verify paper --json",
        codes=CODES,
        run=_verify,
        arguments=account_argument,
    ),
    "journal backup": Verb(
        does="Copy the whole ledger into one file while the guard goes on using it; the copy is verified.",
        example="standfast journal backup /backup/standfast-monday.db",
        codes=CODES,
        run=_backup,
        arguments=_backup_arguments,
    ),
    "journal export": Verb(
        does="Write every entry as one line of JSON: number, epoch, time, kind, fact, hash.",
        example="standfast journal export paper --output paper.jsonl",
        codes=CODES,
        run=_export,
        arguments=_export_arguments,
    ),
    "journal tail": Verb(
        does="Show the last entries, each in a sentence.",
        example="standfast journal tail --lines 50",
        codes=CODES,
        run=_tail,
        arguments=_tail_arguments,
    ),
    "journal rebuild": Verb(
        does="Throw the saved books away; the next start folds them again from the journal. The journal itself is\n"
        "not touched. Stop the guard first.\n"
        "With --from-broker the whole ledger is begun anew: the old one is put aside, what the broker holds is taken\n"
        "in as `foreign` says, what our own resting orders cover is ours, and openings are frozen.",
        example="standfast journal rebuild paper\nstandfast journal rebuild --from-broker",
        codes=CODES,
        run=_rebuild,
        arguments=_rebuild_arguments,
    ),
}
