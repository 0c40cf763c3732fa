"""What must not be in any tracked file: this machine, a package registry, or a promise nobody keeps."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import PROJECT, files, numbered_lines

OURSELVES = Path(__file__).relative_to(PROJECT)

MACHINE_PATH = re.compile(r"(?<![\w.}~-])/(?:work|root|tmp|home|Users)/[\w.]|/opt/(?:wheels|pypi)")
REGISTRY = re.compile(
    r"pypi\.(?:org|python\.org)|pythonhosted\.|test\.pypi|registry\.npmjs|proxy\.golang|/simple/\w"
    r"|^\s*(?:--)?(?:extra-)?index-url|PIP_(?:EXTRA_)?INDEX_URL\s*[:?]?=|UV_(?:DEFAULT_)?INDEX(?:_URL)?\s*[:?]?=",
    re.IGNORECASE,
)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\s*\(?#\d+)")


def test_no_tracked_file_names_a_path_of_somebodys_machine() -> None:
    assert list(_found(MACHINE_PATH)) == []


def test_no_tracked_file_names_a_package_registry() -> None:
    assert list(_found(REGISTRY)) == []


def test_nothing_is_left_to_do_without_an_issue() -> None:
    assert list(_found(UNFINISHED)) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE_PATH, "reads /work/shared/data"),
        (MACHINE_PATH, '"/root/.cache"'),
        (MACHINE_PATH, "Path('/tmp/x')"),
        (MACHINE_PATH, "/home/ann/standfast"),
        (REGISTRY, "--extra-index-url https://packages.example/"),
        (REGISTRY, "see https://pypi.org/project/x"),
        (REGISTRY, "UV_INDEX_URL=https://packages.example"),
        (UNFINISHED, "# TODO: later"),
        (UNFINISHED, "# FIXME"),
    ],
)
def test_a_planted_line_would_be_found(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE_PATH, "StateDirectory is below /var/lib/standfast"),
        (MACHINE_PATH, "../shared/work/x"),
        (REGISTRY, "pip compile --no-emit-index-url"),
        (UNFINISHED, "# TODO(#12): the second venue"),
    ],
)
def test_an_innocent_line_would_not_be_found(pattern: re.Pattern[str], line: str) -> None:
    assert not pattern.search(line)


def _found(pattern: re.Pattern[str]) -> Iterator[str]:
    for path in files():
        if path == OURSELVES:
            continue  # the planted lines above
        for number, line in numbered_lines(path):
            if pattern.search(line):
                yield f"{path}:{number} {line.strip()[:120]}"
