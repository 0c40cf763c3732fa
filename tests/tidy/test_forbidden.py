"""What no line of the program does: run text as code, read what can run code, call a shell, trust any certificate.

ruff's S rules find most of it; what must never be excused by a comment is named here once more.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import PACKAGE, imported_names, modules, text, tree

MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "jsonpickle",
    "joblib",
    "marshal",
    "shelve",
    "telnetlib",
    "ftplib",
    "xmlrpc",
    "pty",
}
"""Reading what was written with one of the first seven runs what is in it."""
BUILT_IN = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
CALLS = {
    "os.system", "os.popen", "os.execv", "os.execve", "os.execvp", "os.spawnv", "os.fork", "os.forkpty",
    "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell",
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "tempfile.mktemp", "ssl._create_unverified_context",
    "ssl.create_default_context", "ssl.SSLContext", "logging.config.dictConfig", "logging.config.listen",
}  # fmt: skip
"""A TLS context of our own is among them: the library's default checks name and chain, and one of ours might not."""
ARGUMENTS = {
    "shell": True,
    "ssl": False,
    "verify": False,
    "verify_ssl": False,
    "check_hostname": False,
    "allow_redirects": True,
    "trust_env": True,
}
NAMES = {"CERT_NONE", "CERT_OPTIONAL", "OP_LEGACY_SERVER_CONNECT"}


def forbidden(path: Path, module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in BUILT_IN:
                yield f"{path}:{node.lineno} {name}()"
            case ast.Call(func=ast.Attribute() as called) if ast.unparse(called) in CALLS:
                yield f"{path}:{node.lineno} {ast.unparse(called)}()"
            case ast.keyword(arg=str(name), value=ast.Constant(value=bool(value))) if ARGUMENTS.get(name) is value:
                yield f"{path}:{node.value.lineno} {name}={value}"
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in NAMES:
                yield f"{path}:{node.lineno} {name}"
            case _:
                pass  # nothing of the kind


def test_nothing_runs_text_as_code_calls_a_shell_or_trusts_any_certificate() -> None:
    assert [found for path in modules(under=PACKAGE) for found in forbidden(path, tree(path))] == []


def test_nothing_that_is_read_can_run_code() -> None:
    assert [
        f"{path}:{line} {name}"
        for path in modules(under=PACKAGE)
        for line, name in imported_names(path)
        if name.partition(".")[0] in MODULES
    ] == []


@pytest.mark.parametrize(
    "line",
    [
        "eval('1')",
        "exec(text)",
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
        "yaml.load(text)",
        "session.get(url, ssl=False)",
        "session.get(url, allow_redirects=True)",
        "requests.get(url, verify=False)",
        "context.verify_mode = ssl.CERT_NONE",
        "ssl._create_unverified_context()",
        "aiohttp.ClientSession(trust_env=True)",
    ],
)
def test_a_planted_line_would_be_found(line: str) -> None:
    assert list(forbidden(Path("planted.py"), ast.parse(line))) != []


@pytest.mark.parametrize(
    "line", ["re.compile(text)", "model.evaluate()", "session.get(url, ssl=True)", "subprocess.run(['ls'])"]
)
def test_an_innocent_line_would_not_be_found(line: str) -> None:
    assert list(forbidden(Path("planted.py"), ast.parse(line))) == []


def test_every_session_of_the_http_library_has_its_bounds() -> None:
    """Made anywhere else, one would come without them: redirects, proxies, sizes and times (`transport.py`)."""
    sessions = [str(path) for path in modules(under=PACKAGE) if "ClientSession(" in text(path)]

    assert sessions == ["src/standfast/brokers/shared/transport.py", "src/standfast/drills/over_wire.py"]
