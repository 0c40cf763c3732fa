"""A disk that fails: `failing_disk.c` compiled, and the environment in which a process meets it.

SQLite as apsw bundles it asks for fdatasync, pwrite64, write and ftruncate64 by the C library's names, so a preloaded
library hears every one of them.
"""

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("failing_disk.c")


@cache
def library() -> Path:
    """Compiled once for all tests of this process. Skips them where nothing can compile it."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here: what a failing disk does is not tested")
    folder = Path(tempfile.mkdtemp(prefix="failing-disk-"))
    atexit.register(shutil.rmtree, folder)
    made, options = folder / "failing_disk.so", ("-shared", "-fPIC", "-O1", "-Wall", "-Werror")
    subprocess.run([compiler, *options, "-o", str(made), str(SOURCE), "-ldl"], check=True, timeout=240)
    return made


class FailingDisk:
    """One library and its switch. Nothing fails before `begin`."""

    def __init__(self, folder: Path) -> None:
        self._library = library()
        self._switch, self._told = folder / "disk-fails", folder / "disk-failed"

    def environment(
        self, call: str, how: str, *, file: str, nth: int = 1, always: bool = False, unless: Path | None = None
    ) -> dict[str, str]:
        """What a process is started with to meet it."""
        found = {
            "LD_PRELOAD": str(self._library),
            "FAIL_CALL": call,
            "FAIL_HOW": how,
            "FAIL_FILE": file,
            "FAIL_NTH": str(nth),
            "FAIL_ALWAYS": str(int(always)),
            "FAIL_AFTER": str(self._switch),
            "FAIL_TOLD": str(self._told),
        }
        return found | ({"FAIL_UNLESS": str(unless)} if unless is not None else {})

    def begin(self) -> None:
        self._switch.touch()

    def end(self) -> None:
        self._switch.unlink(missing_ok=True)

    @property
    def failures(self) -> int:
        return self._told.stat().st_size if self._told.exists() else 0
