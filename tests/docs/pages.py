"""The documentation as data: pages, their command lines, TOML blocks, links and tables."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent.parent
DOCS = PROJECT / "docs"
TOP = ("README.md", "ARCHITECTURE.md", "STYLE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")

FENCE = re.compile(r"^ *```(?P<kind>\w*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(?P<text>(?:sudo -u \w+ )?(?:/[\w/]+/)?standfast [^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)
CODE = re.compile(r"`(?P<text>[^`]+)`")


class Block(NamedTuple):
    page: Path
    kind: str
    text: str


def pages() -> list[Path]:
    """Every page a reader may open."""
    return [*(PROJECT / name for name in TOP), *sorted(DOCS.rglob("*.md"))]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def blocks(page: Path) -> Iterator[Block]:
    for found in FENCE.finditer(page.read_text(encoding="utf-8")):
        yield Block(page, found["kind"], found["text"])


def command_lines(page: Path) -> Iterator[list[str]]:
    """What follows `standfast` in every command line of a page, inline ones included."""
    texts = [found["text"] for found in INLINE.finditer(prose(page))]
    for block in blocks(page):
        if block.kind in ("console", "sh"):
            texts += [line.strip().removeprefix("$ ") for line in block.text.splitlines() if _is_typed(block, line)]
        elif block.kind == "":
            texts += [line.strip() for line in block.text.splitlines() if line.strip().startswith("standfast ")]
    for text in texts:
        words = _without_prefix(shlex.split(text, comments=True))
        if words and (words[0] == "standfast" or words[0].endswith("/bin/standfast")):
            yield _until_pipe(words[1:])


def _without_prefix(words: list[str]) -> list[str]:
    """Without what may stand before a program: settings of the environment, another user."""
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    return words[3:] if words[:2] == ["sudo", "-u"] else words


def _is_typed(block: Block, line: str) -> bool:
    """In a console block only what follows the prompt was typed; the rest is what came back."""
    return line.strip().startswith("$ ") if block.kind == "console" else True


def _until_pipe(words: list[str]) -> list[str]:
    for mark in ("|", "&&", "&", ">", "2>"):
        if mark in words:
            words = words[: words.index(mark)]
    return words


def rows(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Each row of each table: the heading it stands under, and its cells."""
    heading = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if found := HEADING.match(line):
            heading = found["title"]
        elif line.startswith("| ") and not line.startswith("| ---"):
            yield heading, [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def names_in(text: str) -> list[str]:
    """Every word set as code."""
    return [found["text"] for found in CODE.finditer(text)]


def anchors(page: Path) -> set[str]:
    """The fragments a link into this page may name, as code hosts make them from headings."""
    titles = [found["title"] for found in HEADING.finditer(prose(page))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
