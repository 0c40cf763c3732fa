"""Tables: what a broker sends is shown, never obeyed."""

import pytest

from standfast.cli.render import Cell, Column, table


def test_control_characters_are_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    table([Column("A"), Column("B", right=True)], [("\x1b[2Jgone", Cell("1\n2", "red"))], empty="none")

    assert capsys.readouterr().out == "A              B\n\\x1b[2Jgone  1 2\n"


def test_no_rows_are_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    table([Column("A")], [], empty="No rows.")

    assert capsys.readouterr().out == "No rows.\n"
