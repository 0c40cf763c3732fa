"""Tell systemd how we are (sd_notify): ready, alive, stopping. Silent where nobody listens."""

import os


def notify(*lines: str) -> bool:
    """Send lines such as `READY=1`; whether anybody was told. Never raises: a deaf supervisor stops no guard."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    import socket  # half a megabyte that a parent outside systemd does not need

    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as plug:
            plug.sendto("\n".join(lines).encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
    except OSError:
        return False
    return True


def watchdog_seconds() -> float | None:
    """How long systemd waits between signs of life; None when it does not watch this process."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    if not limit.isdigit() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(limit) / 1_000_000
