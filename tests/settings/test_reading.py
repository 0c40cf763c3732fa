"""The contract of `standfast.toml`: what is written arrives as rules, and nothing else is assumed."""

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from standfast.core.policy import Confirm, Every, FlatBy, Foreign, HeldBy, Limits, Match, Mode, Policy, Rung
from standfast.model import secret
from standfast.model.alert import Severity
from standfast.model.breaks import BreakKind
from standfast.model.secret import Secret, redact
from standfast.settings import Settings, load

NEW_YORK = ZoneInfo("America/New_York")
ENVIRON = {
    "APCA_API_KEY_ID": "PKTESTTESTTESTTEST01",
    "APCA_API_SECRET_KEY": "a-secret-of-forty-characters-0123456789ab",
    "STANDFAST_TOKEN": "token-of-the-api-0123456789",
    "ALERT_URL": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "HOME": "/nowhere",
}

FULL = """
[ledger]
url = "sqlite:///books/standfast.db"

[api]
listen = "127.0.0.1:8788"
token = "env:STANDFAST_TOKEN"

[[accounts]]
name = "paper"
broker = "alpaca"
mode = "alert"
modes = { orphan_position = "repair" }
key_id = "env:APCA_API_KEY_ID"
secret = "env:APCA_API_SECRET_KEY"
account_id = ""
live = false
feed = "iex"
foreign = "adopt"
foreign_ignore = ["VTI", "BND"]
foreign_strategies = { "gamma-*" = "gamma" }
rate_share = 0.5

[accounts.every]
positions = "4s"
orders = "6s"
fills = "11s"
full = "1m"
status = "45s"

[accounts.confirm]
reads = 3
orphan = "20s"

[accounts.tracker]
kind = "json"
path = "orders_paper.json"
symbols = "$[*].option_symbols[*]"

[[policies]]
name = "gamma"
match = { account = "paper", strategy = "gamma", instrument = "SPXW*", kind = "option" }
exits_held_by = "guard"
stop_loss = "15%"
expiring_flat_by = "15:00 America/New_York"
short_delta_limit = 0.35
user_rule = "mypackage.rules:late_fade"

[[policies]]
name = "default"
match = { account = "*", strategy = "*", instrument = "*", kind = "*" }
exits_held_by = "both"
stop_loss = "2%"
take_profit = "30%"
emergency_stop = "40%"
trailing = [ { arm = "20%", give_back = "8pt" }, { arm = "10%", give_back = "to entry" } ]
minimum_hold = "30m"
maximum_hold = "5d"
flat_by = "15:55 America/New_York"
adopted_too = true

[limits]
open_positions = 20
notional_per_instrument = "25000"
notional_per_account = "200000.50"
orders_per_minute = 30

[[alerts]]
url = "env:ALERT_URL"
from = "warning"
"""

LEAST = """
[[accounts]]
name = "sim"
broker = "alpaca"
key_id = "key"
secret = "word"
rest_url = "http://127.0.0.1:9000"
"""


@pytest.fixture(autouse=True)
def _nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})


def written(folder: Path, text: str, **environ: str) -> Settings:
    (folder / "standfast.toml").write_text(text)
    return load(folder / "standfast.toml", {**ENVIRON, **environ})


def test_every_key_of_the_contract_arrives_where_it_is_used(tmp_path: Path) -> None:
    settings = written(tmp_path, FULL)
    paper = settings.accounts[0]

    assert settings.ledger_url == f"sqlite:///{tmp_path}/books/standfast.db"
    assert (settings.api.host, settings.api.port) == ("127.0.0.1", 8788)
    assert settings.api.token.reveal() == ENVIRON["STANDFAST_TOKEN"]
    assert (paper.name, paper.broker, paper.live, paper.feed, paper.account_id) == ("paper", "alpaca", False, "iex", "")
    assert paper.key_id.reveal() == ENVIRON["APCA_API_KEY_ID"]
    assert paper.secret.reveal() == ENVIRON["APCA_API_SECRET_KEY"]
    assert paper.tracker is not None
    assert paper.tracker.path == f"{tmp_path}/orders_paper.json"
    assert (paper.tracker.kind, paper.tracker.symbols) == ("json", "$[*].option_symbols[*]")
    assert [(each.least, each.url.reveal()) for each in settings.alerts] == [(Severity.WARNING, ENVIRON["ALERT_URL"])]
    assert settings.account("paper") is paper
    assert settings.account("other") is None


def test_rules_of_an_account_are_what_the_operator_wrote(tmp_path: Path) -> None:
    rules = written(tmp_path, FULL).accounts[0].rules

    assert (rules.mode, rules.modes) == (Mode.ALERT, {BreakKind.ORPHAN_POSITION: Mode.REPAIR})
    assert rules.foreign is Foreign.ADOPT
    assert (rules.foreign_ignore, rules.foreign_strategies) == (("VTI", "BND"), {"gamma-*": "gamma"})
    assert rules.rate_share == Decimal("0.5")
    assert rules.every == Every(
        positions=timedelta(seconds=4),
        orders=timedelta(seconds=6),
        fills=timedelta(seconds=11),
        full=timedelta(minutes=1),
        status=timedelta(seconds=45),
    )
    assert rules.confirm == Confirm(reads=3, orphan=timedelta(seconds=20))
    assert rules.limits == Limits(
        open_positions=20,
        notional_per_instrument=Decimal(25000),
        notional_per_account=Decimal("200000.50"),
        orders_per_minute=30,
    )


def test_policies_keep_their_order_and_every_rule(tmp_path: Path) -> None:
    gamma, default = written(tmp_path, FULL).accounts[0].rules.policies

    assert gamma == Policy(
        name="gamma",
        match=Match(account="paper", strategy="gamma", instrument="SPXW*", kind="option"),
        held_by=HeldBy.GUARD,
        stop_loss=Decimal("0.15"),
        expiring_flat_by=FlatBy(at=time(15, 0), zone=NEW_YORK),
        short_delta_limit=Decimal("0.35"),
        user_rule="mypackage.rules:late_fade",
    )
    assert default == Policy(
        name="default",
        held_by=HeldBy.BOTH,
        stop_loss=Decimal("0.02"),
        take_profit=Decimal("0.3"),
        emergency_stop=Decimal("0.4"),
        trailing=(Rung(Decimal("0.1"), None), Rung(Decimal("0.2"), Decimal("0.08"))),
        minimum_hold=timedelta(minutes=30),
        maximum_hold=timedelta(days=5),
        flat_by=FlatBy(at=time(15, 55), zone=NEW_YORK),
        expiring_flat_by=FlatBy(at=time(15, 10), zone=NEW_YORK),
        adopted_too=True,
    )


def test_a_rule_of_the_operators_own_is_kept_by_its_name(tmp_path: Path) -> None:
    settings = written(tmp_path, FULL)

    assert [policy.user_rule for policy in settings.accounts[0].rules.policies] == ["mypackage.rules:late_fade", None]


def test_only_the_defaults_of_the_contract_are_assumed(tmp_path: Path) -> None:
    settings = written(tmp_path, LEAST)
    account = settings.accounts[0]
    rules = account.rules

    assert settings.ledger_url == f"sqlite:///{tmp_path}/standfast.db"
    assert (settings.api.host, settings.api.port, settings.api.token) == ("127.0.0.1", 8787, Secret(""))
    assert (rules.mode, rules.foreign, rules.rate_share) == (Mode.ALERT, Foreign.ALERT, Decimal("0.25"))
    assert (rules.every, rules.confirm) == (Every(), Confirm())
    assert (rules.policies, rules.foreign_ignore, rules.modes) == ((), (), {})
    assert rules.limits == Limits(orders_per_minute=None)
    assert (account.live, account.feed, account.tracker, account.follows_exchange) == (False, "", None, False)
    assert settings.alerts == ()


def test_a_policy_that_writes_no_rule_has_none_but_that_of_the_last_day(tmp_path: Path) -> None:
    settings = written(tmp_path, LEAST + '[[policies]]\nname = "bare"\n')

    assert settings.accounts[0].rules.policies == (
        Policy(name="bare", expiring_flat_by=FlatBy(at=time(15, 10), zone=NEW_YORK)),
    )
    assert any("neither stop_loss nor emergency_stop" in text for text in settings.warnings)


@pytest.mark.parametrize(
    ("live", "rest", "stream"),
    [
        ("false", "https://paper-api.alpaca.markets", "wss://paper-api.alpaca.markets"),
        ("true", "https://api.alpaca.markets", "wss://api.alpaca.markets"),
    ],
)
def test_addresses_that_are_not_written_are_the_brokers_own(tmp_path: Path, live: str, rest: str, stream: str) -> None:
    account = written(tmp_path, FULL.replace("live = false", f"live = {live}")).accounts[0]

    assert (account.rest_url, account.stream_url) == (rest, stream)
    assert (account.data_url, account.data_stream_url) == (
        "https://data.alpaca.markets",
        "wss://stream.data.alpaca.markets",
    )
    assert not account.is_simulator


def test_beside_a_simulator_every_address_is_the_simulators(tmp_path: Path) -> None:
    account = written(tmp_path, LEAST + 'clock = "exchange"\n').accounts[0]

    assert account.is_simulator
    assert account.follows_exchange
    assert (account.rest_url, account.data_url) == ("http://127.0.0.1:9000", "http://127.0.0.1:9000")
    assert (account.stream_url, account.data_stream_url) == ("ws://127.0.0.1:9000", "ws://127.0.0.1:9000")
    assert account.secret.reveal() == "word"


def test_the_environment_overrides_by_section_and_by_account_name(tmp_path: Path) -> None:
    settings = written(
        tmp_path,
        FULL.replace('name = "paper"', 'name = "My-Paper"', 1).replace('account = "paper"', 'account = "My-Paper"'),
        STANDFAST__LEDGER__URL="postgresql://guard:pass-of-the-ledger@db/standfast",
        STANDFAST__ACCOUNTS__MY_PAPER__MODE="repair",
        STANDFAST__ACCOUNTS__MY_PAPER__EVERY__POSITIONS="2s",
        STANDFAST__ACCOUNTS__MY_PAPER__FOREIGN_IGNORE='["QQQ"]',
        STANDFAST__ACCOUNTS__MY_PAPER__RATE_SHARE="0.1",
        STANDFAST__ACCOUNTS__MY_PAPER__MODES__QUANTITY="observe",
        STANDFAST__LIMITS__OPEN_POSITIONS="7",
    )
    rules = settings.accounts[0].rules

    assert settings.ledger_url == "postgresql://guard:pass-of-the-ledger@db/standfast"
    assert (rules.mode, rules.every.positions, rules.foreign_ignore) == (Mode.REPAIR, timedelta(seconds=2), ("QQQ",))
    assert (rules.rate_share, rules.limits.open_positions) == (Decimal("0.1"), 7)
    assert rules.modes == {BreakKind.ORPHAN_POSITION: Mode.REPAIR, BreakKind.QUANTITY: Mode.OBSERVE}


def test_the_environment_can_add_a_section_the_file_does_not_have(tmp_path: Path) -> None:
    settings = written(tmp_path, LEAST, STANDFAST__API__LISTEN="[::1]:9999", STANDFAST__ACCOUNTS__SIM__LIVE="true")

    assert (settings.api.host, settings.api.port, settings.accounts[0].live) == ("::1", 9999, True)


def test_no_secret_is_shown_by_the_settings_and_each_is_known_to_the_redactor(tmp_path: Path) -> None:
    settings = written(tmp_path, FULL, STANDFAST__LEDGER__URL="postgresql://guard:pass-of-the-ledger@db/standfast")
    hidden = [ENVIRON["APCA_API_KEY_ID"], ENVIRON["APCA_API_SECRET_KEY"], ENVIRON["STANDFAST_TOKEN"]]
    hidden += [ENVIRON["ALERT_URL"], "JHMHI8qBe7bk2ZwO5U711o3dV_js", "pass-of-the-ledger"]

    assert [value for value in hidden[:5] if value in repr(settings)] == []
    assert [value for value in hidden if value in redact(f"a log line with {value} in it")] == []


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_comes_from_a_file_only_its_owner_reads(tmp_path: Path, mode: int) -> None:
    (tmp_path / "key").write_text("  secret-of-the-file\n")
    (tmp_path / "key").chmod(mode)

    settings = written(tmp_path, FULL.replace('"env:APCA_API_SECRET_KEY"', '"file:key"'))

    assert settings.accounts[0].secret.reveal() == "secret-of-the-file"


def test_a_credential_of_systemd_may_show_the_group_bits_of_its_access_list(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/key").write_text("secret-of-systemd")
    (tmp_path / "credentials/key").chmod(0o440)

    settings = written(
        tmp_path,
        FULL.replace('"env:APCA_API_SECRET_KEY"', '"file:$CREDENTIALS_DIRECTORY/key"'),
        CREDENTIALS_DIRECTORY=str(tmp_path / "credentials"),
    )

    assert settings.accounts[0].secret.reveal() == "secret-of-systemd"


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (("[[alerts]]\nurl", "[[alerts]]\nfrom = 'critical'\nurl"), "no channel carries warnings"),
        (('instrument = "*", kind = "*" }', 'instrument = "A*", kind = "*" }'), "no policy matches everything"),
        (("reads = 3", "reads = 1"), "lets a single read"),
        (('give_back = "8pt"', 'give_back = "8%"'), "points of result"),
        (('emergency_stop = "40%"\n', ""), "rests the emergency_stop at the broker, and none is written"),
        (('positions = "4s"', 'positions = "2m"'), "noticed later than promised"),
    ],
)
def test_what_is_allowed_and_unwise_is_said(tmp_path: Path, change: tuple[str, str], warning: str) -> None:
    text = FULL.replace('from = "warning"', "" if "from" in change[1] else 'from = "warning"')
    text = text.replace('minimum_hold = "30m"\n', "")

    settings = written(tmp_path, text.replace(*change))

    assert [each for each in settings.warnings if warning in each] != []
    assert [each for each in written(tmp_path, text).warnings if warning in each] == []
