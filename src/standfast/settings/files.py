"""Reading a file that somebody named: never for ever, never without end, and judged as it was opened."""

import errno
import os
import stat
from pathlib import Path


def read_regular(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """The first `most` bytes and what was opened, which a name may not mean any more. Raises OSError.

    A pipe nobody writes to would be waited on for ever, and a device never ends: only a regular file is read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(descriptor, "rb") as opened:  # of a descriptor, not of a path
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return opened.read(most), found
