"""Whatever the bytes of a settings file and of the environment: settings, or one error in printable words."""

import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standfast.model import secret
from standfast.model.errors import SettingsError
from standfast.settings import Settings, account_names, ledger_url, load
from tests.settings.test_reading import ENVIRON, FULL

LINES = FULL.splitlines()
ODD = """
    1e400 nan inf [] {} [[]] 2026-01-01 07:32:00 "9999999999d" "1e9%" "*" "[" "env:" "file:" "file:." "file:\\u0000"
    "keyring:a/b" "env:ALERT_URL" "sqlite:///\\u0000" "https://[" "https://[::1" "https://h:x" "http://127.0.0.1"
    "json://[" "00:00"
"""
VALUES = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.text(max_size=30).map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'),
    st.sampled_from(ODD.split()),
    st.from_regex(r"\"[0-9]{1,12}(\.[0-9]{1,12})?(%|pt|s|m|h|d)\"", fullmatch=True),
)
KEYS = [line.partition(" = ")[0] for line in LINES if " = " in line]


@st.composite
def changed_files(draw: st.DrawFn) -> bytes:
    """The full example with some lines doubled, dropped, moved, or given another value; or with bytes put in."""
    lines = list(LINES)
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                lines.insert(at, lines[draw(st.integers(0, len(lines) - 1))])
            case 1:
                del lines[at]
            case 2:
                lines[at] = f"{draw(st.sampled_from(KEYS))} = {draw(VALUES)}"
            case 3:
                lines[at] = f"{lines[at].partition(' = ')[0]} = {draw(VALUES)}"
            case _:
                lines[at] += draw(st.text(max_size=10))
    written = bytearray("\n".join(lines).encode("utf-8", "replace"))
    if draw(st.booleans()):
        at = draw(st.integers(0, len(written)))
        written[at:at] = draw(st.binary(max_size=20))
    return bytes(written)


@pytest.fixture(autouse=True)
def _nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})


def understood(file: Path, environ: dict[str, str]) -> Settings | None:
    """The settings; None where they were refused in words that can be shown."""
    try:
        found = load(file, environ)
    except SettingsError as error:
        said = str(error)
        assert said
        assert said.replace("\n", "").isprintable()
        assert [value for name, value in ENVIRON.items() if name != "HOME" and value in said] == []
        return None
    assert repr(found)
    assert [value for name, value in ENVIRON.items() if name != "HOME" and value in repr(found)] == []
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=changed_files())
def test_any_change_of_a_good_file_is_understood_or_refused_in_words(tmp_path: Path, written: bytes) -> None:
    file = tmp_path / "standfast.toml"
    file.write_bytes(written)

    found = understood(file, ENVIRON)

    if found is not None:  # then the quick answers are the same
        assert ledger_url(file, ENVIRON) == found.ledger_url
        assert account_names(file, ENVIRON) == tuple(account.name for account in found.accounts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.binary(max_size=200))
def test_any_bytes_are_understood_or_refused_in_words(tmp_path: Path, written: bytes) -> None:
    file = tmp_path / "standfast.toml"
    file.write_bytes(written)

    assert understood(file, ENVIRON) is None
    for quick in (ledger_url, account_names):
        with suppress(SettingsError):
            quick(file, {})


NAMES = st.lists(
    st.sampled_from(["LEDGER", "URL", "ACCOUNTS", "PAPER", "MODE", "EVERY", "FULL", "MODES", "API", "", "X", "LIMITS"]),
    max_size=5,
).map(lambda steps: "STANDFAST__" + "__".join(steps))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(overrides=st.dictionaries(NAMES, st.text(max_size=30) | VALUES, max_size=4))
def test_any_variable_is_understood_or_refused_in_words(tmp_path: Path, overrides: dict[str, str]) -> None:
    file = tmp_path / "standfast.toml"
    file.write_text(FULL)

    understood(file, {**ENVIRON, **overrides})


documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=documents.filter(lambda value: value is not None), key=st.sampled_from(KEYS))
def test_any_value_of_any_shape_in_any_place_is_understood_or_refused(tmp_path: Path, value: Any, key: str) -> None:
    file = tmp_path / "standfast.toml"
    try:
        line = f"{key} = {_inline(value)}"
        tomllib.loads(line)
    except (tomllib.TOMLDecodeError, ValueError):
        return
    lines = [line if each.startswith(f"{key} = ") else each for each in LINES]
    file.write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")

    understood(file, ENVIRON)


def _inline(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{_inline(key)} = {_inline(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(_inline(each) for each in value) + "]"
        case bool():
            return str(value).lower()
        case str():
            escaped = "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value)
            return f'"{escaped}"'
        case None:
            return '""'
        case _:
            return str(value)


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 10 * 1024 * 1024])
def test_a_secret_file_of_any_size_is_read_bounded(tmp_path: Path, size: int) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * size)
    key.chmod(0o600)
    file = tmp_path / "standfast.toml"
    file.write_text(FULL.replace('"env:APCA_API_SECRET_KEY"', '"file:key"'))

    found = understood(file, ENVIRON)

    assert (found is None) == (size == 0)
    if found is not None:
        assert len(found.accounts[0].secret.reveal()) <= 64 * 1024


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_secret_file_of_another_user_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("of-somebody-else")
    key.chmod(0o600)
    os.chown(key, 12345, 12345)
    file = tmp_path / "standfast.toml"
    file.write_text(FULL.replace('"env:APCA_API_SECRET_KEY"', '"file:key"'))

    with pytest.raises(SettingsError, match="belongs to another user") as refused:
        load(file, ENVIRON)

    assert "chown" in str(refused.value)
