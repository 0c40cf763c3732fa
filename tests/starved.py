"""A process that has run out of file descriptors, as far as a test can be one."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

OPEN_ALREADY = 3


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Within: what is open stays open, and nothing more can be opened."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_ALREADY, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
