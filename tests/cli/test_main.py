"""Finding a verb, its help, and the exit codes every verb shares."""

import subprocess
import sys
from pathlib import Path

import pytest

from standfast.cli import main as cli
from standfast.model import secret
from tests.cli.ledgers import write
from tests.cli.running import command, environment, standfast

VERBS_OF_THE_DESIGN = {
    "look": {"positions", "portfolio", "orders", "breaks", "history", "alerts", "explain"},
    "act": {"open", "close", "protect", "flatten", "freeze", "thaw", "adopt", "ignore", "ack", "undo"},
    "ledger": {"journal verify", "journal backup", "journal export", "journal tail", "journal rebuild", "import"},
    "rest": {
        "demo",
        "init",
        "guard",
        "scan",
        "doctor",
        "drill list",
        "drill run",
        "drill fuzz",
        "drill replay",
        "exchange",
    },
}
HEAVY = ("asyncio", "aiohttp", "pydantic", "rich", "msgspec", "apsw", "structlog", "sqlite3", "zoneinfo", "shutil")


def test_every_verb_of_the_design_is_there() -> None:
    assert set(cli.VERBS) == set().union(*VERBS_OF_THE_DESIGN.values())


@pytest.mark.parametrize("verb", sorted(cli.VERBS))
def test_the_help_of_a_verb_says_what_it_does_shows_an_example_and_names_its_exit_codes(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*verb.split(), "--help"]) == 0

    said = capsys.readouterr().out
    assert said.startswith(f"usage: standfast {verb} ")
    assert f"\n  standfast {verb}" in said.partition("\nexample:")[2]
    assert "\nexit codes:\n  0" in said
    assert "\n  2   usage error" in said
    assert "--config FILE" in said
    assert "--json" in said


def test_no_help_imports_anything_heavy() -> None:
    asked = "; ".join(f"main({[*verb.split(), '--help']!r})" for verb in cli.VERBS)
    program = f"import sys; from standfast.cli.main import main; {asked}"
    program += f"; print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"

    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True, timeout=240
    )

    assert ran.stderr == "[]\n"


def test_positions_imports_no_event_loop_no_network_and_no_drawing(tmp_path: Path) -> None:
    config = write(tmp_path)
    program = "import sys; from standfast.cli.main import main; main(['positions', '--config', sys.argv[1]])"
    program += (
        "; print(sorted({'asyncio', 'aiohttp', 'pydantic', 'rich', 'zoneinfo'} & set(sys.modules)), file=sys.stderr)"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program, str(config)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )

    assert ran.stderr.splitlines()[-1] == "[]"
    assert "p-spy-kept" in ran.stdout


def test_without_a_verb_every_verb_is_listed_as_a_usage_error() -> None:
    ran = standfast()

    assert (ran.code, ran.out) == (2, "")
    assert all(f"\n  {verb}" in ran.err for verb in cli.VERBS)


@pytest.mark.parametrize("asked", [["--help"], ["-h"], ["help"], ["journal", "--help"], ["help", "journal"]])
def test_help_is_no_error(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(asked) == 0
    assert capsys.readouterr().out.startswith("usage: standfast ")


@pytest.mark.parametrize(
    ("asked", "suggested"),
    [
        (["positons"], "did you mean: standfast positions"),
        (["flaten", "paper"], "did you mean: standfast flatten"),
        (["journal", "verfy"], "did you mean: standfast journal verify"),
        (["zzz"], "see: standfast --help"),
    ],
)
def test_an_unknown_verb_suggests_the_nearest(
    asked: list[str], suggested: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(asked) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert suggested in said.err


@pytest.mark.parametrize(
    "asked",
    [
        ["--unknown", "positions"],
        ["--config"],
        ["positions", "--unknown"],
        ["positions", "one", "two"],
        ["journal"],
        ["drill", "run"],
        ["close"],
    ],
)
def test_a_wrong_command_line_is_2_and_says_so_on_standard_error(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(asked) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err


@pytest.mark.parametrize("place", ["before", "after", "equals"])
def test_config_and_json_are_taken_before_and_after_the_verb(place: str, tmp_path: Path) -> None:
    config = write(tmp_path)
    asked: dict[str, list[str | Path]] = {
        "before": ["--json", "--config", config, "breaks"],
        "after": ["breaks", "--config", config, "--json"],
        "equals": [f"--config={config}", "breaks", "--json"],
    }

    assert [each["id"] for each in standfast(*asked[place]).document["breaks"]] == ["b-tsla"]


def test_a_missing_configuration_is_78_with_the_remedy(tmp_path: Path) -> None:
    ran = standfast("positions", folder=tmp_path)

    assert (ran.code, ran.out) == (78, "")
    assert "standfast.toml: there is no such file. Write one with `standfast init`" in ran.err


def test_a_ledger_that_is_not_there_is_1_with_the_remedy(tmp_path: Path) -> None:
    config = write(tmp_path)
    (tmp_path / "standfast.db").unlink()

    ran = standfast("positions", "--config", config)

    assert (ran.code, ran.out) == (1, "")
    assert "there is no ledger yet; standfast guard makes it" in ran.err


def test_a_reader_that_goes_away_is_no_failure(tmp_path: Path) -> None:
    config = write(tmp_path)
    with subprocess.Popen(
        command("journal", "export", "--config", config),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()

        assert running.wait(timeout=240) == 0
        assert running.stderr.read() == b""


def test_a_bug_of_ours_is_told_whole_and_without_what_was_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(options: object) -> int:
        raise AssertionError("no such key: canary-of-the-crash")

    monkeypatch.setattr(secret, "_loaded", {})
    secret.remember("canary-of-the-crash")
    verb = cli._load("positions")
    monkeypatch.setattr(cli, "_load", lambda name: verb._replace(run=fail))

    assert cli.main(["positions", "--config", str(write(tmp_path))]) == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith("AssertionError: no such key: ***\n")
    assert "in fail" in said.err
