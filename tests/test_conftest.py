"""The promises of tests/conftest.py, proven by running pytest on small files of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def _run(folder: Path, source: str, **environment: str) -> tuple[int, str]:
    """Run pytest on `source` under the project's settings; its exit code and what it printed."""
    project = Path(__file__).resolve().parent.parent
    (folder / "test_planted.py").write_text(source, encoding="utf-8")
    (folder / "conftest.py").write_text((project / "tests" / "conftest.py").read_text(encoding="utf-8"), "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    ran = subprocess.run(
        [*command, "-c", str(project / "pyproject.toml"), "--rootdir", str(folder), str(folder)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return ran.returncode, ran.stdout


def test_a_coroutine_test_is_run_with_its_fixtures(tmp_path: Path) -> None:
    source = "async def test_planted(tmp_path):\n    assert tmp_path.is_dir()\n    assert 1 == 2, 'it was run'\n"

    code, printed = _run(tmp_path, source)

    assert code == 1
    assert "it was run" in printed


def test_a_task_left_running_fails_the_test_and_is_named(tmp_path: Path) -> None:
    source = (
        "import asyncio\n"
        "async def test_planted():\n"
        "    asyncio.get_running_loop().create_task(asyncio.Event().wait(), name='forgotten')\n"
    )

    code, printed = _run(tmp_path, source)

    assert code == 1
    assert "the test left tasks running: ['forgotten']" in printed


def test_a_warning_fails_the_test(tmp_path: Path) -> None:
    code, printed = _run(tmp_path, "import warnings\ndef test_planted():\n    warnings.warn('mind this')\n")

    assert code == 1
    assert "UserWarning: mind this" in printed


def test_a_coroutine_nobody_awaits_fails_the_test(tmp_path: Path) -> None:
    source = "async def forgotten(): ...\ndef test_planted():\n    forgotten()\n"

    code, printed = _run(tmp_path, source)

    assert code == 1
    assert "coroutine 'forgotten' was never awaited" in printed


def test_without_the_shared_material_a_test_skips_and_says_why(tmp_path: Path) -> None:
    absent = tmp_path / "absent"

    code, printed = _run(tmp_path, "def test_planted(shared):\n    assert False\n", STANDFAST_SHARED=str(absent))

    assert code == 0
    assert f"the shared material is not here ({absent}); set STANDFAST_SHARED to its folder" in printed


def test_the_shared_material_is_where_the_environment_says(tmp_path: Path) -> None:
    source = f"def test_planted(shared):\n    assert str(shared) == {str(tmp_path.resolve())!r}\n"

    assert _run(tmp_path, source, STANDFAST_SHARED=str(tmp_path))[0] == 0


@pytest.mark.parametrize("argument", ["shared", "project"])
def test_the_fixtures_are_folders(argument: str, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(argument).is_dir()
