"""The lock names what to install, exactly, and nothing about where it comes from."""

import re
import tomllib
from itertools import chain

from tests.tidy.sources import PROJECT

LOCK = (PROJECT / "requirements" / "all.txt").read_text(encoding="utf-8")
REQUIREMENTS = [
    " ".join(line.rstrip("\\").strip() for line in block.splitlines() if not line.lstrip().startswith("#"))
    for block in re.split(r"\n(?=\S)", LOCK)
    if block.strip() and not block.startswith("#")
]
PINNED = re.compile(r"(?P<name>[a-z0-9-]+)==\S+(?: ; [^#]+?)?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)")


def test_every_locked_package_is_pinned_and_carries_hashes() -> None:
    assert len(REQUIREMENTS) > 30
    assert [requirement[:60] for requirement in REQUIREMENTS if not PINNED.fullmatch(requirement)] == []


def test_the_lock_carries_no_address() -> None:
    assert [line for line in LOCK.splitlines() if "://" in line or " @ " in line or line.startswith("-")] == []


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        _name(requirement)
        for requirement in chain(project["dependencies"], *project["optional-dependencies"].values())
        if not requirement.startswith("standfast")
    }
    locked = {found["name"] for requirement in REQUIREMENTS if (found := PINNED.fullmatch(requirement))}

    assert sorted(wanted - locked) == []


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()
