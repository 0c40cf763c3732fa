"""`history`: closed positions with their fills, and realised profit and loss by day. What it does is in past.py."""

from standfast.cli.arguments import Options, Parser, Verb, day
from standfast.cli.reading import READ, account_argument


def _arguments(parser: Parser) -> None:
    account_argument(parser)
    parser.add_argument("--day", type=day, metavar="YYYY-MM-DD", help="only this trading day (the exchange's own)")


def _history(options: Options) -> int:
    from standfast.cli import past

    return past.history(options)


VERBS = {
    "history": Verb(
        does="Show every closed position: prices, reason, profit and loss, fills; then profit and loss by day.\n"
        "Realised, at average cost, from the broker's own fills, fees apart. A position that is still open counts\n"
        "with what it has closed. A fill around the session counts for its day, one overnight for the next.",
        example="standfast history\nstandfast history paper --day 2026-11-20 --json",
        codes=READ,
        run=_history,
        arguments=_arguments,
    ),
}
