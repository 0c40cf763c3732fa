"""What `import standfast` offers, and that it costs nothing before it is used."""

import subprocess
import sys

import pytest

import standfast
from tests.cli.running import environment

LOADED = "import standfast, sys; print(sorted(name for name in sys.modules if name.startswith('standfast')))"


def test_the_import_alone_loads_nothing() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], env=environment(), capture_output=True, text=True, check=True)

    assert ran.stdout == "['standfast']\n"


def test_every_name_it_offers_is_there() -> None:
    names = [name for home in standfast._HOMES.values() for name in home]

    assert len(names) == len(set(names)) > 20
    for name in names:
        assert getattr(standfast, name).__name__ == name
        assert name in dir(standfast)


def test_another_name_is_an_ordinary_mistake() -> None:
    with pytest.raises(AttributeError, match="module 'standfast' has no attribute 'conect'"):
        _ = standfast.conect  # type: ignore[attr-defined]  # what is tested
