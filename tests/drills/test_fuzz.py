"""`drill fuzz`: what it plays, adds up and says of a seed that fails."""

import json
from pathlib import Path

import pytest

from standfast.cli.main import main
from standfast.core.policy import HeldBy
from standfast.drills import fuzz
from standfast.model.errors import SettingsError
from standfast.sim.chaos import Outcome
from standfast.sim.plan import Plan, draw
from standfast.sim.seeds import plan_of
from standfast.sim.shrink import shrink

POLICY = """
[[policies]]
name = "mine"
exits_held_by = "guard"
stop_loss = "0.3%"
maximum_hold = "20m"
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "standfast.toml"
    file.write_text(POLICY)
    return file


def test_processes_side_by_side_find_what_one_finds() -> None:
    alone, beside = (fuzz.run(first=30, seeds=3, hours=0.05, jobs=jobs) for jobs in (1, 2))

    for each in (alone, beside):
        each.cpu = 0
        each.hours, each.healthy = round(each.hours, 6), round(each.healthy, 6)  # summed in the order they came
    assert alone == beside
    assert alone.seeds == 3
    assert alone.hours == pytest.approx(3 * 0.3055, rel=0.01)
    assert alone.effects > 1000


def test_a_users_own_policies_are_played_and_everything_else_is_drawn(policy: Path) -> None:
    (mine,) = fuzz.policies_of(policy)
    plan, drawn = draw(8, policies=[mine]), draw(8)

    assert mine.held_by is HeldBy.GUARD
    assert plan.rules.policies == (mine,)
    assert plan.strokes == drawn.strokes
    assert fuzz.run(first=8, seeds=1, hours=0.05, policy=policy).failures == []


def test_spreads_are_played_by_their_number_and_with_a_users_own_policies_too(policy: Path) -> None:
    told: list[Outcome] = []

    found = fuzz.run(
        first=8, seeds=1, hours=0.05, plays="spreads", policy=policy, told=lambda so_far, outcome: told.append(outcome)
    )

    assert found.failures == []
    assert [outcome.seed for outcome in told] == [1_000_000_008]
    assert plan_of(1_000_000_008, policies=fuzz.policies_of(policy)).rules.policies == fuzz.policies_of(policy)


@pytest.mark.parametrize("written", ["", '[[policies]]\nname = "x"\nstop_loss = "many"\n'])
def test_a_policy_file_that_cannot_be_used_is_refused(tmp_path: Path, written: str) -> None:
    file = tmp_path / "standfast.toml"
    file.write_text(written)

    with pytest.raises(SettingsError):
        fuzz.run(first=1, seeds=1, policy=file)


def test_zero_of_many_seeds_bounds_what_fails() -> None:
    assert fuzz.Found().bound == 1
    assert fuzz.Found(seeds=3000).bound == pytest.approx(0.001)


def fails_with_a_deed(plan: Plan, *, whole: bool = False, digested: bool = True) -> Outcome:
    """Stands in for a run that breaks a promise whenever the third deed is done."""
    violation = ("S4", "too much is sold") if DEED in plan.deeds else None
    return Outcome(seed=plan.seed, hours=1, effects=1, kills=0, faults={1: 2}, orders=3, violation=violation, at=1e9)


DEED = draw(41, hours=0.5).deeds[2]


def test_a_seed_that_fails_is_shrunk_and_told_with_the_command_that_plays_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fuzz, "play", fails_with_a_deed)
    monkeypatch.setattr(fuzz, "shrink", lambda plan, failed, **rest: shrink(plan, failed, play_it=fails_with_a_deed))

    code = main(["drill", "fuzz", "--from", "40", "--seeds", "3", "--hours", "0.5", "--json"])

    found = json.loads(capsys.readouterr().out)
    (failure,) = found["failures"]
    assert code == 1
    assert (found["seeds"], found["from"], found["bound"]) == (3, 40, None)
    assert found["faults"]["1 request lost"] == 6
    assert (failure["seed"], failure["id"], failure["faults"]) == (41, "S4", [str(DEED)])
    assert failure["replay"] == "standfast drill fuzz --seeds 1 --from 41 --hours 0.5 --trace -"


def test_until_failure_goes_on_until_one_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fuzz, "play", fails_with_a_deed)
    monkeypatch.setattr(fuzz, "shrink", lambda plan, failed, **rest: (plan, failed))

    code = main(["drill", "fuzz", "--from", "35", "--seeds", "1", "--hours", "0.5", "--until-failure"])

    said = capsys.readouterr().out
    assert code == 1
    assert "1 of 7 seeds FAILED" in said
    assert "seed 41: S4" in said


def test_seeds_that_hold_are_summed_up_and_their_trace_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace.txt"

    code = main(["drill", "fuzz", "--from", "30", "--seeds", "1", "--hours", "0.05", "--trace", str(trace)])

    assert code == 0
    assert "held: no promise was broken; fewer than 3 in 1 seeds fail" in capsys.readouterr().out
    assert "GuardStarted" in trace.read_text()


@pytest.mark.parametrize("wrong", [["--seeds", "0"], ["--hours", "0"], ["--hours", "nan"], ["--jobs", "x"]])
def test_what_cannot_be_played_is_a_usage_error(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "fuzz", *wrong]) == 2
    assert wrong[1] in capsys.readouterr().err
