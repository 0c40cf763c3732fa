"""What the pages say against what the program does: command lines, names, links, generated pages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from standfast.cli.arguments import DEFAULT_CONFIG, Parser, parser_for
from standfast.cli.main import VERBS
from standfast.model.breaks import BreakKind
from standfast.model.journal import FACTS
from standfast.model.position import CloseReason
from tests.docs.pages import DOCS, PROJECT, Block, anchors, blocks, command_lines, names_in, pages, prose, rows

PLACES = {page: str(page.relative_to(PROJECT)) for page in pages()}
STAND_INS = {"ENTRY": "218", "VERB": "positions"}
"""Words in capitals stand for something of the reader's; these must be of a kind to be taken."""


def _lines() -> list[tuple[Path, list[str]]]:
    return [(page, words) for page in pages() for words in command_lines(page)]


# --- command lines ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "words"),
    [pytest.param(page, words, id=f"{PLACES[page]}: {' '.join(words)}") for page, words in _lines()],
)
def test_every_command_line_in_the_pages_is_one_the_parser_takes(
    page: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [STAND_INS.get(word, word) for word in words if not word.startswith("[")]
    if not words or words[0] in ("--help", "--version"):
        return
    name, rest = _verb_of(words)
    assert name in VERBS, f"{name} is no verb"
    if not rest and len(words) == 1 and _takes_more(name):
        return  # the verb is only named

    code, said = _parsed(name, rest, capsys)
    assert code == 0, said


def _parsed(name: str, rest: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """What the parser would end with: 0 where it takes the words, or shows its help."""
    try:
        _parser(name).parse_args(rest)
    except SystemExit as ended:
        return int(ended.code or 0), capsys.readouterr().err
    return 0, ""


def _verb_of(words: list[str]) -> tuple[str, list[str]]:
    both = " ".join(words[:2])
    return (both, words[2:]) if both in VERBS else (words[0], words[1:])


def _parser(name: str) -> Parser:
    from importlib import import_module

    verb = import_module(f"standfast.cli.{VERBS[name][0]}").VERBS[name]
    return parser_for(name, verb, config=DEFAULT_CONFIG, json=False)


def _takes_more(name: str) -> bool:
    usage = _parser(name).format_usage()
    return bool(re.search(r"(?<!\[)\b[A-Z]{2,}\b(?!\])", usage.replace("[--config FILE]", "")))


def test_a_planted_wrong_command_line_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Type `standfast close ID --everything` or\n\n```console\n$ standfast opne paper\n```\n", "utf-8")

    lines = list(command_lines(page))

    assert lines == [["close", "ID", "--everything"], ["opne", "paper"]]
    with pytest.raises(SystemExit):
        _parser("close").parse_args(lines[0][1:])


def test_every_verb_is_in_the_commands_reference() -> None:
    headings = re.findall(r"^### (.+)$", (DOCS / "reference" / "commands.md").read_text("utf-8"), re.MULTILINE)

    assert headings == list(VERBS)


# --- generated pages ----------------------------------------------------------------------------


def test_the_generated_pages_are_what_the_code_says() -> None:
    if sys.version_info[:2] != (3, 11):
        pytest.skip("argparse words its help a little differently in every Python; the pages are written under 3.11")
    script = PROJECT / "scripts" / "write_reference.py"

    ran = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")


# --- names --------------------------------------------------------------------------------------


def _first_cells(page: str, *, under: str = "") -> set[str]:
    found = rows(DOCS / page)
    return {name for heading, cells in found if heading.startswith(under) for name in names_in(cells[0])}


def test_every_fact_is_in_the_journal_reference_and_no_other() -> None:
    assert _first_cells("reference/journal.md") == set(FACTS)


def test_every_kind_of_break_is_in_the_reference_and_in_the_guide() -> None:
    kinds = {kind.value for kind in BreakKind}

    assert _first_cells("reference/json.md", under="A break") == kinds
    assert _first_cells("guides/when-it-alarms.md", under="Breaks") == kinds


def test_the_alarms_in_the_guide_are_worded_as_in_the_program() -> None:
    rooms = ("core", "runtime", "alerts")
    said = " ".join(
        file.read_text("utf-8") for room in rooms for file in (PROJECT / "src/standfast" / room).glob("*.py")
    )
    spoken = re.sub(r'"\s+f?"', "", said)  # texts that go on in the next line
    spoken = re.sub(r"\{[^{}]*\}", "...", spoken)
    quoted = [
        name
        for heading, cells in rows(DOCS / "guides/when-it-alarms.md")
        for name in names_in(cells[0])
        if heading == "Other alarms"
    ]

    assert len(quoted) >= 10
    pieces = [piece.strip() for each in quoted for piece in re.split(r"\.\.\.|\bN\b|\balert$", each)]
    assert [piece for piece in pieces if len(piece) > 2 and piece.strip("() ") not in spoken] == []


def test_every_close_reason_is_in_the_reference() -> None:
    assert _first_cells("reference/json.md", under="Close reasons") == {reason.value for reason in CloseReason}


def test_every_exit_code_of_a_verb_is_in_the_reference() -> None:
    from importlib import import_module

    codes = {"130"}
    for name, (module, _) in VERBS.items():
        codes |= set(re.findall(r"^(\d+) ", import_module(f"standfast.cli.{module}").VERBS[name].codes, re.MULTILINE))

    assert {cells[0] for _, cells in rows(DOCS / "reference" / "exit-codes.md")} - {"code"} == codes


def test_every_verb_that_prints_a_document_has_its_shape_in_the_reference() -> None:
    shaped = _first_cells("reference/json.md", under="JSON shapes")
    acts = {"open", "close", "protect", "flatten", "freeze", "thaw", "adopt", "ignore", "ack", "undo"}

    assert set(VERBS) - acts - {"guard", "demo"} == shaped - {"--json"}


def test_every_undoable_fact_and_no_other_is_in_the_guide() -> None:
    from standfast.core.undo import COUNTERS

    assert _first_cells("guides/keep-the-ledger.md", under="Undo") == {each.__name__ for each in COUNTERS}


# --- links --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [pytest.param(page, id=place) for page, place in PLACES.items()])
def test_every_link_leads_somewhere(page: Path) -> None:
    from tests.docs.pages import LINK

    lost = []
    for found in LINK.finditer(prose(page)):
        target, _, fragment = found["target"].partition("#")
        if "://" in target:
            continue
        there = (page.parent / target).resolve() if target else page
        if not there.exists() or (fragment and fragment not in anchors(there)):
            lost.append(found["target"])
    assert lost == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    from tests.docs.pages import LINK

    reached, waiting = set(), [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        waiting += [(page.parent / found["target"].partition("#")[0]).resolve() for found in LINK.finditer(prose(page))]

    assert {PLACES[page] for page in pages() if page not in reached} == set()


def test_every_path_of_the_project_that_a_page_names_exists() -> None:
    roots = ("src/", "tests/", "docs/", "packaging/", "scripts/", "examples/", "core/", "runtime/", "stores/", "cli/")
    lost = []
    for page in pages():
        for name in names_in(prose(page)):
            if name.startswith(roots) and re.fullmatch(r"[\w./-]+", name):
                homes = (PROJECT / name, PROJECT / "src" / "standfast" / name)
                lost += [] if any(home.exists() for home in homes) else [(PLACES[page], name)]
    assert lost == []


def test_blocks_say_what_they_are() -> None:
    known = {"console", "sh", "toml", "text", "json", "python", ""}
    odd: list[Block] = [block for page in pages() for block in blocks(page) if block.kind not in known]

    assert odd == []
