"""`init` writes what the settings accept; `doctor` says what is wrong with what is there."""

import stat
from pathlib import Path

import pytest

from standfast.cli.checks import bots_own_sells, file_modes
from standfast.settings import load
from tests.cli.ledgers import write
from tests.cli.running import standfast

KEYS = {"APCA_API_KEY_ID": "PKEXAMPLEKEY00000001", "APCA_API_SECRET_KEY": "secretexamplesecret0001"}


def test_what_init_writes_loads_and_is_the_owners_alone(tmp_path: Path) -> None:
    ran = standfast("init", "--yes", "--mode", "repair", "--foreign", "adopt", "--stop-loss", "3%", folder=tmp_path)

    file = tmp_path / "standfast.toml"
    settings = load(file, KEYS)
    (account,) = settings.accounts
    assert ran.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (account.name, account.broker, account.live, account.rules.mode, account.rules.foreign) == (
        *("paper", "alpaca", False),
        *("repair", "adopt"),
    )
    assert [str(policy.stop_loss) for policy in account.rules.policies] == ["0.5", "0.03"]
    assert "Resting stops reserve the quantity they would sell" in ran.out


@pytest.mark.parametrize(("broker", "stop"), [("alpaca", "60%"), ("ccxt:bybit", "10%")])
def test_a_stop_farther_than_the_usual_last_resort_can_be_asked_for(broker: str, stop: str, tmp_path: Path) -> None:
    ran = standfast("init", "--yes", "--broker", broker, "--stop-loss", stop, folder=tmp_path)

    keys = KEYS | {"BYBIT_KEY": "k", "BYBIT_SECRET": "s"}
    *_, policy = load(tmp_path / "standfast.toml", keys).accounts[0].rules.policies
    assert ran.code == 0
    assert (f"{policy.stop_loss:.0%}", policy.emergency_stop) == (stop, None)


def test_init_for_a_simulated_exchange_follows_its_clock(tmp_path: Path) -> None:
    ran = standfast("init", "--yes", "--exchange", "http://127.0.0.1:8790", folder=tmp_path)

    (account,) = load(tmp_path / "standfast.toml", {}).accounts
    assert ran.code == 0
    assert (account.is_simulator, account.follows_exchange) == (True, True)


def test_init_for_tradier_asks_for_a_token_and_a_number(tmp_path: Path) -> None:
    ran = standfast("init", "--yes", "--broker", "tradier", "--account-id", "VA0000000007", folder=tmp_path)

    (account,) = load(tmp_path / "standfast.toml", {"TRADIER_ACCESS_TOKEN": "t"}).accounts
    assert ran.code == 0
    assert (account.broker, account.account_id, account.secret.reveal()) == ("tradier", "VA0000000007", "t")
    assert account.rest_url == "https://sandbox.tradier.com"
    assert "key_id" not in (tmp_path / "standfast.toml").read_text()


@pytest.mark.parametrize("held_by", ["broker", "guard", "both"])
@pytest.mark.parametrize("broker", ["alpaca", "tradier"])
def test_options_have_a_stop_that_their_quotes_do_not_reach(broker: str, held_by: str, tmp_path: Path) -> None:
    """A put spread sold for 5.00 costs 5.30 to close in the same moment: 2 % of it is no stop."""
    ran = standfast("init", "--yes", "--broker", broker, "--held-by", held_by, folder=tmp_path)

    (account,) = load(tmp_path / "standfast.toml", KEYS | {"TRADIER_ACCESS_TOKEN": "t"}).accounts
    assert ran.code == 0
    options, rest = account.rules.policies
    assert (options.match.kind, rest.match.kind) == ("option", "*")
    assert (str(options.stop_loss), options.held_by, str(rest.stop_loss)) == ("0.5", held_by, "0.02")


def test_init_for_bybit_asks_for_its_keys_and_says_what_margin_means(tmp_path: Path) -> None:
    ran = standfast("init", "--yes", "--broker", "ccxt:bybit", "--foreign", "adopt", folder=tmp_path)

    (account,) = load(tmp_path / "standfast.toml", {"BYBIT_KEY": "k", "BYBIT_SECRET": "s"}).accounts
    written = (tmp_path / "standfast.toml").read_text()
    assert ran.code == 0
    assert (account.broker, account.key_id.reveal(), account.secret.reveal()) == ("ccxt:bybit", "k", "s")
    assert account.rest_url == "https://api-testnet.bybit.com"
    assert "liquidation" in written
    assert "reserves the quantity" not in written + ran.out


def test_init_never_replaces_a_file_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "standfast.toml").write_text("mine")

    refused = standfast("init", "--yes", folder=tmp_path)
    kept = (tmp_path / "standfast.toml").read_text()
    forced = standfast("init", "--yes", "--force", folder=tmp_path)

    assert (refused.code, kept, forced.code) == (1, "mine", 0)
    assert "--force replaces it" in refused.err


@pytest.mark.parametrize(
    "flags",
    [["--stop-loss", "2"], ["--name", "my paper"], ["--key-id", "PKLITERALKEY0000001"], ["--alert", "nowhere"]],
    ids=lambda flags: flags[0],
)
def test_an_answer_that_cannot_be_used_writes_nothing(flags: list[str], tmp_path: Path) -> None:
    ran = standfast("init", "--yes", *flags, folder=tmp_path)

    assert ran.code == 1
    assert ran.err.startswith("standfast: nothing was written: ")
    assert "PKLITERALKEY0000001" not in ran.err
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_and_without_yes_nothing_is_asked(tmp_path: Path) -> None:
    ran = standfast("init", folder=tmp_path)

    assert (ran.code, list(tmp_path.iterdir())) == (1, [])
    assert "write --yes to take the flags and defaults" in ran.err


def checks(ran: object) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in ran.document["checks"]}  # type: ignore[attr-defined]  # JSON has no type


def test_doctor_names_a_missing_configuration_with_its_remedy(tmp_path: Path) -> None:
    ran = standfast("doctor", "--json", folder=tmp_path)

    found = checks(ran)["configuration"]
    assert ran.code == 1
    assert found["ok"] is False
    assert "standfast init" in str(found["detail"])
    assert found["remedy"]


def test_doctor_tells_a_missing_secret_from_a_wrong_configuration(tmp_path: Path) -> None:
    standfast("init", "--yes", folder=tmp_path)

    found = checks(standfast("doctor", "--json", folder=tmp_path))

    assert (found["configuration"]["ok"], found["secrets"]["ok"]) == (True, False)
    assert "APCA_API_KEY_ID" in str(found["secrets"]["detail"])


BESIDE = ("standfast.toml", "standfast.db", "standfast.db-wal", "standfast.db.paper.anchor", "standfast.db.ballast")


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_doctor_finds_a_file_that_others_can_get_at(name: str, mode: int, tmp_path: Path) -> None:
    config = write(tmp_path)
    for each in BESIDE:
        (tmp_path / each).touch(mode=0o600)
        (tmp_path / each).chmod(0o600)
    assert file_modes(config).ok

    (tmp_path / name).chmod(mode)

    found = file_modes(config)
    assert (found.ok, found.detail) == (False, f"{tmp_path / name} has mode {mode:04o}")
    assert found.remedy == f"chmod 600 {tmp_path / name}"


def test_doctor_finds_a_folder_in_which_others_could_put_another_ledger(tmp_path: Path) -> None:
    config = write(tmp_path)
    config.chmod(0o600)
    (tmp_path / "standfast.db").chmod(0o600)
    tmp_path.chmod(0o775)

    found = checks(standfast("doctor", "--json", "--config", config))["file modes"]

    assert found == {
        "name": "file modes",
        "ok": False,
        "detail": f"{tmp_path} has mode 0775",
        "remedy": f"chmod go-w {tmp_path}",
    }


def test_doctor_reads_ledger_and_lease(tmp_path: Path) -> None:
    found = checks(standfast("doctor", "--json", "--config", write(tmp_path)))

    assert (found["ledger"]["ok"], "paper 29 entries" in str(found["ledger"]["detail"])) == (True, True)
    assert found["paper: guard"]["detail"] == "nobody guards it now"


def test_doctor_finds_a_ledger_whose_folder_is_not_there(tmp_path: Path) -> None:
    config = write(tmp_path)
    config.write_text(config.read_text().replace("sqlite:///standfast.db", "sqlite:///nowhere/standfast.db"))

    found = checks(standfast("doctor", "--json", "--config", config))["ledger"]

    assert (found["ok"], found["remedy"]) == (False, "make the folder, or correct [ledger] url")


def test_every_finding_that_is_not_well_has_a_remedy(tmp_path: Path) -> None:
    ran = standfast("doctor", "--json", "--config", write(tmp_path))

    assert ran.code == 1
    assert [each for each in ran.document["checks"] if not each["ok"] and not each["remedy"]] == []


def test_doctor_finds_an_alert_address_that_would_fail_at_the_first_alarm(tmp_path: Path) -> None:
    config = write(tmp_path)
    config.write_text(config.read_text() + '\n[[alerts]]\nurl = "discord://half-a-webhook"\n')
    config.chmod(0o600)

    found = checks(standfast("doctor", "--json", "--config", config))["alerts"]

    assert found["ok"] is False
    assert "lacks something" in str(found["detail"])
    assert "half-a-webhook" not in str(found)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (("--mode", "alert"), "no stop of ours"),
        (("--mode", "repair", "--held-by", "guard"), "no stop of ours"),
        (("--mode", "repair"), "under what you adopt"),
        (("--mode", "repair", "--foreign", "adopt"), "under adopted positions"),
    ],
)
def test_doctor_says_when_our_stops_may_block_the_bots_own_sells(
    written: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    standfast("init", "--yes", *written, folder=tmp_path)
    (account,) = load(tmp_path / "standfast.toml", KEYS).accounts

    check = bots_own_sells(account)

    assert check.ok
    assert said in check.detail


def test_init_takes_any_exchange_of_ccxts_and_says_what_can_be_guarded_there(tmp_path: Path) -> None:
    ran = standfast("init", "--yes", "--broker", "ccxt:okx", folder=tmp_path)

    keys = {"OKX_KEY": "k", "OKX_SECRET": "s", "OKX_PASSWORD": "p"}
    (account,) = load(tmp_path / "standfast.toml", keys).accounts
    assert ran.code == 0
    assert (account.broker, account.passphrase.reveal()) == ("ccxt:okx", "p")
    assert "ccxt:okx: stream: orders are streamed" in ran.out
    assert "ccxt:okx: orders and stops: tried without being sent" in ran.out


def test_of_two_names_of_an_exchange_the_one_that_guards_more_is_told(tmp_path: Path) -> None:
    ran = standfast("init", "--yes", "--broker", "ccxt:binance", folder=tmp_path)

    assert "ccxt:binanceusdm is spoken in its own dialect and guards more" in ran.out


@pytest.mark.parametrize(
    ("broker", "said"),
    [
        ("ccxt:bibyt", "ccxt knows no exchange of that name. Near it: "),
        ("ccxt:kraken", "cannot be guarded, because ccxt has not for it: linear contracts"),
        ("ccxt:zzzzzzzzzzzz", "See the list at docs.ccxt.com"),
    ],
)
def test_init_refuses_an_exchange_that_nobody_knows_or_that_cannot_be_guarded(
    broker: str, said: str, tmp_path: Path
) -> None:
    ran = standfast("init", "--yes", "--broker", broker, folder=tmp_path)

    assert ran.code == 1
    assert said in ran.err
    assert not (tmp_path / "standfast.toml").exists()
