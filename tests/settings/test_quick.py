"""The reading verbs learn what they need in milliseconds: no validation, nothing heavy imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from standfast.model.errors import SettingsError
from standfast.settings import account_names, ledger_url, load
from tests.settings.test_reading import ENVIRON, FULL, LEAST


def test_the_quick_answers_are_those_of_the_full_load(tmp_path: Path) -> None:
    file = tmp_path / "standfast.toml"
    for text in (FULL, LEAST):
        file.write_text(text)
        for environ in (ENVIRON, {**ENVIRON, "STANDFAST__LEDGER__URL": "sqlite:///elsewhere.db"}):
            settings = load(file, environ)

            assert ledger_url(file, environ) == settings.ledger_url
            assert account_names(file, environ) == tuple(account.name for account in settings.accounts)


def test_an_absolute_ledger_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "standfast.toml").write_text('[ledger]\nurl = "sqlite:////var/lib/standfast/books.db"\n')

    assert ledger_url(tmp_path / "standfast.toml", {}) == "sqlite:////var/lib/standfast/books.db"


@pytest.mark.parametrize("text", ['[ledger]\nurl = "books.db"', "[ledger]\nurl = 3", "ledger = 3", "[ledger"])
def test_a_ledger_that_cannot_be_found_is_a_settings_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "standfast.toml").write_text(text)

    with pytest.raises(SettingsError):
        ledger_url(tmp_path / "standfast.toml", {})


def test_a_variable_that_leads_nowhere_is_an_error_here_too(tmp_path: Path) -> None:
    (tmp_path / "standfast.toml").write_text(LEAST)

    with pytest.raises(SettingsError, match="STANDFAST__ACCOUNTS__OTHER__MODE"):
        account_names(tmp_path / "standfast.toml", {"STANDFAST__ACCOUNTS__OTHER__MODE": "repair"})


def test_the_quick_answers_import_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "standfast.toml").write_text(FULL)
    script = (
        "import sys, pathlib\n"
        "from standfast.settings import ledger_url, account_names\n"
        f"file = pathlib.Path({str(tmp_path / 'standfast.toml')!r})\n"
        "ledger_url(file, {}); account_names(file, {})\n"
        "heavy = {'asyncio', 'pydantic', 'structlog', 'apprise', 'aiohttp', 'msgspec', 'zoneinfo', 'keyring'}\n"
        "heavy |= {'standfast.core', 'standfast.model.journal', 'standfast.settings.reading'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=240)

    assert told.stdout == "[]\n"
