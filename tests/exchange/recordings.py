"""Small recordings of our own in LEAN's form, and the real ones where they are."""

import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest


def shared_market() -> Path:
    """The folder of real quotes; skips the test aloud where it is absent."""
    root = Path(__file__).resolve().parents[2]
    market = root / os.environ.get("STANDFAST_SHARED", "../shared") / "data" / "market"
    if not market.is_dir():
        pytest.skip(f"real quotes are not here: {market} (set STANDFAST_SHARED)")
    return market


def write_zip(path: Path, **members: str) -> Path:
    """A zip whose members are named by keyword, `.csv` added."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.csv", text)
    return path


def utc(text: str) -> datetime:
    """`2013-10-07 13:30` or with seconds, as aware UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
