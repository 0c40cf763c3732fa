"""Small recordings of our own in LEAN's form."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path


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
