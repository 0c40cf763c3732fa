"""`doctor`: what would keep a guard from doing its work. The checks are in checks.py."""

from standfast.cli.arguments import Options, Parser, Verb


def _arguments(parser: Parser) -> None:
    parser.add_argument("--send", action="store_true", help="send a test message through every alert channel")


def _doctor(options: Options) -> int:
    from standfast.cli import checks

    return checks.doctor(options)


VERBS = {
    "doctor": Verb(
        does="Check configuration, secrets, file modes, ledger, lease, what the broker answers, clock skew, rights\n"
        "and alerts; say what to do about whatever is wrong. Reads only, unless --send.",
        example="standfast doctor\nstandfast doctor --send --json",
        codes="0   everything is well\n1   something is not\n2   usage error",
        run=_doctor,
        arguments=_arguments,
    ),
}
