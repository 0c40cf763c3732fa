"""Every drill holds: what is lost without a guard is kept with one."""

import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest

from standfast import drills
from standfast.core.policy import Mode
from standfast.drills import playing
from standfast.drills.drill import Drill
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.played import Played, Side
from standfast.exchange.quotes_name import UnreadableQuotes

ROOT = Path(drills.__file__).parents[2]
TELL = "import sys; from standfast import drills; print(chr(10).join(drills.run(sys.argv[1], wire=False).timeline))"
BY_WATCHING = {"stop-not-seen", "perp-stop-not-seen", "expired-worthless"}
"""The right act is none: there a guard that only watches holds everything as well."""
LONGEST = 8.0
"""Real seconds for one drill in process, both runs of it; measured on this process's own processor time."""


def judge(played: Played) -> None:
    story = "\n".join(played.timeline)
    assert played.guarded.held, story
    assert not played.bare.held, story
    assert played.bare.loss > played.guarded.loss, story
    assert played.passed


@pytest.mark.parametrize("name", list(drills.NAMES))
def test_the_guard_holds_what_the_bare_bot_loses(name: str) -> None:
    began = os.times()
    judge(drills.run(name, wire=False))
    used = os.times()
    assert used.user + used.system - began.user - began.system < LONGEST


def test_the_spread_of_6_january_2021_ends_at_the_first_quote_beyond_its_stop(shared: Path) -> None:
    """The claim that says so is made of the recorded quotes alone."""
    played = drills.run("silent-removal", wire=False, replay=shared / "data/market/indexoption/spxw")
    judge(played)
    assert any(
        line.startswith("holds") and "at the first quote beyond the stop" in line and "14:17:00" in line
        for line in played.timeline
    )
    assert played.bare.loss > 3 * played.guarded.loss


def test_recorded_quotes_that_do_not_have_the_contracts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableQuotes):
        drills.run("silent-removal", wire=False, replay=tmp_path)
    with pytest.raises(UnreadableQuotes):
        drills.run("exits-expire", wire=False, replay=tmp_path)


@pytest.mark.parametrize("name", ["close-flips", "kill-switch-leftovers", "half-spread"])
def test_the_same_holds_over_real_sockets_with_the_real_adapter_and_ledger(name: str) -> None:
    judge(drills.run(name, wire=True))


@pytest.mark.parametrize("name", [name for name in drills.NAMES if name not in BY_WATCHING])
def test_a_guard_that_may_only_watch_does_not_pass(name: str) -> None:
    """So it is the guard's acts that the claims are about, and not a mild market."""
    drill = playing.load(name)
    scene = replace(drill.scene, mode=Mode.OBSERVE)
    assert not playing.play(replace(drill, scene=scene), wire=False).guarded.held  # type: ignore[arg-type]  # its own


def test_the_timeline_is_the_same_whatever_the_hash_seed() -> None:
    told = [_told("exit-storm", seed) for seed in ("1", "2")]
    assert told[0] == told[1]
    assert "loss" in told[0]


def _told(name: str, seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", TELL, name], env=environment, capture_output=True, text=True, check=True, timeout=240
    )
    return done.stdout


def test_every_name_has_its_file_and_every_file_its_name() -> None:
    for name in drills.NAMES:
        found = import_module(f"standfast.drills.{name.replace('-', '_')}").DRILL
        assert isinstance(found, Drill | PerpetualDrill)
        assert found.name == name


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        drills.run("no-such-drill", wire=False)


def test_a_drill_is_passed_only_when_there_was_a_loss_and_the_guard_kept_from_it() -> None:
    def played(*, bare: tuple[bool, int], guarded: tuple[bool, int]) -> bool:
        one, other = (Side(held=held, loss=Decimal(loss)) for held, loss in (bare, guarded))
        return Played(name="x", bare=one, guarded=other, timeline=()).passed

    assert played(bare=(False, 100), guarded=(True, 10))
    assert not played(bare=(True, 100), guarded=(True, 10)), "no loss, no drill"
    assert not played(bare=(False, 100), guarded=(False, 10)), "the guard failed"
    assert not played(bare=(False, 10), guarded=(True, 10)), "the guard kept from nothing"
