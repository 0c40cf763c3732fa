"""The shipped unit, judged by systemd itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tidy.sources import PROJECT

UNIT = PROJECT / "packaging" / "systemd" / "standfast.service"
PROGRAM = "/opt/standfast/bin/standfast"


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not on this machine")
    # The program is not installed where the unit expects it; one that exists stands in, the rest is as shipped.
    text = UNIT.read_text(encoding="utf-8")
    assert text.count(f"ExecStart={PROGRAM} ") == 1
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace(f"ExecStart={PROGRAM} ", "ExecStart=/bin/true "), encoding="utf-8")

    judged = subprocess.run([analyze, "verify", str(copy)], capture_output=True, text=True, check=False, timeout=240)

    assert (judged.returncode, judged.stderr) == (0, "")
