"""`[accounts.tracker]`: what it gives, and that a slip is refused with key, value and cure before anything starts."""

from datetime import timedelta
from pathlib import Path

import pytest

from standfast.model import secret
from standfast.model.errors import SettingsError
from standfast.settings import AccountSettings, load

ENVIRON = {"KEY": "PK00000000000000", "SECRET": "0" * 28, "BOT_DB": "postgresql://bot:secret-word@db.example/trades"}
HEAD = """\
[[accounts]]
name = "paper"
broker = "alpaca"
key_id = "env:KEY"
secret = "env:SECRET"
[accounts.tracker]
"""
JSON = 'kind = "json"\npath = "orders.json"\nentries = "$[*]"\nsymbols = "option_symbols[*]"\nquantity = "contracts"\n'


@pytest.fixture(autouse=True)
def _nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})


def loaded(folder: Path, text: str) -> AccountSettings:
    (folder / "standfast.toml").write_text(f'{HEAD}{text}\n[[policies]]\nname = "default"\n')
    (account,) = load(folder / "standfast.toml", ENVIRON).accounts
    return account


def test_a_mapping_is_kept_as_it_is_written(tmp_path: Path) -> None:
    account = loaded(
        tmp_path,
        JSON + 'side = ["=sell", "=buy"]\nposition = "id"\nonly = { status = ["open", "held"], mode = "live" }\n'
        'every = "2s"\nlag = "1m"\ninstruments = ["SPXW*"]\nstrategies = ["gamma"]\n',
    )

    assert account.tracker is not None
    assert account.rules.record is not None
    assert account.tracker.path == str(tmp_path / "orders.json")
    assert account.tracker.every == timedelta(seconds=2)
    record = account.tracker.record
    assert (record.entries, record.symbols, record.quantity) == ("$[*]", ("option_symbols[*]",), ("contracts",))
    assert (record.side, record.position) == (("=sell", "=buy"), "id")
    assert record.only == {"status": ("open", "held"), "mode": ("live",)}
    rules = account.rules.record
    assert (rules.lag, rules.instruments, rules.strategies) == (timedelta(minutes=1), ("SPXW*",), ("gamma",))


def test_without_a_word_on_it_the_record_keeps_all_but_what_an_operator_opened(tmp_path: Path) -> None:
    rules = loaded(tmp_path, JSON).rules.record

    assert rules is not None
    assert rules.lag == timedelta(seconds=30)
    assert rules.wants("SPY", "trend")
    assert rules.wants("SPY", "foreign")
    assert not rules.wants("SPY", "operator")


def test_an_account_without_a_record_watches_none(tmp_path: Path) -> None:
    (tmp_path / "standfast.toml").write_text(HEAD.replace("[accounts.tracker]\n", '[[policies]]\nname = "default"\n'))
    (account,) = load(tmp_path / "standfast.toml", ENVIRON).accounts

    assert (account.tracker, account.rules.record) == (None, None)


def test_an_address_with_its_password_is_a_secret_and_is_shown_without_it(tmp_path: Path) -> None:
    tracker = loaded(tmp_path, 'kind = "sql"\npath = "env:BOT_DB"\nsymbols = "SELECT symbol FROM positions"\n').tracker

    assert tracker is not None
    assert tracker.path == "postgresql://db.example/trades"
    assert tracker.address.reveal() == ENVIRON["BOT_DB"]
    assert "secret-word" not in repr(tracker)


@pytest.mark.parametrize("path", ["bot.db", "sqlite:///bot.db"])
def test_a_database_may_be_a_file(tmp_path: Path, path: str) -> None:
    tracker = loaded(tmp_path, f'kind = "sql"\npath = "{path}"\nsymbols = "SELECT symbol FROM positions"\n').tracker

    assert tracker is not None
    assert (tracker.path, tracker.address.reveal()) == (str(tmp_path / "bot.db"), "")


BAD = [
    (JSON.replace('"json"', '"yaml"'), ("tracker.kind", '"yaml"', "json, csv, sql")),
    (JSON.replace('path = "orders.json"\n', ""), ("tracker.path", "is missing", "record")),
    (JSON.replace("orders.json", "https://host/x"), ("tracker.path", "is no path of a file", "orders_paper.json")),
    (JSON.replace('symbols = "option_symbols[*]"\n', ""), ("tracker.symbols", "is missing", "a JSONPath")),
    (JSON.replace("option_symbols[*]", "$..symbol"), ("tracker.symbols", "$..symbol", "Write names, [*] and [0]")),
    (JSON.replace('"$[*]"', '"$[?(@.open)]"'), ("tracker.entries", "is no JSONPath we know", "$[*].symbol")),
    (JSON.replace('entries = "$[*]"\n', ""), ("tracker.quantity", "has no entry to stand in", "entries = a JSONPath")),
    (JSON + 'lag = "2h"\n', ("tracker.lag", '"2h"', "nobody would be told")),
    (JSON + 'every = "0s"\n', ("tracker.every", '"0s"', "above zero")),
    (JSON + "only = { status = 3 }\n", ("tracker.only", "names no values for status", "only = {")),
    (JSON + 'only = "open"\n', ("tracker.only", '"open"', "is not a table")),
    (JSON + 'strategies = "gamma"\n', ("tracker.strategies", '"gamma"', '["gamma", "trend-*"]')),
    (JSON + 'instruments = ["spxw*"]\n', ("tracker.instruments", "small letters", "SPXW*")),
    (JSON + 'price = "x"\n', ("tracker.price", "is not a setting", 'Did you mean "entry_price"?')),
    (
        JSON.replace('quantity = "contracts"', 'side = "s"'),
        ("tracker.side", "says nothing without a quantity", "Write quantity too"),
    ),
    (
        'kind = "csv"\npath = "x.csv"\nentries = "x"\nsymbols = "s"\n',
        ("tracker.entries", "is not for a CSV", "each row"),
    ),
    ('kind = "sql"\npath = "x.db"\nsymbols = "symbol"\n', ("tracker.symbols", '"symbol"', "SELECT symbol")),
    (
        'kind = "sql"\npath = "x.db"\nsymbols = "DELETE FROM positions"\n',
        ("tracker.symbols", "is no query that reads", "SELECT"),
    ),
    (
        'kind = "sql"\npath = "postgresql://bot:secret-word@db/x"\nsymbols = "SELECT 1"\n',
        ("tracker.path", "***", "env:NAME"),
    ),
    ('kind = "sql"\npath = "env:NOT_SET"\nsymbols = "SELECT 1"\n', ("tracker.path", "env:NOT_SET", "Set NOT_SET")),
    ('kind = "sql"\npath = "env:KEY"\nsymbols = "SELECT 1"\n', ("tracker.path", "is no database", "postgresql://")),
    ('kind = "sql"\npath = "mysql://db/x"\nsymbols = "SELECT 1"\n', ("tracker.path", "is no database", "SQLite")),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=[str(number) for number, _ in enumerate(BAD)])
def test_a_slip_is_named_with_its_value_and_the_cure(tmp_path: Path, text: str, said: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path, text)

    (line,) = str(refused.value).splitlines()
    assert all(each in line for each in said), line
    assert "secret-word" not in line
    assert ENVIRON["KEY"] not in line
