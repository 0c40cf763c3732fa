"""The operator's acts: arguments here, what becomes of them in acting.py."""

from standfast.cli.arguments import (
    Options,
    Parser,
    Verb,
    amount,
    instrument,
    net_price,
    price,
    quantity,
    seconds,
    share,
    whole,
)

PROVEN = "0   done and proven\n1   not (the reason is printed)\n2   usage error\n78  bad configuration"


def _wait(parser: Parser) -> None:
    parser.add_argument(
        "--wait", type=seconds, default=60.0, metavar="DURATION", help="how long to wait for the proof (default: 60s)"
    )


def _prices(parser: Parser, default: str = "by policy") -> None:
    of = f"of a spread what closing a unit brings, negative for what it costs (default: {default})"
    parser.add_argument("--stop", type=net_price, metavar="P", help=f"stop price; {of}")
    parser.add_argument("--target", type=net_price, metavar="P", help=f"target price; {of}")


def _open_arguments(parser: Parser) -> None:
    parser.add_argument("account", metavar="ACCOUNT")
    parser.add_argument("instrument", metavar="INSTRUMENT", type=instrument, nargs="?")
    parser.add_argument("quantity", metavar="QUANTITY", type=quantity, nargs="?", help="signed: negative sells short")
    parser.add_argument(
        "--legs", metavar="LEGS", default="", help="instead of an instrument: a spread, CONTRACT:RATIO ..."
    )
    parser.add_argument("--quantity", dest="units", type=amount, metavar="N", help="units of the spread (default: 1)")
    parser.add_argument("--credit", type=price, metavar="P", help="what a unit shall bring at least, in points")
    parser.add_argument("--debit", type=price, metavar="P", help="what a unit may cost at most, in points")
    parser.add_argument("--strategy", default="", metavar="S", help="whose position it is; policies match on it")
    parser.add_argument("--limit", type=price, metavar="P", help="limit price (default: at the market)")
    _prices(parser)
    parser.add_argument(
        "--stop-loss", type=share, metavar="SHARE", help="in place of --stop: its distance from the entry, such as 2%%"
    )
    parser.add_argument("--id", dest="key", default="", metavar="KEY", help="the same KEY is the same opening")
    _wait(parser)


def _close_arguments(parser: Parser) -> None:
    _position(parser)
    parser.add_argument("--quantity", type=amount, metavar="Q", help="only so much of it (default: all)")
    parser.add_argument("--reason", default="", metavar="TEXT", help="kept in the journal")
    _wait(parser)


def _protect_arguments(parser: Parser) -> None:
    _position(parser)
    _prices(parser, "as it is, when the other one is given")
    parser.add_argument("--none", action="store_true", help="leave it without protection, on your word")
    _wait(parser)


def _position(parser: Parser) -> None:
    parser.add_argument("position", metavar="ID", help="of a position, or the start of it")


def _flatten_arguments(parser: Parser) -> None:
    parser.add_argument("account", metavar="ACCOUNT")
    parser.add_argument("--everything", action="store_true", help="foreign quantity too")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    _wait(parser)


def _scope_arguments(parser: Parser) -> None:
    parser.add_argument("account", metavar="ACCOUNT")
    parser.add_argument("scope", nargs="?", metavar="INSTRUMENT", type=instrument, help="only this one")
    parser.add_argument("--reason", default="", metavar="TEXT", help="kept in the journal")
    _wait(parser)


def _break_arguments(parser: Parser) -> None:
    parser.add_argument("break_", metavar="BREAK", help="id of a break, or the start of it")
    _wait(parser)


def _alert_arguments(parser: Parser) -> None:
    parser.add_argument("alert", metavar="ALERT", help="id of an alert, or the start of it")
    _wait(parser)


def _undo_arguments(parser: Parser) -> None:
    parser.add_argument("entry", metavar="ENTRY", type=whole, help="number of the entry; see standfast explain")
    parser.add_argument("--account", metavar="ACCOUNT", help="whose journal, where the ledger has several")
    _wait(parser)


def _act(options: Options) -> int:
    from standfast.cli import acting

    return acting.act(options)


VERBS = {
    "open": Verb(
        does="Open a position: recorded, sent, verified and protected, or refused with the reason.",
        example="standfast open paper SPY 10 --strategy trend --stop 580\nstandfast open paper AAPL -5 --limit 230\n"
        "standfast open paper --legs 'SPXW210106P03800000:-1 SPXW210106P03700000:+1' --quantity 3 --credit 3.70 \\\n"
        "    --stop -5.55 --target -1.85",
        codes=PROVEN,
        run=_act,
        arguments=_open_arguments,
    ),
    "close": Verb(
        does="Close a position, or part of it; done when its closing fills prove it.",
        example="standfast close 4kq2\nstandfast close 4kq2 --quantity 5 --reason 'before earnings'",
        codes=PROVEN,
        run=_act,
        arguments=_close_arguments,
    ),
    "protect": Verb(
        does="Choose stop and target of one position in place of its policy's; without either, back to the policy.\n"
        "--none leaves it without protection: nothing is kept around it until you say otherwise.",
        example="standfast protect 4kq2 --stop 412.50\nstandfast protect 4kq2 --stop -5.55  # of a spread\n"
        "standfast protect 4kq2 --none",
        codes=PROVEN,
        run=_act,
        arguments=_protect_arguments,
    ),
    "flatten": Verb(
        does="Cancel every entry order of an account, then close everything its books hold; done when both are gone.\n"
        "Foreign quantity stays unless --everything. Names what it left. Asks first on a terminal.",
        example="standfast flatten paper\nstandfast flatten paper --everything --yes",
        codes=PROVEN,
        run=_act,
        arguments=_flatten_arguments,
    ),
    "freeze": Verb(
        does="No openings on an account, or on one instrument of it. Closing and protecting go on.",
        example="standfast freeze paper\nstandfast freeze paper SPY --reason 'data feed'",
        codes=PROVEN,
        run=_act,
        arguments=_scope_arguments,
    ),
    "thaw": Verb(
        does="End a freeze.",
        example="standfast thaw paper SPY",
        codes=PROVEN,
        run=_act,
        arguments=_scope_arguments,
    ),
    "adopt": Verb(
        does="Take the quantity a break found into the books, and protect it from now on.",
        example="standfast breaks\nstandfast adopt k3vd",
        codes=PROVEN,
        run=_act,
        arguments=_break_arguments,
    ),
    "ignore": Verb(
        does="Acknowledge the quantity a break found as foreign: known, and left alone.",
        example="standfast ignore k3vd",
        codes=PROVEN,
        run=_act,
        arguments=_break_arguments,
    ),
    "ack": Verb(
        does="Acknowledge an alert: someone has seen it.",
        example="standfast alerts --open\nstandfast ack 7c2k",
        codes=PROVEN,
        run=_act,
        arguments=_alert_arguments,
    ),
    "undo": Verb(
        does="Take back a repair of the books by a later entry. Orders that were filled stay filled.",
        example="standfast explain 4kq2\nstandfast undo 218",
        codes=PROVEN,
        run=_act,
        arguments=_undo_arguments,
    ),
}
