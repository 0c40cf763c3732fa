"""The start of the process: refused wherever the assertions would be gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REFUSAL = "standfast: refusing to run under -O or PYTHONOPTIMIZE, which strip its safety assertions\n"


@pytest.mark.parametrize(
    ("options", "environment"),
    [(["-O"], {}), (["-OO"], {}), ([], {"PYTHONOPTIMIZE": "1"})],
    ids=["-O", "-OO", "PYTHONOPTIMIZE"],
)
def test_a_start_without_assertions_is_refused(options: list[str], environment: dict[str, str]) -> None:
    started = subprocess.run(
        [sys.executable, *options, "-m", "standfast", "--help"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert (started.returncode, started.stdout, started.stderr) == (2, "", REFUSAL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_output_that_finds_no_room_is_said_in_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        started = subprocess.run(
            [sys.executable, "-m", "standfast", "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert started.returncode == 1
    assert started.stderr == "standfast: the output could not be written: No space left on device\n"


def test_the_end_of_a_process_does_not_look_through_what_is_left() -> None:
    looked = """
import gc, sys
from standfast.__main__ import run
sys.argv = ["standfast", "--version"]
try:
    run()
except SystemExit as ended:
    sys.exit(ended.code or not gc.get_freeze_count())
"""
    ended = subprocess.run([sys.executable, "-c", looked], stdout=subprocess.DEVNULL, check=False, timeout=240)

    assert ended.returncode == 0
