"""A real PostgreSQL server of the machine's own packages, started for a test and ended with it."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


def _program(name: str) -> str | None:
    places = [str(each) for each in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")]))


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Its address. It refuses to run as root: then it is run as `nobody`. Skips, aloud, where there is none."""
    initdb, postgres = _program("initdb"), _program("postgres")
    if initdb is None or postgres is None:
        pytest.skip("NOT TESTED: no PostgreSQL server here; apt-get install postgresql")
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        for parent in folder.parents[:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", str(data), "-U", "bot", "-A", "trust", "-N"], check=True, capture_output=True, cwd="/", **as_user
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen(
        [postgres, "-D", str(data), "-p", str(port), "-k", str(folder), "-h", "127.0.0.1", "-c", "fsync=off"],
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        **as_user,
    )
    try:
        assert running.stderr is not None
        for line in running.stderr:
            if "ready to accept connections" in line:
                break
        else:
            pytest.fail("the server did not start")
        yield f"postgresql://bot@127.0.0.1:{port}/postgres"
    finally:
        running.terminate()
        running.communicate()
