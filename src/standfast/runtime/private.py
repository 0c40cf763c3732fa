"""What a process does before it holds a secret: its memory is written to no disk and shown to no other process, and
what it writes is its user's alone.

Two locks, because each has a gap. A core limit of zero does not bind a program that the kernel pipes cores to
(core(5)). A process that is not dumpable writes no core at all, and its memory and the environment it was started with
can be read by root only; that one is Linux's alone, and it ends with an exec.
"""

import os
import resource
import sys

PR_SET_DUMPABLE = 4
"""Of <linux/prctl.h>."""


def keep_private() -> None:
    """Leave no core, let nobody but root look in, make no file for others. Does what the system offers."""
    os.umask(0o077)
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    if most != 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _forbid_dumps()


def _forbid_dumps() -> None:
    try:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return  # a C library without prctl: the limit is left
