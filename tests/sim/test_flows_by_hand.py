"""`standfast drill fuzz --flows` and `--point`, as somebody at a terminal sees them."""

import json

import pytest

from standfast.cli.main import main
from standfast.sim import flows
from standfast.sim.effects import Kind
from standfast.sim.flow_points import Point


def test_one_point_says_where_it_struck(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "fuzz", "--point", "open:kill:12"]) == 0
    assert capsys.readouterr().out.startswith("open:kill:12: held, struck at ")


def test_a_point_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "fuzz", "--point", "open:drown:12"]) == 1
    assert "flows are open, " in capsys.readouterr().err


def test_all_points_are_summed_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(flows, "FLOWS", flows.FLOWS[:1])
    monkeypatch.setattr(flows, "points", lambda which, effects, **rest: [Point("open", Kind.KILL, effects["open"])])
    assert main(["drill", "fuzz", "--flows", "--jobs", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told["effects"]) == ["open"]
    assert told["played"] == {"kill": 1}
    assert told["failures"] == told["missed"] == []
