"""Every bad settings file is refused before anything starts, and the message names the key, the value and the cure."""

from pathlib import Path

import pytest

from standfast.model import secret
from standfast.model.errors import SettingsError
from standfast.settings import load
from tests.settings.test_reading import ENVIRON, FULL, LEAST

LITERAL = "PKLITERALLITERAL0001"


@pytest.fixture(autouse=True)
def _nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})


def refusal(folder: Path, text: str, **environ: str) -> list[str]:
    (folder / "standfast.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(folder / "standfast.toml", {**ENVIRON, **environ})
    return str(caught.value).splitlines()


# what is replaced, by what, and what the one message must say: key, value, remedy
BAD = [
    ('mode = "alert"', 'mode = "repare"', ("accounts[paper].mode", '"repare"', 'did you mean "repair"?')),
    ('orphan_position = "repair"', 'orphan = "repair"', ("modes.orphan", "...", 'Did you mean "orphan_order"?')),
    ('orphan_position = "repair"', 'pnl = "fix"', ("modes.pnl", '"fix"', "Write one of observe, alert, repair")),
    (
        'broker = "alpaca"',
        'broker = "alpacca"',
        ("accounts[paper].broker", '"alpacca"', "Write alpaca, tradier, or ccxt:"),
    ),
    ('broker = "alpaca"\n', "", ("accounts[paper].broker", "is missing", 'broker = "alpaca"')),
    ('name = "paper"\n', "", ("accounts[0].name", "is missing", 'name = "paper"')),
    ('name = "paper"', 'name = "my paper"', ("accounts[0].name", '"my paper"', "letters and digits")),
    ('"env:APCA_API_KEY_ID"', f'"{LITERAL}"', ("accounts[paper].key_id", "***", "Write env:NAME, file:PATH")),
    ('"env:APCA_API_SECRET_KEY"', '"env:NOT_SET"', ("accounts[paper].secret", "env:NOT_SET", "Set NOT_SET")),
    ('"env:APCA_API_SECRET_KEY"', '"file:absent"', ("secret", "file:absent", "Check the path")),
    ('"env:APCA_API_SECRET_KEY"', '"keyring:only"', ("secret", "keyring:only", "keyring:SERVICE/NAME")),
    ('secret = "env:APCA_API_SECRET_KEY"\n', "", ("accounts[paper].secret", "is missing", "env:APCA_API_SECRET_KEY")),
    ("live = false", 'live = "no"', ("accounts[paper].live", '"no"', "true or false, without quotes")),
    ("live = false", 'rest_url = "https://api.alpaca.markets"', ("rest_url", "is a live address", "live = true")),
    ("live = false", 'stream_url = "wss://api.alpaca.markets"', ("stream_url", "is a live address", "live = true")),
    (
        "live = false",
        'live = true\nrest_url = "https://paper-api.alpaca.markets"',
        ("rest_url", "is a paper address", "live = false"),
    ),
    ("live = false", 'rest_url = "https://host/v2"', ("rest_url", '"https://host/v2"', "without path or version")),
    ("live = false", 'rest_url = "http://host"', ("rest_url", '"http://host"', "Write https://")),
    ("live = false", 'rest_url = "https://me:word@host"', ("rest_url", "...", "Use key_id and secret")),
    ("live = false", 'stream_url = "https://host"', ("stream_url", '"https://host"', "wss://host")),
    ("live = false", 'clock = "exchange"', ("accounts[paper].clock", '"exchange"', "Leave clock out")),
    ("live = false", 'clock = "fast"', ("accounts[paper].clock", '"fast"', "real, exchange")),
    ('foreign = "adopt"', 'foreign = "take"', ("accounts[paper].foreign", '"take"', "adopt, alert, ignore")),
    ('["VTI", "BND"]', '"VTI"', ("foreign_ignore", '"VTI"', '["VTI", "BND"]')),
    ('["VTI", "BND"]', '["VTI", 3]', ("foreign_ignore", '["VTI", 3]', "Write it in quotes")),
    ('"gamma-*" = "gamma"', '"gamma-*" = 3', ("foreign_strategies.gamma-*", "3", "in quotes")),
    ("rate_share = 0.5", "rate_share = 25", ("accounts[paper].rate_share", "25", "fraction such as 0.25")),
    ("rate_share = 0.5", "rate_share = nan", ("accounts[paper].rate_share", "NaN", "fraction such as 0.25")),
    ('positions = "4s"', "positions = 4", ("every.positions", "4", '"5s"')),
    ('positions = "4s"', 'positions = "0s"', ("every.positions", '"0s"', "above zero")),
    ('positions = "4s"', 'positions = "4 sec"', ("every.positions", '"4 sec"', '"1h30m"')),
    ("reads = 3", "reads = 0", ("confirm.reads", "0", "Write 1 or more")),
    ("reads = 3", 'reads = "3"', ("confirm.reads", '"3"', "without quotes")),
    ("reads = 3", "read = 3", ("confirm.read", "is not a setting", 'Did you mean "reads"?')),
    ('kind = "json"', 'kind = "xml"', ("tracker.kind", '"xml"', "json, csv, sql")),
    ('path = "orders_paper.json"\n', "", ("tracker.path", "is missing", "record")),
    ('listen = "127.0.0.1:8788"', 'listen = "8788"', ("api.listen", '"8788"', "127.0.0.1:8787")),
    ('listen = "127.0.0.1:8788"', 'listen = "here:8788"', ("api.listen", '"here:8788"', "127.0.0.1:8787")),
    ('token = "env:STANDFAST_TOKEN"', 'token = "abc"', ("api.token", "***", "Write env:NAME")),
    (
        'listen = "127.0.0.1:8788"\ntoken = "env:STANDFAST_TOKEN"',
        'listen = "0.0.0.0:8788"',
        ("api.listen", '"0.0.0.0:8788"', "Write a token"),
    ),
    ('url = "sqlite:///books', 'url = "mysql:///books', ("ledger.url", "mysql:///books/standfast.db", "sqlite:///")),
    ('stop_loss = "2%"', "stop_loss = 2", ("policies[default].stop_loss", "2", '"2%"')),
    ('stop_loss = "2%"', "stop_loss = 0.02", ("policies[default].stop_loss", "0.02", '"2%"')),
    ('stop_loss = "2%"', 'stop_loss = "-2%"', ("policies[default].stop_loss", '"-2%"', 'without a sign: "2%"')),
    ('stop_loss = "2%"', 'stop_loss = "0%"', ("policies[default].stop_loss", '"0%"', "leave the key out")),
    ('stop_loss = "2%"', 'stop_loss = "20000%"', ("stop_loss", '"20000%"', "Check the number and its unit")),
    ('take_profit = "30%"', 'take_profit = "-30%"', ("take_profit", '"-30%"', 'without a sign: "30%"')),
    ('take_profit = "30%"', 'profit = "30%"', ("policies[default].profit", "...", 'Did you mean "take_profit"?')),
    ('emergency_stop = "40%"', 'emergency_stop = "1%"', ("emergency_stop", '"1%"', "the wider of the two")),
    ('emergency_stop = "40%"\n', "", ("policies[default].minimum_hold", '"30m"', "Write an emergency_stop")),
    ('minimum_hold = "30m"', 'minimum_hold = "6d"', ("minimum_hold", '"6d"', "Make maximum_hold the longer")),
    ('give_back = "8pt"', 'give_back = "half"', ("trailing[0].give_back", '"half"', '"to entry"')),
    ('arm = "10%"', 'arm = "20%"', ("trailing[1].arm", '"20%"', "Keep one")),
    ('arm = "10%", ', "", ("trailing[1].arm", "is missing", 'arm = "10%"')),
    ('flat_by = "15:55 America/New_York"', 'flat_by = "15:55"', ("flat_by", '"15:55"', "15:55 America/New_York")),
    ("15:55 America/New_York", "25:55 America/New_York", ("flat_by", "25:55", "15:55 America/New_York")),
    ("15:55 America/New_York", "15:55 America/Gotham", ("flat_by", "America/Gotham", "15:55 America/New_York")),
    ('exits_held_by = "both"', 'exits_held_by = "bot"', ("exits_held_by", '"bot"', 'did you mean "both"?')),
    ('kind = "option"', 'kind = "options"', ("match.kind", '"options"', "equity, option, perpetual")),
    ('strategy = "gamma", ', 'bot = "gamma", ', ("match.bot", "is not a setting", "strategy")),
    ("short_delta_limit = 0.35", "short_delta_limit = 35", ("short_delta_limit", "35", "fraction")),
    ('"mypackage.rules:late_fade"', '"late_fade"', ("user_rule", '"late_fade"', "mypackage.rules:late_fade")),
    ('name = "gamma"', 'name = "default"', ("policies[default].name", '"default"', "a name of its own")),
    ("open_positions = 20", "open_positions = -1", ("limits.open_positions", "-1", "Write 1 or more")),
    ('"25000"', '"25k"', ("limits.notional_per_instrument", '"25k"', '"25000"')),
    ('"25000"', '"Infinity"', ("limits.notional_per_instrument", '"Infinity"', '"25000"')),
    ('from = "warning"', 'from = "loud"', ("alerts[0].from", '"loud"', "info, warning, critical")),
    ('url = "env:ALERT_URL"', 'url = "env:NO_URL"', ("alerts[0].url", "env:NO_URL", "Set NO_URL")),
    ('url = "env:ALERT_URL"', 'url = "not an address"', ("alerts[0].url", "***", "ntfy://topic")),
    ("[limits]", "[limit]", ("limit", "is not a setting", 'Did you mean "limits"?')),
]


@pytest.mark.parametrize(
    ("good", "bad", "said"), BAD, ids=[f"{number}-{bad[:30]}" for number, (_, bad, _) in enumerate(BAD)]
)
def test_a_bad_setting_is_named_with_its_value_and_the_cure(
    tmp_path: Path, good: str, bad: str, said: tuple[str, ...]
) -> None:
    assert good in FULL

    problems = refusal(tmp_path, FULL.replace(good, bad, 1))

    assert len(problems) == 1, problems
    assert [part for part in said if part not in problems[0]] == [], problems
    assert problems[0].startswith(f"{tmp_path}/standfast.toml")


def test_a_problem_is_placed_at_its_line(tmp_path: Path) -> None:
    number = FULL.splitlines().index('stop_loss = "2%"') + 1

    problems = refusal(tmp_path, FULL.replace('stop_loss = "2%"', "stop_loss = 2"))

    assert problems[0].startswith(f"{tmp_path}/standfast.toml:{number}: policies[default].stop_loss = 2: ")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = FULL.replace('mode = "alert"', 'mode = "on"').replace("reads = 3", "reads = 0")
    text = text.replace('stop_loss = "2%"', "stop_loss = 2").replace('from = "warning"', 'from = "x"')

    problems = refusal(tmp_path, text, STANDFAST__NOTHING__HERE="1")

    assert sorted(line.split(" = ")[0].split(": ")[1] for line in problems) == [
        "accounts[paper].confirm.reads",
        "accounts[paper].mode",
        "alerts[0].from",
        "nothing",
        "policies[default].stop_loss",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("STANDFAST__LEDGER", "x", "names no setting. Write SECTION__KEY"),
        ("STANDFAST__LEDGER__PATH", "x", "ledger.path = ...: is not a setting. Known here: url."),
        ("STANDFAST__LEGDER__URL", "x", 'legder = ...: is not a setting. Did you mean "ledger"?'),
        ("STANDFAST__ACCOUNTS__LIVE__MODE", "alert", "there is no account of that name. Accounts in the file: paper"),
        ("STANDFAST__ACCOUNTS__PAPER", "x", "Write ACCOUNTS__NAME__KEY"),
        ("STANDFAST__ACCOUNTS__PAPER__NAME", "x", "cannot be renamed"),
        ("STANDFAST__ACCOUNTS__PAPER__MODE", "on", 'accounts[paper].mode = "on"'),
        ("STANDFAST__ACCOUNTS__PAPER__MODE__X", "on", "mode is not a section"),
        ("STANDFAST__ACCOUNTS__PAPER__LIVE", "maybe", 'accounts[paper].live = "maybe"'),
        ("STANDFAST__POLICIES__DEFAULT__STOP_LOSS", "2%", "cannot be set from the environment. Write it in the file"),
    ],
)
def test_a_variable_that_leads_nowhere_is_an_error_that_names_it(
    tmp_path: Path, variable: str, value: str, said: str
) -> None:
    problems = refusal(tmp_path, FULL, **{variable: value})

    assert len(problems) == 1, problems
    assert problems[0].startswith(f"environment {variable}: ")
    assert said in problems[0]


def test_a_literal_secret_is_never_repeated(tmp_path: Path) -> None:
    text = FULL.replace('"env:APCA_API_KEY_ID"', f'"{LITERAL}"').replace('"env:ALERT_URL"', '"words-of-a-secret"')

    problems = refusal(tmp_path, text)

    assert len(problems) == 2
    assert LITERAL not in "\n".join(problems)
    assert "words-of-a-secret" not in "\n".join(problems)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_others_can_read_holds_no_secret(tmp_path: Path, mode: int) -> None:
    (tmp_path / "key").write_text("secret-of-the-file")
    (tmp_path / "key").chmod(mode)

    problems = refusal(tmp_path, FULL.replace('"env:APCA_API_SECRET_KEY"', '"file:key"'))

    assert [part for part in ("file:key", f"mode 0{mode:o}", "chmod 600") if part not in problems[0]] == []


def test_an_empty_secret_is_none(tmp_path: Path) -> None:
    problems = refusal(tmp_path, FULL, APCA_API_SECRET_KEY=" ")

    assert "leads to an empty value" in problems[0]


def test_two_accounts_may_not_share_a_name_or_a_key(tmp_path: Path) -> None:
    second = FULL[FULL.index("[[accounts]]") : FULL.index("[accounts.every]")]
    twin = second.replace('name = "paper"', 'name = "PAPER"')

    assert ": accounts[paper].name = " in refusal(tmp_path, FULL + second)[0]
    problems = refusal(tmp_path, FULL + twin)

    assert ["is taken by another account" in line for line in problems] == [True, False]
    assert "is the key of account paper too" in problems[1]
    assert ENVIRON["APCA_API_KEY_ID"] not in "\n".join(problems)


def test_a_simulators_literal_key_does_not_leave_the_loopback(tmp_path: Path) -> None:
    problems = refusal(tmp_path, LEAST + 'data_url = "https://data.alpaca.markets"\n')

    assert any("data_url" in line and "leaves this machine" in line for line in problems)
    assert any("sim].secret" in line and "***" in line for line in problems)


def test_a_file_without_accounts_guards_nothing(tmp_path: Path) -> None:
    assert "Write at least one [[accounts]] section" in refusal(tmp_path, "")[0]


@pytest.mark.parametrize("text", ['accounts = "paper"', "accounts = [1]", "[accounts]\nname = 'paper'"])
def test_accounts_of_the_wrong_shape_are_refused_and_do_not_crash(tmp_path: Path, text: str) -> None:
    problems = refusal(tmp_path, text)

    assert "accounts" in problems[0]
    assert "[section]" in problems[0]


def test_text_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "line 2" in refusal(tmp_path, "[ledger]\nurl = \n")[0]


def test_a_file_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="standfast init"):
        load(tmp_path / "absent.toml", {})


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "standfast.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="UTF-8"):
        load(tmp_path / "standfast.toml", {})
