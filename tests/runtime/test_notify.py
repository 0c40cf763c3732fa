"""What systemd is told, and that nothing happens where there is no systemd."""

import os
import socket
from pathlib import Path

import pytest

from standfast.runtime.notify import notify, watchdog_seconds


def test_lines_arrive_as_one_datagram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        assert notify("READY=1", "STATUS=guarding")
        assert ear.recv(100) == b"READY=1\nSTATUS=guarding"


def test_an_abstract_socket_is_heard_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0standfast-{os.getpid()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@standfast-{os.getpid()}")

        assert notify("WATCHDOG=1")
        assert ear.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "relative", "/nobody/listens/here"])
def test_where_nobody_listens_nothing_is_said_and_nothing_raised(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    assert not notify("READY=1")


@pytest.mark.parametrize(
    ("limit", "process", "seconds"),
    [("30000000", "", 30.0), ("30000000", "1", None), ("", "", None), ("soon", "", None)],
)
def test_the_watchdogs_limit_is_ours_only(
    limit: str, process: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", limit)
    monkeypatch.setenv("WATCHDOG_PID", process or str(os.getpid()))

    assert watchdog_seconds() == seconds
