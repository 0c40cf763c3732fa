"""The page for bots and the example bot, run as they stand beside a guard of the simulated exchange."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import standfast
from tests.acceptance.stage import BROKER_HOLDS, PATIENCE, Stage
from tests.cli.running import environment
from tests.docs.pages import DOCS, PROJECT, blocks, names_in, rows

PAGE = DOCS / "guides" / "ask-from-a-bot.md"
BOT = (PROJECT / "examples" / "asking_bot.py").read_text("utf-8")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as made:
        exchange = made.exchange()
        for name, price in (("AAPL", 250), ("SPY", 600)):
            exchange.quote(name, f"{price}", f"{price}.02")
        made.settings(exchange.url, BROKER_HOLDS)
        made.guarded()
        yield made


PATIENTLY = f"""\
import runpy, sys
from standfast.client import answers, verbs
answers.PROOF_WITHIN = verbs.GOOD_FOR = {PATIENCE}
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script: a busy machine may take longer than what a bot waits for."""


def run(stage: Stage, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    file = stage.folder / "bot.py"
    file.write_text(script, "utf-8")
    return subprocess.run(
        [sys.executable, "-c", PATIENTLY, str(file), *arguments],
        cwd=stage.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * PATIENCE,
    )


def test_every_block_of_the_page_runs_in_its_order(stage: Stage) -> None:
    ran = run(stage, "\n".join(block.text for block in blocks(PAGE) if block.kind == "python"))

    assert ran.returncode == 0, ran.stderr
    proof, held, reasons, closed, again = ran.stdout.splitlines()
    assert "order filled 10, executions 10, the list of positions shows +10" in proof
    assert held.startswith("10 250.02 Protection(held_by='broker', stop_price=Decimal('240')")
    assert "'AAPL is frozen by" in reasons
    assert "buying power" in reasons
    assert closed == "-0.2 operator"
    assert again == "True closed"
    assert stage.held() == {}


def test_the_lines_of_the_readme_open_and_close(stage: Stage) -> None:
    (block,) = (each for each in blocks(PROJECT / "README.md") if each.kind == "python")

    ran = run(stage, block.text)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert [each.phase for each in stage.book().state.closed.values()] == ["closed"]


def test_the_example_bot_buys_once_however_often_it_is_started(stage: Stage) -> None:
    rising = ("--instrument", "AAPL", "--prices", "250.0", "250.2", "250.5", "250.9")

    first, second = run(stage, BOT, *rising), run(stage, BOT, *rising)
    fallen = run(stage, BOT, *rising, "250.1")
    after = run(stage, BOT, *rising)

    assert [each.stderr for each in (first, second, fallen, after)] == ["", "", "", ""]
    assert first.stdout.startswith("bought: ")
    assert (second.stdout, after.stdout) == ("", "")
    assert fallen.stdout.startswith("sold: ")
    assert stage.held() == {}
    assert len(stage.book().state.closed) == 1


def test_every_error_of_the_library_is_on_the_page_and_offered() -> None:
    told = {name for _, cells in rows(PAGE) for name in names_in(cells[0])}
    errors = {each.__name__ for each in _below(standfast.AskError)}

    assert told == errors
    assert errors <= set(dir(standfast))


def _below(error: type[standfast.AskError]) -> Iterator[type[standfast.AskError]]:
    for each in error.__subclasses__():
        yield each
        yield from _below(each)
