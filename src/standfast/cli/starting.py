"""What `init` asks and writes.

1. A file that is there is never replaced without `--force`.
2. What is written loads: it goes through the real settings before it gets its name. Only its owner can read it.
3. The trap that costs newcomers a day is said aloud: resting stops reserve the quantity they would sell.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from standfast.cli import render
from standfast.cli.arguments import Options
from standfast.model.errors import SettingsError, StandfastError

TRAP = """\
Resting stops reserve the quantity they would sell. A stop that Standfast keeps under an adopted position makes
the broker refuse your bot's own sell orders for it (Alpaca: 403, held for orders; Tradier: rejected, review open
orders), and Alpaca its plain buys of that instrument too (403, wash trade). Choose:
  exits_held_by = "broker"  the stop outlives this machine; the bot must close through standfast close, or
                            cancel the stop first (it comes back if the position does not close)
  exits_held_by = "guard"   nothing rests at the broker; the bot sells as it likes; the stop needs a running guard
  exits_held_by = "both"    a wide emergency stop rests, the rest is the guard's; the bot's sells are refused too"""

EMERGENCY, EMERGENCY_ON_MARGIN = "40%", "8%"
"""Far enough out to be the last resort only; and, where a position is liquidated, not so far that it comes too late."""
RESERVES = """\
# A resting stop reserves the quantity: the broker then refuses the bot's own sells of it, and Alpaca its plain buys of
# that instrument too, as a possible wash trade.
"""
REDUCES = """\
# A resting stop may only reduce and reserves nothing: the bot's own orders go through beside it.
# Beyond the price of a liquidation it protects nothing: keep the distance well within your leverage.
"""
OPTIONS = """\
# Options and spreads: what lies between bid and ask is a good part of their price, and a stop nearer than that closes
# at once.
[[policies]]
name = "options"
match = {{ kind = "option" }}
exits_held_by = {held_by}    # of spreads the guard holds them in any case
stop_loss = "50%"    # of what was paid or received
emergency_stop = "80%"

"""


WHERE = "env:NAME, file:PATH, keyring:SERVICE/NAME"


class Question(NamedTuple):
    key: str
    text: str
    usual: str
    choices: tuple[str, ...] = ()


NAME = Question("name", "What shall the account be called", "paper")
KEYS = {
    "alpaca": (
        Question("key_id", f"Where is the key id kept ({WHERE})", "env:APCA_API_KEY_ID"),
        Question("secret", "Where is the secret kept", "env:APCA_API_SECRET_KEY"),
    ),
    "tradier": (
        Question("secret", f"Where is the access token kept ({WHERE})", "env:TRADIER_ACCESS_TOKEN"),
        Question("account_id", "What is the number of the account", "VA00000001"),
    ),
}
QUESTIONS = (
    Question("mode", "How far may the guard go", "alert", ("observe", "alert", "repair")),
    Question("foreign", "What to do with positions the bot opens itself", "alert", ("adopt", "alert", "ignore")),
    Question("held_by", "Who holds the exits", "broker", ("broker", "guard", "both")),
    Question("stop_loss", "How far from entry is the stop", "2%"),
    Question("alert", "Where do alerts go (an Apprise address, env:NAME, or nothing)", ""),
)
USUAL = "alpaca"
FOR_EXCHANGE = {"key_id": "key", "secret": "secret", "passphrase": "passphrase"}


def init(options: Options) -> int:
    """Ask or take the flags, then write."""
    file = Path(options.config)
    if file.exists() and not options.force:
        raise StandfastError(f"{file}: there is a file already; --force replaces it, --config FILE writes another")
    if not options.yes and not sys.stdin.isatty():
        raise StandfastError("there is no terminal to ask on; write --yes to take the flags and defaults")
    told = _foretold(options)
    asked = (NAME, *_keys_of(options.broker or USUAL), *QUESTIONS)
    answers = {each.key: _answer(each, options) for each in asked}
    _write(file, _text(answers, options))
    if options.json:
        render.document({"init": {"file": str(file.absolute()), "account": answers["name"], "mode": answers["mode"]}})
    else:
        _tell_next(file, answers, reserves=not _is_margined(options))
        for line in told:
            render.line(f"  {options.broker}: {line}")
    return 0


def _foretold(options: Options) -> list[str]:
    """What doctor will say of guarding an exchange of ccxt's, as far as it is known now."""
    from standfast import adapters

    try:
        return adapters.foretold(options.broker or USUAL, live=bool(options.live or options.exchange))
    except SettingsError as error:
        raise StandfastError(f"nothing was written: {error}") from None


def _keys_of(broker: str) -> tuple[Question, ...]:
    from standfast import adapters

    if broker in KEYS:
        return KEYS[broker]
    called = re.sub(r"\W", "_", broker.removeprefix("ccxt:").upper())
    passphrase = Question("passphrase", "Where is the key's passphrase kept", f"env:{called}_PASSWORD")
    return (
        Question("key_id", f"Where is the key kept ({WHERE})", f"env:{called}_KEY"),
        Question("secret", "Where is the secret kept", f"env:{called}_SECRET"),
        *([passphrase] if adapters.needs_passphrase(broker) else []),
    )


def _answer(question: Question, options: Options) -> str:
    given = getattr(options, question.key)
    usual = FOR_EXCHANGE.get(question.key, question.usual) if options.exchange else question.usual
    if given is not None:
        return str(given)
    return usual if options.yes else _asked(question, usual, options)


def _asked(question: Question, usual: str, options: Options) -> str:
    if question.key == "held_by" and not _is_margined(options):
        print(f"\n{TRAP}\n")
    choices = f" ({', '.join(question.choices)})" if question.choices else ""
    while True:  # ends with a usable answer, or with the input
        print(f"{question.text}{choices}? [{usual or 'none'}] ", end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            raise StandfastError("the input ended before every question was answered; nothing was written")
        answer = line.strip() or usual
        if not question.choices or answer in question.choices:
            return answer
        print(f"{answer!r} is none of {', '.join(question.choices)}.")


def _write(file: Path, text: str) -> None:
    """Whole or not at all, for the owner only, and only what the settings accept."""
    fresh = file.with_name(f"{file.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
        _check(fresh, text)
        fresh.replace(file)
    except OSError as error:
        raise StandfastError(
            f"{file}: cannot be written ({error.strerror}); check the folder and its rights"
        ) from error
    finally:
        fresh.unlink(missing_ok=True)


def _check(file: Path, text: str) -> None:
    """Load it; a key that is not there yet is no fault of the file."""
    from standfast.settings import load

    named = re.findall(r'"env:([^"]+)"', text)
    stand_ins = {name: "json://127.0.0.1/" if name.startswith("ALERT") else "not-set-yet" for name in named}
    try:
        load(file, {**stand_ins, **os.environ})
    except SettingsError as error:
        raise StandfastError(f"nothing was written: {str(error).replace(file.name, 'the answers')}") from None


def _text(answers: Mapping[str, str], options: Options) -> str:
    quoted = {key: _quoted(value) for key, value in answers.items()}
    return f"""\
# Standfast's settings. Every key is explained in docs/reference; what is not written has its default.
# Check this file and everything it leads to: standfast doctor

[ledger]
url = "sqlite:///standfast.db"     # beside this file; keep it on a local disk and back it up

[[accounts]]
name = {quoted["name"]}
broker = "{options.broker or USUAL}"
mode = {quoted["mode"]}    # observe: record only; alert: record and tell; repair: act
{_keys(quoted)}live = {"true" if options.live else "false"}    # real money
{_addresses(options.exchange)}\
foreign = {quoted["foreign"]}    # positions not opened through Standfast: adopt (protect them), alert, ignore
foreign_ignore = []    # instruments to leave alone, such as long-term holdings: ["VTI", "BND"]

# What is kept around a position; the first policy that matches holds.
{"" if _is_margined(options) else OPTIONS.format(held_by=quoted["held_by"])}\
[[policies]]
name = "default"
match = {{ account = "*", strategy = "*", instrument = "*", kind = "*" }}
# Who holds the exits: broker (they rest there), guard (its loop closes), both (a wide stop rests).
{REDUCES if _is_margined(options) else RESERVES}\
exits_held_by = {quoted["held_by"]}
stop_loss = {quoted["stop_loss"]}    # of the entry price
{_emergency(answers["stop_loss"], options)}    # the last resort, whatever else is delayed
# take_profit = "30%"
# trailing = [ {{ arm = "10%", give_back = "to entry" }}, {{ arm = "20%", give_back = "8pt" }} ]
# maximum_hold = "5d"
# flat_by = "15:55 America/New_York"

# What openings through Standfast are held to.
[limits]
open_positions = 20
orders_per_minute = 60
{_alerts(answers["alert"])}"""


def _is_margined(options: Options) -> bool:
    return str(options.broker or USUAL).startswith("ccxt:")


def _emergency(stop_loss: str, options: Options) -> str:
    """Left out where it would be the tighter of the two."""
    from standfast.settings.report import Unfit
    from standfast.settings.values import distance

    farthest = EMERGENCY_ON_MARGIN if _is_margined(options) else EMERGENCY
    try:
        is_beyond = distance(farthest) >= distance(stop_loss)
    except Unfit:  # the settings say what is wrong with it
        is_beyond = True
    return f'{"" if is_beyond else "# "}emergency_stop = "{farthest}"'


def _keys(quoted: Mapping[str, str]) -> str:
    """Where the keys are kept, and the account's number where the broker needs one."""
    lines = [f"{key} = {quoted[key]}" for key in ("key_id", "secret", "passphrase", "account_id") if key in quoted]
    return f"{lines[0]}    # where it is kept: env:NAME, file:PATH or keyring:SERVICE/NAME\n" + "".join(
        f"{line}\n" for line in lines[1:]
    )


def _addresses(exchange: str | None) -> str:
    if not exchange:
        return ""
    url = exchange.rstrip("/")
    stream = re.sub(r"^http", "ws", url)
    return (
        f"rest_url = {_quoted(url)}    # the simulated exchange\nstream_url = {_quoted(stream)}\n"
        f"data_url = {_quoted(url)}\ndata_stream_url = {_quoted(stream)}\n"
        'clock = "exchange"    # follow its time\n'
    )


NO_ALERTS = """
# Where people are told; without it what goes wrong is only in the log and the ledger.
# [[alerts]]
# url = "env:ALERT_URL"
# from = "warning"
"""


def _alerts(url: str) -> str:
    if not url:
        return NO_ALERTS
    return f'\n[[alerts]]\nurl = {_quoted(url)}    # any Apprise address\nfrom = "warning"    # or info, critical\n'


def _quoted(text: str) -> str:
    from json import dumps

    return dumps(text, ensure_ascii=False)  # a JSON text is a TOML basic text too


def _tell_next(file: Path, answers: Mapping[str, str], *, reserves: bool) -> None:
    render.line(f"Written: {file} (only you can read it).", render.GOOD)
    if reserves and answers["foreign"] == "adopt" and answers["held_by"] != "guard":
        render.line(f"\n{TRAP}\nChosen: {answers['held_by']}.\n")
    for key in ("key_id", "secret", "passphrase"):
        name = answers.get(key, "").removeprefix("env:")
        if name != answers.get(key, "") and name not in os.environ:
            render.line(f"Not set yet: {name}", render.WARN)
    render.line("Next: standfast doctor, then standfast scan, then standfast guard.")
