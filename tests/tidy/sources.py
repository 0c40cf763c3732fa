"""The files of the project, as the tidiness tests read them: tracked ones, and new ones git would track."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = Path("src/standfast")


@cache
def files() -> tuple[Path, ...]:
    """Every file under version control or about to be, relative to the project, in a fixed order."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = tuple(sorted({Path(name) for name in listing.split("\0") if name and (PROJECT / name).is_file()}))
    assert PACKAGE / "__main__.py" in found, "git lists another tree than this one"
    return found


def modules(*, under: Path = Path()) -> tuple[Path, ...]:
    """Every Python file below `under`."""
    return tuple(path for path in files() if path.suffix == ".py" and path.is_relative_to(under))


@cache
def text(path: Path) -> str:
    """The text of a file, or nothing when it is not UTF-8: pictures and databases have no lines to judge."""
    try:
        return (PROJECT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their number, counted from one."""
    return enumerate(text(path).splitlines(), start=1)


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text(path), filename=str(path))


def imported_names(path: Path) -> Iterator[tuple[int, str]]:
    """Every dotted module name a file imports, wherever the import stands, with its line."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in names)
            case _:
                pass  # not an import
