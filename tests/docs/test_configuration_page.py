"""configuration.md against the settings room: every key there and none besides, with its default and its refusal."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from standfast.model.errors import SettingsError
from standfast.settings import load
from standfast.settings.table import Table
from tests.docs.pages import DOCS, blocks, pages, rows

PAGE = DOCS / "reference" / "configuration.md"
ENVIRON = {
    "APCA_API_KEY_ID": "PK0000000000000000",
    "APCA_API_SECRET_KEY": "0000000000000000000000000000",
    "TRADIER_ACCESS_TOKEN": "0000000000000000000000000000",
    "BYBIT_KEY": "000000000000000000",
    "OKX_KEY": "000000000000000000",
    "OKX_SECRET": "000000000000000000000000000000000000",
    "OKX_PASSWORD": "words that open",
    "BYBIT_SECRET": "000000000000000000000000000000000000",
    "BINANCEUSDM_KEY": "000000000000000000",
    "BINANCEUSDM_SECRET": "000000000000000000000000000000000000",
    "EXCHANGE_PASSPHRASE": "000000000000",
    "STANDFAST_TOKEN": "0000000000000000",
    "ALERT_URL": "json://127.0.0.1/",
    "NIGHT_ALERT_URL": "json://127.0.0.1/",
}
ANY_NAME = ("modes", "foreign_strategies")
"""Tables whose keys are the operator's, or (modes) the kinds of break of json.md."""


def _documented() -> Iterator[tuple[str, list[str]]]:
    """Each key's full name, with its row."""
    for heading, cells in rows(PAGE):
        if cells[0].startswith("`"):
            yield f"{heading.strip('[]')}.{cells[0].strip('`')}", cells


def _example() -> str:
    return "\n".join(block.text for block in blocks(PAGE) if block.kind == "toml")


def _loaded(tmp_path: Path, text: str) -> None:
    file = tmp_path / "standfast.toml"
    file.write_text(text, encoding="utf-8")
    load(file, ENVIRON)


def test_every_key_the_settings_ask_for_is_on_the_page_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()
    read = Table.read

    def noting(table: Table, key: str, parse: Callable[[object], Any], default: Any) -> Any:
        asked.add(".".join([*(part for part in table.path if isinstance(part, str)), key]))
        return read(table, key, parse, default)

    monkeypatch.setattr(Table, "read", noting)
    _loaded(tmp_path, _example())

    sections = {"ledger", "api", "accounts", "policies", "limits", "alerts"}
    inner = {"accounts.every", "accounts.confirm", "accounts.tracker"}
    named = {key for key in asked if not any(f".{table}." in key for table in ANY_NAME)}
    assert named - sections - inner == {key for key, _ in _documented()}


def test_the_examples_of_the_page_are_one_file_that_uses_every_key(tmp_path: Path) -> None:
    _loaded(tmp_path, _example())

    written = set(_keys(tomllib.loads(_example()), ""))
    assert {key for key, _ in _documented()} - written == set()


def _keys(table: Mapping[str, object], path: str) -> Iterator[str]:
    for key, value in table.items():
        yield f"{path}{key}"
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from _keys(inner, f"{path}{key}.")


@pytest.mark.parametrize(("key", "cells"), [pytest.param(*each, id=each[0]) for each in _documented()])
def test_each_key_refuses_what_the_page_says_it_refuses(key: str, cells: list[str], tmp_path: Path) -> None:
    _, value, trouble = cells[4].split("`", 2)
    data = tomllib.loads(_example())
    _put(data, key.split("."), tomllib.loads(f"value = {value}")["value"])

    with pytest.raises(SettingsError) as refused:
        _loaded(tmp_path, _as_toml(data))

    assert trouble.removeprefix(": ") in str(refused.value)


def _put(data: dict[str, Any], steps: list[str], value: object) -> None:
    for step in steps[:-1]:
        inner = data[step]
        data = inner[0] if isinstance(inner, list) else inner
    data[steps[-1]] = value


def _as_toml(data: Mapping[str, Any]) -> str:
    """Top-level keys with inline values: enough for one file of ours."""
    return "\n".join(f"{key} = {_value(value)}" for key, value in data.items())


def _value(value: Any) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f'"{key}" = {_value(inner)}' for key, inner in value.items()) + " }"
        case list():
            return "[" + ", ".join(_value(inner) for inner in value) + "]"
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return str(value)


def test_defaults_on_the_page_are_those_of_the_settings(tmp_path: Path) -> None:
    least = """
        [[accounts]]
        name = "paper"
        broker = "alpaca"
        key_id = "env:APCA_API_KEY_ID"
        secret = "env:APCA_API_SECRET_KEY"
        [[policies]]
        name = "default"
    """
    written = {key: cells[2].strip("`") for key, cells in _documented() if cells[2].startswith("`")}
    data = tomllib.loads(least)
    for key, default in written.items():
        section, _, rest = key.partition(".")
        if section in ("accounts", "policies") and rest not in ("match.kind",):
            _put_new(data[section][0], rest.split("."), tomllib.loads(f"value = {default}")["value"])
        elif section in ("ledger", "api"):
            data.setdefault(section, {})[rest] = tomllib.loads(f"value = {default}")["value"]
    (tmp_path / "standfast.toml").write_text(least, encoding="utf-8")
    bare = load(tmp_path / "standfast.toml", ENVIRON)
    (tmp_path / "standfast.toml").write_text(_as_toml(data), encoding="utf-8")
    spelled_out = load(tmp_path / "standfast.toml", ENVIRON)

    assert len(written) >= 20
    assert (spelled_out.ledger_url, spelled_out.api) == (bare.ledger_url, bare.api)
    assert spelled_out.accounts == bare.accounts


def _put_new(table: dict[str, Any], steps: list[str], value: object) -> None:
    for step in steps[:-1]:
        table = table.setdefault(step, {})
    table[steps[-1]] = value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(block.text, id=f"{block.page.name}-{number}")
        for page in pages()
        if page != PAGE
        for number, block in enumerate(blocks(page))
        if block.kind == "toml"
    ],
)
def test_every_piece_of_settings_in_the_guides_loads(text: str, tmp_path: Path) -> None:
    """A piece without an account or policy stands in a file that has one."""
    data = tomllib.loads(text)
    account = {
        "name": "paper",
        "broker": "alpaca",
        "key_id": "env:APCA_API_KEY_ID",
        "secret": "env:APCA_API_SECRET_KEY",
    }
    data["accounts"] = [{**account, **_without_files(each)} for each in data.get("accounts", [{}])]
    data["policies"] = [{"name": f"policy {number}", **each} for number, each in enumerate(data.get("policies", [{}]))]

    _loaded(tmp_path, _as_toml(data))


def _without_files(account: Mapping[str, Any]) -> dict[str, Any]:
    """Secrets kept in files of another machine cannot be read here."""
    return {key: value for key, value in account.items() if not str(value).startswith("file:")}
