"""The shape of our Python files, as far as ruff, mypy and import-linter cannot judge it (STYLE.md)."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.sources import PACKAGE, PROJECT, imported_names, modules, numbered_lines, text, tree

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "service", "misc"}
PURE_ROOMS = ("model", "core")

EXCEPTION = re.compile(r"#\s*(?:noqa|type:\s*ignore)(?P<codes>:\s*[A-Z][A-Z0-9, ]*|\[[a-z0-9, -]+\])?(?P<rest>.*)$")


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {str(path): len(text(path).splitlines()) for path in modules()}

    assert {path: lines for path, lines in lengths.items() if lines > MODULE_LINES_MAX} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    assert [found for path in modules() for found in _long_functions(path, tree(path))] == []


def test_a_long_function_would_be_found() -> None:
    body = "\n".join(["    pass"] * FUNCTION_LINES_MAX)

    assert list(_long_functions(Path("planted.py"), ast.parse(f"async def planted():\n{body}"))) == [
        f"planted.py:1 planted: {FUNCTION_LINES_MAX + 1} lines"
    ]


def test_every_module_has_a_name_that_says_something() -> None:
    assert [str(path) for path in modules() if NAMELESS & {path.stem, *path.parent.parts}] == []


def test_there_is_no_empty_room() -> None:
    rooms = {path.parent for path in modules(under=PACKAGE) if path.name == "__init__.py" and not tree(path).body}
    lived_in = {parent for path in modules(under=PACKAGE) if path.name != "__init__.py" for parent in path.parents}

    assert sorted(map(str, rooms - lived_in)) == []


def test_every_directory_with_modules_is_a_package() -> None:
    homes = {path.parent for path in modules(under=PACKAGE)}

    assert sorted(str(home) for home in homes if not (PROJECT / home / "__init__.py").is_file()) == []


def test_every_module_of_ours_opens_with_its_theory() -> None:
    bare = [path for path in modules(under=PACKAGE) if text(path).strip() and not ast.get_docstring(tree(path))]

    assert [str(path) for path in bare] == []


def test_model_and_core_use_the_standard_library_only() -> None:
    allowed = sys.stdlib_module_names | {"standfast"}

    assert [
        f"{path}:{line} {name}"
        for room in PURE_ROOMS
        for path in modules(under=PACKAGE / room)
        for line, name in imported_names(path)
        if name.partition(".")[0] not in allowed
    ] == []


def test_the_exchange_imports_nothing_of_the_guard() -> None:
    assert [
        f"{path}:{line} {name}"
        for path in modules(under=PACKAGE / "exchange")
        for line, name in imported_names(path)
        if name.startswith("standfast.") and not name.startswith("standfast.exchange")
    ] == []


def test_no_test_sleeps() -> None:
    """Under virtual time (`tests/sim`) a sleep takes no time: there it is what is tested."""
    real = (path for path in modules(under=Path("tests")) if path.parts[:2] != ("tests", "sim"))
    assert [found for path in real for found in _sleeps(path, tree(path))] == []


def test_a_sleep_would_be_found() -> None:
    planted = ast.parse("import asyncio, time\ntime.sleep(0)\nasyncio.sleep(0)\nasyncio.sleep(0.1)\n")

    assert list(_sleeps(Path("planted.py"), planted)) == ["planted.py:2 time.sleep", "planted.py:4 asyncio.sleep"]


def test_every_exception_to_a_rule_carries_its_code_and_its_reason() -> None:
    assert [
        f"{path}:{number}"
        for path in modules()
        if path != Path(__file__).relative_to(PROJECT)
        for number, line in numbered_lines(path)
        if _is_unexplained(line)
    ] == []


def test_an_unexplained_exception_would_be_found() -> None:
    assert _is_unexplained("x = 1  # noqa")
    assert _is_unexplained("x = 1  # noqa: E501")
    assert _is_unexplained("x = 1  # type: ignore[arg-type]")
    assert not _is_unexplained("x = 1  # noqa: E501  # the address cannot be broken")
    assert not _is_unexplained("x = 1  # the address cannot be broken  # noqa: E501")
    assert not _is_unexplained("x = 1  # type: ignore[arg-type]  # alpaca-py types it too narrowly")


def _long_functions(path: Path, module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        assert node.end_lineno is not None
        lines = node.end_lineno - node.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            yield f"{path}:{node.lineno} {node.name}: {lines} lines"


def _sleeps(path: Path, module: ast.Module) -> Iterator[str]:
    """Calls that wait for time to pass. `asyncio.sleep(0)` gives way to other tasks and waits for nothing."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="time"), attr="sleep")):
                yield f"{path}:{node.lineno} time.sleep"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr="sleep"), args=[ast.Constant(value=0)]):
                pass  # a turn of the loop
            case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr="sleep"), args=[ast.Constant()]):
                yield f"{path}:{node.lineno} asyncio.sleep"
            case _:
                pass  # no call of a sleep


def _is_unexplained(line: str) -> bool:
    found = EXCEPTION.search(line)
    if found is None:
        return False
    before = line[: found.start()].partition("  #")[2].strip()
    return not found["codes"] or not (before or found["rest"].strip(" #"))
