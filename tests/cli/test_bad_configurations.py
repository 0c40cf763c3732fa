"""Every configuration that cannot guard anything ends a start with 78, and says key, value and remedy, in one go.

Through the command line as it is typed, in this process for speed; a few as the processes they are, at the end.
"""

import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from standfast.cli.main import main
from standfast.model import secret
from standfast.settings import process
from tests.cli.configurations import CASES, FILES, GOOD, LITERAL, SECRETS
from tests.cli.running import standfast


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
        "an exchange without positions",
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
