"""The demo as a newcomer starts it: a process, no terminal, no keys, no settings."""

import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from standfast.drills import demo_bot, demo_prices
from standfast.drills.demo_play import Play
from standfast.drills.demo_processes import Children
from standfast.drills.demo_report import judge
from standfast.drills.demo_screen import Screen
from standfast.drills.demo_story import Story
from standfast.drills.demo_view import View
from standfast.exchange.quotes_file import quotes
from standfast.model.errors import StandfastError

CLAIMS = 6
DAY = "data/market/equity/spy/second/20131007_quote.zip"
PATIENCE = 240.0
"""Real seconds, where a quiet machine needs one minute."""


def _hears_control_c() -> None:
    """A shell that runs the tests in the background has it ignored, and who is started inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def _demo(folder: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """The demo in a folder of its own, with its temporary files in another."""
    home, temporary = folder / "home", folder / "temporary"
    home.mkdir()
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "standfast", "demo", *options],
        cwd=home,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_hears_control_c,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _assert_nothing_is_left(folder: Path) -> None:
    assert list((folder / "home").iterdir()) == []
    assert list((folder / "temporary").iterdir()) == []
    alive = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])]
    assert [line for line in alive if str(folder / "temporary") in line] == []


def _amounts(text: str) -> list[Decimal]:
    return [Decimal(amount.replace("$", "").replace(",", "")) for amount in re.findall(r"[+-]\$[\d,]+\.\d\d", text)]


@dataclass(frozen=True, slots=True)
class Whole:
    """A demo that runs to its end."""

    folder: Path
    process: "subprocess.Popen[str]"
    heard: "Future[tuple[str, str]]"

    def said(self) -> str:
        """Everything, once it has ended well and left nothing behind."""
        said, _ = self.heard.result()
        assert self.process.returncode == 0, said
        _assert_nothing_is_left(self.folder)
        return said


@pytest.fixture(scope="module")
def demos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Whole]]:
    """Each waits for more than a minute and computes for ten seconds, so they wait side by side."""
    wanted: dict[str, tuple[str, ...]] = {"made up": ()}
    with suppress(pytest.skip.Exception):
        wanted["recorded"] = ("--replay", str(request.getfixturevalue("shared") / DAY))
    with ThreadPoolExecutor() as threads, ExitStack() as running:
        started = {}
        for name, options in wanted.items():
            folder = tmp_path_factory.mktemp("demo")
            process = running.enter_context(_demo(folder, *options))
            started[name] = Whole(folder, process, threads.submit(process.communicate, timeout=PATIENCE))
        yield started


def test_the_whole_demo_holds_what_it_claims_and_leaves_nothing_behind(demos: dict[str, Whole]) -> None:
    said = demos["made up"].said()
    assert len(re.findall(r"(?m)^\d\. .*: held$", said)) == CLAIMS, said
    assert "NOT HELD" not in said
    # The bot forgot it, its stop sold it, and it would have fallen further: in this order, at these prices. The worker
    # may be killed before it has told what the exchange already shows, the exits that came back.
    story = [
        "buying 60 NVDA",
        "a stop for 60 NVDA rests",
        "The bot has just lost 60 NVDA",
        "books 60 NVDA (watch) sold",
        "its exits for MSFT (swing) have lapsed",
        "kill -9",
        "the guard is back",
        "books 20 MSFT (swing) sold",
    ]
    places = [said.find(line) for line in story]
    assert -1 not in places, dict(zip(story, places, strict=True))
    assert places == sorted(places), dict(zip(story, places, strict=True))
    without, guarded, kept = _amounts(said[said.rindex("Without Standfast") :])
    assert without < guarded < 0
    assert kept == guarded - without
    assert "standfast init" in said


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_ends_every_process_and_removes_its_folder(tmp_path: Path, sign: signal.Signals) -> None:
    with _demo(tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "books 40 AAPL" in line:
                break
        else:
            pytest.fail("the demo ended before the bot's first trade was booked")
        process.send_signal(sign)
        said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert "nothing is left" in said
    _assert_nothing_is_left(tmp_path)


def test_a_demo_that_dies_without_a_word_takes_its_processes_with_it(tmp_path: Path) -> None:
    with _demo(tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "books 40 AAPL" in line:
                break
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 4, children  # exchange, parent, worker, bot
        process.kill()
        _, alive = psutil.wait_procs(children, timeout=PATIENCE)
    assert alive == []


def _view(story: Story, held: Mapping[str, Decimal]) -> View:
    bids = dict.fromkeys(story.instruments, Decimal(100))
    return View(now=story.close, held=held, bids=bids, listed=[], truth={"realised": "0", "fills": []})


def test_a_demo_in_which_nothing_happened_claims_nothing(tmp_path: Path) -> None:
    story = demo_prices.made_up(tmp_path)
    play = Play(story, tmp_path, Children(tmp_path), Screen(story))
    play.view = _view(story, {})
    claims = judge(play)
    assert [claim.held for claim in claims] == [False] * (CLAIMS - 1) + [True]  # empty books and an empty account agree
    assert all(claim.missing for claim in claims[:-1])
    play.view = _view(story, {"NVDA": Decimal(60)})
    assert not judge(play)[-1].held, "the exchange holds what the books do not"


def test_without_alpaca_py_the_demo_names_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_bot, "find_spec", lambda _name: None)
    with pytest.raises(StandfastError, match=r"standfast\[dev\]"):
        demo_bot.script()


def test_the_bot_knows_nothing_of_standfast() -> None:
    source = demo_bot.script().read_text(encoding="utf-8")
    assert re.findall(r"(?m)^\s*(?:import|from) +standfast", source) == []


def test_a_folder_is_replayed_by_its_finest_file_and_spy_leads(tmp_path: Path) -> None:
    for name in ("equity/aapl/second", "equity/spy/minute", "equity/spy/second"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / "20131007_quote.zip", "w") as archive:
            symbol, grain = name.split("/")[1:]
            row = "34200000,1674100,1674100,1674100,1674100,22,1674200,1674200,1674200,1674200,30\n"
            archive.writestr(f"20131007_{symbol}_{grain}_quote.csv", row)
    story = demo_prices.recorded(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in story.prices] == ["equity/spy/second/20131007_quote.zip"]
    assert story.instruments == ["SPY"]
    assert story.close.isoformat() == "2013-10-07T20:00:00+00:00"


def test_what_holds_no_quotes_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "20131007_quote.zip").write_bytes(b"no zip at all")
    with pytest.raises(StandfastError, match="20131007_quote"):
        demo_prices.recorded(tmp_path)


def test_a_recorded_day_plays_the_same_story_at_its_own_prices(demos: dict[str, Whole], shared: Path) -> None:
    said = demos["recorded"].said()
    assert len(re.findall(r"(?m)^\d\. .*: held$", said)) == CLAIMS, said
    assert "SPY as it was on 07 October 2013" in said
    quoted = {f"{price:.2f}" for quote in quotes(shared / DAY) for price in (quote.bid, quote.ask) if price is not None}
    traded = re.findall(r"books \d+ SPY \(\w+\)(?:, bought by the bot| sold) at (\d+\.\d\d)", said)
    assert len(traded) >= 6, said
    assert set(traded) <= quoted, "a price nobody quoted on that day"
