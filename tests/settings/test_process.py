"""A process that has read its settings keeps its secrets out of its environment, of core dumps, of others' sight."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from standfast.model import secret
from standfast.model.errors import SettingsError
from standfast.settings import load_here, process
from tests.cli.running import environment
from tests.settings.test_reading import ENVIRON, FULL

SECRETS = ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "STANDFAST_TOKEN", "ALERT_URL")
LOOKED_AT = """
import ctypes, os, resource, subprocess, sys
from pathlib import Path
from standfast.app import load
load(Path(sys.argv[1]))
child = subprocess.run([sys.executable, "-c", "import os; print(os.environ)"], capture_output=True, text=True)
print(repr(os.environ), child.stdout)
Path(sys.argv[1]).with_name("made").touch()
print("cores", resource.getrlimit(resource.RLIMIT_CORE), "dumpable", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.fixture(autouse=True)
def _a_process_that_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})
    monkeypatch.setattr(process, "_taken", {})
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "standfast.toml").write_text(FULL)
    return tmp_path / "standfast.toml"


def test_variables_that_secrets_came_from_leave_the_environment_and_no_other_does(file: Path) -> None:
    settings = load_here(file)

    assert settings.accounts[0].secret.reveal() == ENVIRON["APCA_API_SECRET_KEY"]
    assert [name for name in SECRETS if name in os.environ] == []
    assert os.environ["HOME"] == ENVIRON["HOME"]


def test_a_reload_reads_them_again_and_a_variable_that_was_set_anew_wins(file: Path) -> None:
    load_here(file)
    again = load_here(file)
    os.environ["ALERT_URL"] = "json://127.0.0.1/other"
    changed = load_here(file)

    assert again.accounts[0].secret.reveal() == ENVIRON["APCA_API_SECRET_KEY"]
    assert again.alerts[0].url.reveal() == ENVIRON["ALERT_URL"]
    assert changed.alerts[0].url.reveal() == "json://127.0.0.1/other"
    assert "ALERT_URL" not in os.environ


def test_settings_that_are_refused_leave_no_secret_behind_either(file: Path) -> None:
    file.write_text(FULL.replace('mode = "alert"', 'mode = "on"'))

    with pytest.raises(SettingsError):
        load_here(file)

    assert [name for name in SECRETS if name in os.environ] == []


def test_no_child_no_core_and_no_other_process_gets_at_them(file: Path) -> None:
    """From the moment the settings are read, and whatever the shell allowed."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOOKED_AT, str(file)],
        env=environment(**ENVIRON),
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )

    assert [value for name, value in ENVIRON.items() if name in SECRETS and value in ran.stdout] == []
    assert "cores (0, 0)" in ran.stdout
    assert stat.S_IMODE(file.with_name("made").stat().st_mode) == 0o600
    if sys.platform == "linux":
        assert "dumpable 0" in ran.stdout
