"""Tables: what a broker sends is shown, never obeyed."""

import json

import pytest

from standfast.cli.render import Cell, Column, document, table
from standfast.model import secret


def test_control_characters_are_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    table([Column("A"), Column("B", right=True)], [("\x1b[2Jgone", Cell("1\n2", "red"))], empty="none")

    assert capsys.readouterr().out == "A              B\n\\x1b[2Jgone  1 2\n"


def test_no_rows_are_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    table([Column("A")], [], empty="No rows.")

    assert capsys.readouterr().out == "No rows.\n"


def test_a_secret_of_any_letters_leaves_a_document_a_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(secret, "_loaded", {})
    key = secret.remember('", "ok": true, "')

    document({"detail": f"refused {key.reveal()}", "ok": False, "rows": [{"said": [key.reveal()]}]})

    assert json.loads(capsys.readouterr().out) == {"detail": "refused ***", "ok": False, "rows": [{"said": ["***"]}]}
