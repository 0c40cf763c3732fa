"""An operator's act: refused where it cannot be meant, sent as a request otherwise, and waited for."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from standfast.cli import doors
from standfast.cli.main import main
from standfast.model.ids import RequestId
from standfast.ports import Request
from tests.cli.ledgers import guarded, write
from tests.cli.running import Ran, command, environment


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write(tmp_path)


async def ask(config: Path, *arguments: str, answer: tuple[bool, str] | None) -> tuple[Ran, Request]:
    """Run an act beside a guard that gives this answer (or none) once the request is there."""
    async with asyncio.timeout(240), guarded(config) as journal:
        running = await asyncio.create_subprocess_exec(
            *command(*arguments, "--config", config),
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert running.stderr is not None
        said = await running.stderr.readline()  # written after the request is in the ledger
        assert said.startswith(b"Asked the guard of paper"), said
        (request,) = await journal.requests()
        if answer is not None:
            await journal.finish_request(request.id, *answer)
        out, err = await running.communicate()
        assert running.returncode is not None
        return Ran(running.returncode, out.decode(), (said + err).decode()), request


@pytest.mark.parametrize(
    ("typed", "verb", "sent"),
    [
        (
            ["open", "paper", "spy", "-3", "--strategy", "trend", "--limit", "601.50", "--id", "k7"],
            "open",
            {"instrument": "SPY", "quantity": "-3", "strategy": "trend", "limit": "601.5", "key": "k7"},
        ),
        (
            ["open", "paper", "spy", "3", "--stop-loss", "2.0%"],
            "open",
            {"instrument": "SPY", "quantity": "3", "stop_loss": "2%"},
        ),
        (
            ["close", "p-sp", "--quantity", "2", "--reason", "before earnings"],
            "close",
            {"position": "p-spy-kept", "quantity": "2", "reason": "before earnings"},
        ),
        (["protect", "p-spy-kept", "--stop", "590"], "protect", {"position": "p-spy-kept", "stop": "590"}),
        (["protect", "p-spy-kept", "--none"], "protect", {"position": "p-spy-kept", "none": "true"}),
        (["flatten", "paper", "--everything"], "flatten", {"everything": "true"}),
        (["freeze", "paper", "spy"], "freeze", {"scope": "SPY"}),
        (["thaw", "paper"], "thaw", {}),
        (["adopt", "b-t"], "adopt", {"break": "b-tsla"}),
        (["ignore", "b-tsla"], "ignore", {"break": "b-tsla"}),
        (["ack", "a"], "ack", {"alert": "a-tsla"}),
        (["undo", "27"], "undo", {"entry": "27"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
async def test_an_act_travels_as_a_request_of_flat_text(
    typed: list[str], verb: str, sent: Mapping[str, str], config: Path
) -> None:
    ran, request = await ask(config, *typed, answer=(True, "proven by fill x9"))

    arguments = {name: value for name, value in request.arguments.items() if name != "until"}
    assert (ran.code, ran.out) == (0, "Done: proven by fill x9\n")
    assert (request.account, request.verb, arguments) == ("paper", verb, sent)
    assert "@" in request.by


@pytest.mark.parametrize(("wait", "seconds"), [("0s", 30), ("2m", 120)])
async def test_an_opening_is_to_be_taken_while_it_is_waited_for_and_not_long_after(
    wait: str, seconds: int, config: Path
) -> None:
    _, request = await ask(config, "open", "paper", "SPY", "1", "--wait", wait, answer=(True, ""))

    assert datetime.fromisoformat(request.arguments["until"]) - request.at <= timedelta(seconds=seconds)
    assert datetime.fromisoformat(request.arguments["until"]) > request.at


async def test_an_act_that_was_not_done_is_1_with_the_reason(config: Path) -> None:
    ran, _ = await ask(config, "freeze", "paper", answer=(False, "frozen already"))

    assert (ran.code, ran.out) == (1, "Not done: frozen already\n")


async def test_a_wait_that_ends_is_1_and_says_that_the_request_stands(config: Path) -> None:
    ran, request = await ask(config, "freeze", "paper", "--wait", "0s", answer=None)

    assert ran.code == 1
    assert ran.out == f"Not done: no proof within 0 s; the request stands: standfast explain {request.id}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["open", "paper", "SPY", "ten"], 2, "'ten': a quantity is a number such as 10, 0.5 or -3"),
        (["open", "paper", "SPY", "0"], 2, "a quantity of zero does nothing"),
        (["open", "paper", "SPY", "nan"], 2, "'nan': a quantity is a number"),
        (["open", "paper", "S PY", "1"], 2, "'S PY': an instrument has no blanks in it"),
        (["open", "paper", "SPY", "1", "--limit", "-5"], 2, "'-5': give a price above zero"),
        (["open", "paper", "SPY", "1", "--limit", "$5"], 2, "'$5': a price is a number such as 412.50"),
        (["open", "live", "SPY", "1"], 1, "'live': there is no account of that name; accounts here: paper"),
        (["open", "paper", "SPY", "1", "--stop", "9", "--target", "8"], 1, "lies below its target 8; swap them"),
        (["open", "paper", "SPY", "-1", "--stop", "8", "--target", "9"], 1, "lies above its target 9; swap them"),
        (["open", "paper", "SPY", "1", "--stop-loss", "2"], 2, "'2': is no share of the entry; write for example 2%"),
        (["open", "paper", "SPY", "1", "--stop-loss", "2%", "--stop", "9"], 1, "one is a price, the other a share"),
        (["close", "p-x"], 1, "'p-x': no open position has an id that begins so; see standfast positions"),
        (["close", "p-aapl"], 1, "no open position has an id that begins so"),
        (["close", "p-spy", "--quantity", "6"], 1, "--quantity 6: p-spy-kept holds 5; leave it out for all"),
        (["close", "p-spy", "--quantity", "-2"], 2, "the direction follows the position"),
        (["close", "p-spy", "--wait", "soon"], 2, "'soon': a duration is a number with its unit: 60s, 5m or 1h"),
        (["protect", "p-spy", "--none", "--stop", "5"], 1, "write it without --stop and --target"),
        (["adopt", "zz"], 1, "'zz': no break has an id that begins so; see standfast breaks"),
        (["undo", "300"], 1, "entry 300: the journal of paper has entries 1 to 29"),
        (["undo", "x"], 2, "'x': give a whole number from 0 up"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_act_that_cannot_be_meant_is_refused_with_value_and_remedy(
    arguments: list[str], code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(tmp_path)

    assert main([*arguments, "--config", str(config)]) == code

    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


class Answers:
    """Stands in for the composition root: the agreement of `doors.App.act`, and no broker behind it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Path, str, str, Mapping[str, str], float]] = []

    def act(
        self, config: Path, account: str, verb: str, arguments: Mapping[str, str], wait_seconds: float
    ) -> tuple[bool, str]:
        self.asked.append((config, account, verb, arguments, wait_seconds))
        return True, "flat"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    app = Answers()
    monkeypatch.setattr(doors, "app", lambda: app)
    return app


def test_with_no_guard_the_verb_takes_the_lease_itself(
    answers: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(tmp_path)

    assert main(["close", "p-spy", "--wait", "2m", "--config", str(config)]) == 0

    assert answers.asked == [(config, "paper", "close", {"position": "p-spy-kept"}, 120.0)]
    assert capsys.readouterr().out == "Done: flat\n"


def test_json_is_the_outcome_alone(answers: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "thaw", "paper", "--config", str(write(tmp_path))]) == 0

    said = capsys.readouterr()
    assert said.err == ""
    assert '"ok": true' in said.out
    assert len(answers.asked) == 1


@pytest.mark.parametrize(("typed", "done"), [("paper\n", True), ("yes\n", False), ("", False)])
def test_flatten_on_a_terminal_wants_the_name_of_the_account(
    typed: str,
    done: bool,  # noqa: FBT001  # a column of the table above
    answers: Answers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return typed

    monkeypatch.setattr("sys.stdin", Terminal())

    assert main(["flatten", "paper", "--config", str(write(tmp_path))]) == (0 if done else 1)
    assert len(answers.asked) == int(done)


def test_a_request_has_one_id_for_one_act(tmp_path: Path) -> None:
    ids: set[RequestId] = set()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        _, request = asyncio.run(ask(write(tmp_path / folder), "freeze", "paper", answer=(True, "")))
        ids.add(request.id)

    assert len(ids) == 2
