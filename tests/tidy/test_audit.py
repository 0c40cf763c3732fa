"""`make audit` calls nothing clean that nobody looked at."""

import importlib.util
from types import ModuleType
from typing import Any

import pytest

from tests.tidy.sources import PROJECT
from tests.tidy.test_lock import REQUIREMENTS

LOCK = """\
aiohttp==3.14.5 \\
    --hash=sha256:00
    # via standfast
tzdata==2026.1 ; sys_platform == 'win32' \\
    --hash=sha256:01
"""
CLEAN = [{"name": "aiohttp", "version": "3.14.5", "vulns": []}, {"name": "tzdata", "version": "2026.1", "vulns": []}]
SKIPPED = [{"name": each["name"], "skip_reason": "Dependency not found"} for each in CLEAN]
WEAK = [{"name": "aiohttp", "version": "3.14.5", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.14.6"]}]}, CLEAN[1]]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", PROJECT / "requirements" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("reports", "weak", "unknown"),
    [
        ([CLEAN], [], []),
        ([SKIPPED, CLEAN], [], []),
        ([CLEAN, None], [], []),
        ([SKIPPED], [], ["aiohttp 3.14.5", "tzdata 2026.1"]),
        ([None, None], [], ["aiohttp 3.14.5", "tzdata 2026.1"]),
        ([], [], ["aiohttp 3.14.5", "tzdata 2026.1"]),
        ([CLEAN[:1]], [], ["tzdata 2026.1"]),
        ([[{**CLEAN[0], "version": "3.14.4"}, CLEAN[1]]], [], ["aiohttp 3.14.5"]),
        ([WEAK], ["aiohttp 3.14.5"], []),
        ([WEAK, CLEAN], ["aiohttp 3.14.5"], []),
    ],
)
def test_a_package_is_clean_only_where_a_service_knew_it(
    audit: ModuleType, reports: list[Any], weak: list[str], unknown: list[str]
) -> None:
    found = audit.judge(LOCK, [None if each is None else {"dependencies": each} for each in reports])

    assert (list(found.weak), found.unknown) == (weak, unknown)


def test_a_weakness_is_told_with_the_version_that_mends_it(audit: ModuleType) -> None:
    assert audit.judge(LOCK, [{"dependencies": WEAK}]).weak == {"aiohttp 3.14.5": ["PYSEC-1 (mended in 3.14.6)"]}


def test_every_package_of_our_lock_is_asked_about(audit: ModuleType) -> None:
    lock = (PROJECT / "requirements" / "all.txt").read_text(encoding="utf-8")
    pinned = {requirement.partition(" ")[0].replace("==", " ") for requirement in REQUIREMENTS}

    assert set(audit.judge(lock, []).unknown) == pinned
