"""Every configuration that cannot guard anything ends a start with 78, and says key, value and remedy, in one go.

Through the command line as it is typed, in this process for speed; a few as the processes they are, at the end.
"""

import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from standfast.cli.main import main
from standfast.model import secret
from standfast.settings import process
from tests.cli.running import standfast

SECRETS = {
    "APCA_API_KEY_ID": "PKCANARYCANARYCANA01",
    "APCA_API_SECRET_KEY": "canarycanarycanarycanarycanarycanary0001",
    "OTHER_KEY_ID": "PKCANARYCANARYCANA02",
}
LITERAL = "PKLITERALLITERALLI03"

GOOD = """\
[ledger]
url = "sqlite:///standfast.db"

[[accounts]]
name = "paper"
broker = "alpaca"
mode = "alert"
live = false
key_id = "env:APCA_API_KEY_ID"
secret = "env:APCA_API_SECRET_KEY"
foreign = "alert"
rate_share = 0.25

[accounts.every]
positions = "5s"

[accounts.confirm]
reads = 2

[[policies]]
name = "default"
match = { account = "*", strategy = "*", instrument = "*", kind = "*" }
exits_held_by = "broker"
stop_loss = "2%"
emergency_stop = "40%"
trailing = [ { arm = "10%", give_back = "to entry" }, { arm = "20%", give_back = "8pt" } ]
flat_by = "15:55 America/New_York"

[limits]
open_positions = 20
notional_per_account = "200000"

[[alerts]]
url = "log://"
from = "info"
"""
TWIN = """
[[accounts]]
name = "{name}"
broker = "alpaca"
key_id = "{key}"
secret = "env:APCA_API_SECRET_KEY"
"""
LATE = '[[policies]]\nname = "late"\nstop_loss = "1%"\n\n[limits]'


class Bad(NamedTuple):
    """What of the good file is replaced by what, and what the message must hold: key, value, remedy."""

    old: str
    new: str
    key: str
    value: str
    remedy: str


def policy(new: str) -> tuple[str, str]:
    return 'stop_loss = "2%"', new


CASES = {
    # accounts
    "no account": Bad(GOOD[GOOD.index("[[acc") : GOOD.index("[[pol")], "", "accounts", "missing", "[[accounts]]"),
    "a name with a blank": Bad('"paper"', '"my paper"', "name", '"my paper"', "letters and digits"),
    "a name without end": Bad('"paper"', f'"{"p" * 65}"', "name", "p" * 65, "64 at most"),
    "a name twice": Bad("[[pol", TWIN.format(name="Paper", key="env:OTHER_KEY_ID") + "[[pol", "name", '"Paper"', "own"),
    "a key twice": Bad(
        "[[pol", TWIN.format(name="two", key="env:APCA_API_KEY_ID") + "[[pol", "key_id", "the same", "remove one"
    ),
    "an unknown broker": Bad('"alpaca"', '"alpacca"', "broker", '"alpacca"', "Write alpaca"),
    "a broker that is not built": Bad('"alpaca"', '"ccxt:bybit"', "paper].broker", "ccxt:bybit", 'Write "alpaca"'),
    "no broker": Bad('broker = "alpaca"\n', "", "broker", "missing", 'broker = "alpaca"'),
    "a secret in the file": Bad('"env:APCA_API_KEY_ID"', f'"{LITERAL}"', "key_id", "***", "Write env:NAME"),
    "a secret that is a number": Bad('"env:APCA_API_KEY_ID"', "8875123499", "key_id", "***", "Write env:NAME"),
    "a variable that is not set": Bad("env:APCA_API_KEY_ID", "env:NOT_SET", "key_id", "env:NOT_SET", "Set NOT_SET"),
    "a secret file that is not there": Bad("env:APCA_API_KEY_ID", "file:absent", "key_id", "file:absent", "path"),
    "a secret file others can read": Bad("env:APCA_API_KEY_ID", "file:shared", "key_id", "file:shared", "chmod 600"),
    "a secret that is a folder": Bad("env:APCA_API_KEY_ID", "file:folder", "key_id", "file:folder", "path"),
    "a secret that is a pipe": Bad("env:APCA_API_KEY_ID", "file:pipe", "key_id", "file:pipe", "path"),
    "a secret of two lines": Bad("env:APCA_API_KEY_ID", "file:lines", "key_id", "file:lines", "bare secret"),
    "an empty secret": Bad("env:APCA_API_KEY_ID", "file:empty", "key_id", "file:empty", "Put the secret"),
    "a reference of no kind": Bad("env:APCA_API_KEY_ID", "vault:key", "key_id", "***", "Write env:NAME"),
    "live is no text": Bad("live = false", 'live = "no"', "live", '"no"', "true or false"),
    "a live address with live = false": Bad(
        "live = false",
        'rest_url = "https://api.alpaca.markets"',
        "rest_url",
        "https://api.alpaca.markets",
        "live = true",
    ),
    "a live address in capitals": Bad(
        "live = false", 'rest_url = "https://API.ALPACA.MARKETS"', "rest_url", "is a live address", "live = true"
    ),
    "a live address with a dot behind": Bad(
        "live = false", 'rest_url = "https://api.alpaca.markets."', "rest_url", "alpaca.markets.", "plain letters"
    ),
    "a live address in wide letters": Bad(
        "live = false", 'rest_url = "https://\uff41pi.alpaca.markets"', "rest_url", "alpaca.markets", "plain letters"
    ),
    "a live address with an escape": Bad(
        "live = false", 'rest_url = "https://%61pi.alpaca.markets"', "rest_url", "%61pi", "plain letters"
    ),
    "a paper address with live = true": Bad(
        "live = false",
        'live = true\nrest_url = "https://paper-api.alpaca.markets"',
        "rest_url",
        "https://paper-api.alpaca.markets",
        "live = false",
    ),
    "an address with a path": Bad(
        "live = false", 'rest_url = "https://h.example/v2"', "rest_url", '"https://h.example/v2"', "without path"
    ),
    "an address in the clear": Bad(
        "live = false", 'rest_url = "http://h.example"', "rest_url", '"http://h.example"', "https://"
    ),
    "an address with a password": Bad(
        "live = false", f'rest_url = "https://me:{LITERAL}@h.example"', "rest_url", "...", "Use key_id"
    ),
    "an address with a port out of range": Bad(
        "live = false", 'rest_url = "https://h.example:99999"', "rest_url", ":99999", "https://host"
    ),
    "a key that is not known": Bad("foreign =", "foriegn =", "foriegn", "...", 'Did you mean "foreign"?'),
    "a mode that is none": Bad('mode = "alert"', 'mode = "repare"', "mode", '"repare"', 'did you mean "repair"?'),
    "a rate share of nothing": Bad("rate_share = 0.25", "rate_share = 0", "rate_share", "0", "0.25"),
    "a rate share of two": Bad("rate_share = 0.25", "rate_share = 2", "rate_share", "2", "0.25"),
    "a rate share too small to read": Bad("rate_share = 0.25", "rate_share = 1e-9", "rate_share", "1E-9", "0.25"),
    "ignored instruments in small letters": Bad(
        'foreign = "alert"', 'foreign_ignore = ["vti"]', "foreign_ignore", '["vti"]', '"VTI"'
    ),
    "a pattern that is never closed": Bad(
        'foreign = "alert"', 'foreign_ignore = ["[V"]', "foreign_ignore", '["[V"]', '"[AB]*"'
    ),
    # rhythm
    "a bare number for a duration": Bad('positions = "5s"', "positions = 5", "every.positions", "5", '"5s"'),
    "a negative duration": Bad('positions = "5s"', 'positions = "-5s"', "every.positions", '"-5s"', "units"),
    "a duration of nothing": Bad('positions = "5s"', 'positions = "0s"', "every.positions", '"0s"', "above zero"),
    "a look a day": Bad('positions = "5s"', 'positions = "1d"', "every.positions", '"1d"', "shorter duration"),
    "no confirming read": Bad("reads = 2", "reads = 0", "confirm.reads", "0", "1 or more"),
    "a thousand confirming reads": Bad("reads = 2", "reads = 1000", "confirm.reads", "1000", "from 1 to 10"),
    # policies
    "a distance without sign": Bad(*policy("stop_loss = 2"), "stop_loss", "2", '"2%"'),
    "a distance as a text without sign": Bad(*policy('stop_loss = "2"'), "stop_loss", '"2"', '"2%"'),
    "a negative distance": Bad(*policy('stop_loss = "-2%"'), "stop_loss", '"-2%"', "without a sign"),
    "a distance of nothing": Bad(*policy('stop_loss = "0%"'), "stop_loss", '"0%"', "above zero"),
    "101 per cent": Bad('"40%"', '"101%"', "emergency_stop", '"101%"', 'less than "100%"'),
    "a distance in Arabic digits": Bad(*policy('stop_loss = "\u0662%"'), "stop_loss", "\u0662%", '"2%"'),
    "a distance of a million digits": Bad(*policy(f'stop_loss = "{"9" * 100_000}%"'), "stop_loss", '"999', '"2%"'),
    "an emergency stop inside the stop": Bad('"40%"', '"1%"', "emergency_stop", '"1%"', "wider of the two"),
    "a minimum hold without emergency stop": Bad(
        'emergency_stop = "40%"', 'minimum_hold = "1h"', "minimum_hold", '"1h"', "Write an emergency_stop"
    ),
    "a higher rung that locks in less": Bad('"8pt"', '"25pt"', "give_back", '"25pt"', "Give back less"),
    "two rungs of one arm": Bad('arm = "20%"', 'arm = "10%"', "trailing[1].arm", '"10%"', "Keep one"),
    "a rung of no distance": Bad('"8pt"', '"half"', "give_back", '"half"', '"to entry"'),
    "an unknown time zone": Bad("America/New_York", "America/Gotham", "flat_by", "Gotham", "15:55 America/New_York"),
    "a time zone that is a path": Bad("America/New_York", "../../etc/passwd", "flat_by", "passwd", "15:55"),
    "flat after the close": Bad("15:55", "16:30", "flat_by", "16:30", "inside it"),
    "flat by another continent's clock": Bad("America/New_York", "Asia/Tokyo", "flat_by", "Asia/Tokyo", "inside it"),
    "a policy that is never used": Bad("[limits]", LATE, "policies[late].name", '"late"', "last"),
    "a policy for nobody": Bad('account = "*"', 'account = "papper"', "match.account", '"papper"', "here: paper"),
    "instruments in small letters": Bad('instrument = "*"', 'instrument = "spy"', "match.instrument", '"spy"', '"SPY"'),
    "a kind that is none": Bad('kind = "*"', 'kind = "stock"', "match.kind", '"stock"', "equity, option"),
    "an unknown rule": Bad("stop_loss", "stoploss", "stoploss", "...", 'Did you mean "stop_loss"?'),
    "two policies of one name": Bad(
        "[[policies]]", '[[policies]]\nname = "default"\nmatch = { kind = "option" }\n\n[[policies]]',
        "policies[default].name", '"default"', "a name of its own",
    ),
    # limits and alerts
    "a limit that is a text": Bad("= 20", '= "20"', "open_positions", '"20"', "without quotes"),
    "a limit that is a flag": Bad("= 20", "= true", "open_positions", "true", "whole number"),
    "money without end": Bad('"200000"', '"1e400"', "notional_per_account", '"1e400"', '"25000"'),
    "money that is not a number": Bad('"200000"', "nan", "notional_per_account", "NaN", '"25000"'),
    "a service nobody knows": Bad('"log://"', '"ntfi://topic"', "alerts[0].url", "ntfi://***", '"ntfy://"'),
    "no service at all": Bad('"log://"', '"my-phone"', "alerts[0].url", "***", '"ntfy://topic"'),
    "a severity that is none": Bad('"info"', '"loud"', "alerts[0].from", '"loud"', "info, warning, critical"),
    "an api for everybody": Bad(
        "[limits]", '[api]\nlisten = "0.0.0.0:8787"\n[limits]', "api.listen", '"0.0.0.0:8787"', "Write a token"
    ),
    # the ledger
    "a ledger of another kind": Bad("sqlite:///standfast.db", "standfast.db", "ledger.url", "standfast.db", "sqlite:"),
    "PostgreSQL, which is not built": Bad(
        '"sqlite:///standfast.db"', f'"postgresql://me:{LITERAL}@h/d"', "ledger.url", "postgresql://...", "sqlite:///"
    ),
    "a ledger in a folder that is not there": Bad("///stand", "///no/stand", "ledger.url", "no/standfast.db", "mkdir"),
    "a ledger that is a folder": Bad("///standfast.db", "///folder", "ledger.url", "folder", "Name a file"),
    "a ledger inside of a file": Bad("///standfast", "///shared/standfast", "ledger.url", "shared/", "in a folder"),
    "a ledger that is a pipe": Bad("///standfast.db", "///pipe", "ledger.url", "pipe", "local disk"),
    "a ledger of another program": Bad("///standfast.db", "///other.db", "ledger.url", "other.db", "another file"),
    "a ledger that is a text": Bad("///standfast.db", "///shared", "ledger.url", "shared", "another file"),
    # the file
    "an unknown section": Bad("[limits]", "[limit]", "limit", "...", 'Did you mean "limits"?'),
    "a section that is a value": Bad(GOOD[: GOOD.index("[[acc")], "ledger = 3\n", "ledger", "3", "[section]"),
}  # fmt: skip


@pytest.fixture
def start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[bytes | str], tuple[int, str]]:
    """Write the file and start a guard on it; the exit code, and what was said."""
    monkeypatch.setattr(secret, "_loaded", {})
    monkeypatch.setattr(process, "_taken", {})
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for name in [name for name in os.environ if name.startswith("STANDFAST__")]:
        monkeypatch.delenv(name)
    _furnish(tmp_path)
    file = tmp_path / "standfast.toml"

    def run(text: bytes | str) -> tuple[int, str]:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(0o600)
        code = main(["guard", "--once", "--config", str(file)])
        said = capsys.readouterr()
        assert said.out == ""
        return code, said.err

    return run


def _furnish(folder: Path) -> None:
    """Things a path may lead to."""
    (folder / "folder").mkdir()
    (folder / "shared").write_text("what others can read, and no ledger\n" * 100)
    (folder / "shared").chmod(0o644)
    for name, text in (("empty", " \n"), ("lines", "PKFIRST0000000000001\nPKSECOND000000000002\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    os.mkfifo(folder / "pipe", 0o600)
    other = sqlite3.connect(folder / "other.db")
    other.executescript("CREATE TABLE customers (name TEXT)")
    other.close()


def test_there_are_more_than_thirty() -> None:
    assert len(CASES) >= 30


@pytest.mark.parametrize("name", CASES)
def test_a_bad_configuration_ends_the_start_with_78_and_names_key_value_and_remedy(
    name: str, start: Callable[[bytes | str], tuple[int, str]], tmp_path: Path
) -> None:
    bad = CASES[name]
    assert bad.old in GOOD

    code, said = start(GOOD.replace(bad.old, bad.new, 1))

    assert code == 78, said
    assert [part for part in (bad.key, bad.value, bad.remedy) if part not in said] == [], said
    assert [value for value in (*SECRETS.values(), LITERAL, "8875123499", "PKFIRST") if value in said] == []
    assert len(said) < 1000
    assert not (tmp_path / "standfast.db").exists()


def test_the_good_one_is_good(start: Callable[[bytes | str], tuple[int, str]]) -> None:
    """So that each bad one is bad by what was changed: what is read last is what ends it."""
    code, said = start(GOOD.replace("///standfast", "///no/standfast"))

    assert (code, len(said.splitlines())) == (78, 1), said
    assert "ledger.url" in said


FILES: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "accounts is missing"),
    "only a comment": (b"# nothing yet\n", "accounts is missing"),
    "no TOML": (b"[ledger\nurl = 3", "line 1"),
    "YAML": (b"accounts:\n  - name: paper\n", "is not TOML"),
    "JSON": (b'{"accounts": []}', "is not TOML"),
    "a key twice": (GOOD.replace('mode = "alert"', 'mode = "alert"\nmode = "repair"').encode(), "line 8"),
    "a section twice": (GOOD.encode() + b"\n[ledger]\n", "is not TOML"),
    "Latin-1": (f"# für Jörg\n{GOOD}".encode("latin-1"), "UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "UTF-8"),
    "zeros": (bytes(4096), "is not TOML"),
    "ten megabytes": (GOOD.encode() + b"# long\n" * 1_500_000, "longer than"),
    "a number of a million digits": (b"x = " + b"9" * 200_000, "without end"),
    "a float of a million digits": (b"x = 1." + b"9" * 200_000, "is not a setting"),
    "an exponent without end": (b"x = 1e" + b"9" * 1000, "standfast.toml"),
    "lists without end": (b"x = " + b"[" * 200_000, "without end"),
    "tables without end": (b"x = " + b"{a=" * 60_000, "without end"),
    "a dotted key without end": (b"a" + b".a" * 100_000 + b" = 1", "more than 500 dots"),
    "a line of blanks without end": (b" " * 200_000 + b"\nx = 1", "is not a setting"),
    "brackets that never close": (b"[" + b"a" * 200_000, "is not TOML"),
    "a key with an escape for terminals": (b'"\\u001b[2Jx" = 1\n', "\\x1b"),
    "a message that steers a terminal": (b'mode = "\x1b[2J"\n', "is not TOML"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_none_ends_the_start_with_78_in_few_printable_words(
    name: str, start: Callable[[bytes | str], tuple[int, str]]
) -> None:
    written, told = FILES[name]

    code, said = start(written)

    assert code == 78, said
    assert told in said
    assert said.replace("\n", "").isprintable()
    assert len(said) < 2000


@pytest.mark.parametrize("written", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()])
def test_a_byte_order_mark_and_the_line_ends_of_other_systems_are_no_fault(
    written: bytes, start: Callable[[bytes | str], tuple[int, str]]
) -> None:
    code, said = start(written.replace(b"///standfast", b"///no/standfast"))

    assert (code, len(said.splitlines())) == (78, 1), said  # so all of it was read, and nothing else was wrong


def test_a_file_that_cannot_be_read_ends_the_start_with_78(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, told in (
        (tmp_path, "directory"),
        (tmp_path / "no.toml", "standfast init"),
        (tmp_path / "pipe", "regular"),
    ):
        ran = standfast("guard", "--once", "--config", path)

        assert (ran.code, told in ran.err) == (78, True), ran


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("STANDFAST__LEGDER__URL", "sqlite:///x.db", 'Did you mean "ledger"?'),
        ("STANDFAST__ACCOUNTS__PAPPER__MODE", "alert", "Accounts in the file: paper"),
        ("STANDFAST__ACCOUNTS__PAPER__MODE", "repare", 'did you mean "repair"?'),
        ("STANDFAST__LEDGER", "sqlite:///x.db", "SECTION__KEY"),
        ("STANDFAST__LIMITS__OPEN_POSITIONS", "-3", "1 or more"),
        ("STANDFAST__POLICIES__DEFAULT__STOP_LOSS", "2%", "in the file"),
    ],
)
def test_a_bad_variable_ends_the_start_with_78_and_is_named(
    start: Callable[[bytes | str], tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    remedy: str,
) -> None:
    monkeypatch.setenv(variable, value)

    code, said = start(GOOD)

    assert code == 78, said
    assert variable in said
    assert remedy in said


# --- as processes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "a secret in the file",
        "a live address with live = false",
        "a look a day",
        "a ledger that is a folder",
        "a broker that is not built",
    ],
)
@pytest.mark.parametrize("verb", ["guard", "scan"])
def test_parent_and_worker_and_every_verb_that_reads_it_end_so_too(name: str, verb: str, tmp_path: Path) -> None:
    bad = CASES[name]
    _furnish(tmp_path)
    file = tmp_path / "standfast.toml"
    file.write_text(GOOD.replace(bad.old, bad.new, 1))
    file.chmod(0o600)
    if verb == "scan" and bad.key == "ledger.url":
        return  # without a ledger it compares what the broker says with itself

    ran = standfast(verb, "--config", file, folder=tmp_path, **SECRETS)

    assert ran.code == 78, ran
    assert [part for part in (bad.key, bad.value, bad.remedy) if part not in ran.err] == [], ran.err
    assert not re.search("|".join((*SECRETS.values(), LITERAL)), ran.out + ran.err)
