"""`init`: ask, and write standfast.toml. What is written is in starting.py."""

import argparse

from standfast.cli.arguments import Options, Parser, Verb

BROKERS = ("alpaca", "tradier")
"""Beside them ccxt:ID, of any exchange that ccxt knows."""


def _broker(text: str) -> str:
    if text in BROKERS or (text.startswith("ccxt:") and text != "ccxt:"):
        return text
    raise argparse.ArgumentTypeError(f"{text!r}: give alpaca, tradier, ccxt:bybit, ccxt:binanceusdm or another ccxt:ID")


def _arguments(parser: Parser) -> None:
    parser.add_argument("--yes", action="store_true", help="ask nothing: take the flags, and defaults for the rest")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument(
        "--broker",
        type=_broker,
        metavar="B",
        help="alpaca, tradier, ccxt:bybit, ccxt:binanceusdm, or ccxt:ID of any that ccxt knows (default: alpaca)",
    )
    parser.add_argument("--name", help="what the account is called here (default: paper)")
    parser.add_argument("--live", action="store_true", help="a live account: real money")
    parser.add_argument("--key-id", metavar="REF", help="env:NAME, file:PATH or keyring:SERVICE/NAME")
    parser.add_argument("--secret", metavar="REF", help="as --key-id; with --broker tradier the access token")
    parser.add_argument("--passphrase", metavar="REF", help="as --key-id, where the exchange's keys have one")
    parser.add_argument("--account-id", metavar="NUMBER", help="with --broker tradier: the number of the account")
    parser.add_argument(
        "--mode", choices=("observe", "alert", "repair"), help="how far the guard may go (default: alert)"
    )
    parser.add_argument(
        "--foreign", choices=("adopt", "alert", "ignore"), help="what the bot opened without Standfast (default: alert)"
    )
    parser.add_argument("--held-by", choices=("broker", "guard", "both"), help="who holds the exits (default: broker)")
    parser.add_argument(
        "--stop-loss", metavar="D", help='distance of the stop from entry, but of options: 50%% (default: "2%%")'
    )
    parser.add_argument("--alert", metavar="URL", help="where alerts go: any Apprise address, or env:NAME")
    parser.add_argument(
        "--exchange", metavar="URL", help="a simulated exchange (standfast exchange) in place of the broker"
    )


def _init(options: Options) -> int:
    from standfast.cli import starting

    return starting.init(options)


VERBS = {
    "init": Verb(
        does="Ask what has to be known, and write a commented settings file that only you can read.\n"
        "Keys are not written into it, only where they are kept.",
        example="standfast init\nstandfast init --yes --name paper --mode repair --foreign adopt",
        codes="0   written\n1   not (there is a file already, or an answer cannot be used)\n2   usage error",
        run=_init,
        arguments=_arguments,
    ),
}
