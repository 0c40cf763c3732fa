"""`explain ID`: what a person wants at three in the morning."""

from standfast.cli.arguments import Options, Parser, Verb


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "id", metavar="ID", help="of a position, order (either id), break, alert or request; or its start"
    )


def _explain(options: Options) -> int:
    from standfast.cli import proof

    return proof.explain(options)


VERBS = {
    "explain": Verb(
        does="Tell everything the journal holds about one position, order, break or alert, in order: what was read,\n"
        "which rule decided, which order was sent and what the broker answered, the fills, and the proof at the end.",
        example="standfast explain 4kq2\nstandfast explain 4kq2 --json",
        codes="0   told\n1   nothing of that name, or more than one\n2   usage error\n78  bad configuration",
        run=_explain,
        arguments=_arguments,
    ),
}
