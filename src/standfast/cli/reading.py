"""The verbs that show the books as they stand (shown.py), and what they are worth now (portfolio.py)."""

from standfast.cli.arguments import Options, Parser, Verb

READ = "0   shown (also when there is nothing to show)\n1   the ledger cannot be read\n2   usage error"
READ += "\n78  bad configuration"
PRICED = READ.replace("\n78", "\n3   shown, but a broker could not be asked, or did not quote everything\n78")


def account_argument(parser: Parser) -> None:
    """The account to look at; all of them where none is named."""
    parser.add_argument("account", nargs="?", metavar="ACCOUNT", help="only this account")


def _positions_arguments(parser: Parser) -> None:
    account_argument(parser)
    parser.add_argument("--all", action="store_true", help="closed ones too")


def _orders_arguments(parser: Parser) -> None:
    account_argument(parser)
    parser.add_argument("--all", action="store_true", help="finished ones too, as far as the book still keeps them")


def _breaks_arguments(parser: Parser) -> None:
    account_argument(parser)
    parser.add_argument("--all", action="store_true", help="ended ones too")


def _alerts_arguments(parser: Parser) -> None:
    account_argument(parser)
    parser.add_argument("--open", action="store_true", help="only those nobody has acknowledged")


def _positions(options: Options) -> int:
    from standfast.cli import shown

    return shown.positions(options)


def _portfolio(options: Options) -> int:
    from standfast.cli import portfolio

    return portfolio.portfolio(options)


def _orders(options: Options) -> int:
    from standfast.cli import shown

    return shown.orders(options)


def _breaks(options: Options) -> int:
    from standfast.cli import shown

    return shown.breaks(options)


def _alerts(options: Options) -> int:
    from standfast.cli import shown

    return shown.alerts(options)


VERBS = {
    "positions": Verb(
        does="Show every position the books hold: quantity, entry, stop, and whether the stop covers all of it.\n"
        "Read from the ledger; no broker is asked.",
        example="standfast positions\nstandfast positions paper --all --json",
        codes=READ,
        run=_positions,
        arguments=_positions_arguments,
    ),
    "portfolio": Verb(
        does="Show everything held as one: each position at the worse side of its quotes and, beside it, at the mid;\n"
        "delta and theta by underlying; the worst and the best that can come of it at expiry. Asks the broker once.",
        example="standfast portfolio\nstandfast portfolio paper --json",
        codes=PRICED,
        run=_portfolio,
        arguments=account_argument,
    ),
    "orders": Verb(
        does="Show the orders the books know: why each was placed, and what the broker last said about it.",
        example="standfast orders paper\nstandfast orders --all --json",
        codes=READ,
        run=_orders,
        arguments=_orders_arguments,
    ),
    "breaks": Verb(
        does="Show every difference between the books and the broker that is open now. With --all, ended ones too.",
        example="standfast breaks\nstandfast breaks paper --all",
        codes=READ,
        run=_breaks,
        arguments=_breaks_arguments,
    ),
    "alerts": Verb(
        does="Show what people were told, whether it arrived, and whether someone has acknowledged it.",
        example="standfast alerts --open\nstandfast ack 7c2k",
        codes=READ,
        run=_alerts,
        arguments=_alerts_arguments,
    ),
}
