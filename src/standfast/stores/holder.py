"""Who holds a lease, and whether it still runs: HOST/PID/START; START tells a process from a later one of its pid.

All holders of a local file run on one kernel at a time. A holder is dead when its boot is over, or when no
process of its pid (and start) is left in its own process namespace. Where we cannot see that, it is alive
until its lease has run out: the safe side.
"""

import os
from pathlib import Path


def describe_holder() -> str:
    """This process, as text for a lease."""
    return f"{os.uname().nodename}+{_boot()}+{_namespace()}/{os.getpid()}/{_start(os.getpid()) or 0}"


def spoken(holder: str) -> str:
    """A holder in words for whoever has to find it; any text of another form as it is."""
    host, _, process = holder.partition("/")
    pid, _, start = process.partition("/")
    if not pid.isdecimal() or not start.isdecimal():
        return holder
    return f"process {pid} on {host.partition('+')[0]}"


def holder_is_alive(holder: str) -> bool:
    """False only for a holder that is known to be gone; any text of another form counts as alive."""
    host, _, process = holder.partition("/")
    pid, _, start = process.partition("/")
    name, _, origin = host.partition("+")
    if name != os.uname().nodename or not pid.isdecimal() or not start.isdecimal():
        return True
    boot, _, namespace = origin.partition("+")
    if boot and _boot() and boot != _boot():
        return False
    if namespace != _namespace():
        return True
    return _runs(int(pid), int(start))


def _runs(pid: int, start: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OverflowError:
        return True  # no pid of ours
    except PermissionError:
        pass  # it runs, as another user
    now = _start(pid)
    return start == 0 or now is None or now == start


def _start(pid: int) -> int | None:
    """Clock ticks after boot at which the process began; None where the system does not say. A zombie has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return -1 if fields[0] in {"Z", "X"} else int(fields[19])


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return ""
