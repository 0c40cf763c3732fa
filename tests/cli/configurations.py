"""A good settings file, and every way of spoiling it that we could think of."""

from typing import NamedTuple

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
    "an exchange without positions": Bad(
        '"alpaca"', '"ccxt:bitstamp"', "paper].broker", "ccxt:bitstamp", "a list of positions"
    ),
    "an exchange nobody knows": Bad('"alpaca"', '"ccxt:nowhere"', "paper].broker", "ccxt:nowhere", "docs.ccxt.com"),
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
