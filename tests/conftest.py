"""What every test may rely on.

- `async def test_...` just works: the hook below runs it in an event loop of its own, under the test's time limit. No
  plugin, no marker, no loop shared between tests: that is how one test's left-over task fails another. Async fixtures
  are not offered for the same reason (use an async context manager inside the test), nor is `@given` over a coroutine
  (draw in a plain test and use `asyncio.run`).
- A test that leaves a task running fails, and says which: work nobody waits for is a bug here (STYLE.md, rule 12).
- Properties draw the same examples in every run, so that a commit is green or it is not; look for new ones with
  `--hypothesis-profile=explore`.
- `shared` is the folder with recorded payloads, specifications and quotes; a test that needs it skips aloud without it.
"""

import asyncio
import inspect
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import hypothesis
import pytest

PROJECT = Path(__file__).resolve().parent.parent

TURNS_TO_END = 20
"""Turns of the loop that work already over may take to end: a closed transport says so a few turns later."""

hypothesis.settings.register_profile("fixed", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
hypothesis.settings.load_profile("fixed")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test to its end; leave every other test to pytest."""
    if not inspect.iscoroutinefunction(inspect.unwrap(pyfuncitem.obj)):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames  # the names in the signature, as pytest's own call does
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}
    with asyncio.Runner() as runner:
        runner.run(_and_nothing_left(pyfuncitem.obj(**arguments)))
    return True


async def _and_nothing_left(test: Coroutine[Any, Any, None]) -> None:
    await test
    for _ in range(TURNS_TO_END):
        await asyncio.sleep(0)
    left = sorted(task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()})
    assert not left, f"the test left tasks running: {left}"


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the source tree."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded broker payloads, specifications and quotes: STANDFAST_SHARED, or `../shared`."""
    folder = Path(os.environ.get("STANDFAST_SHARED") or PROJECT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"the shared material is not here ({folder}); set STANDFAST_SHARED to its folder")
    return folder.resolve()
