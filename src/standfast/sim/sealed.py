"""A run's walls: what would make it depend on anything but its seed raises, and garbage waits until it is over.

What is logged meanwhile goes to nobody but the run itself (`loud`).
"""

import gc
import os
import socket
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import structlog

from standfast.sim import loud


class Escape(AssertionError):
    """The simulated program reached for the real world."""


WAYS_OUT: tuple[tuple[Any, str], ...] = (
    (threading.Thread, "start"),
    (socket.socket, "__init__"),
    (socket, "getaddrinfo"),
    (os, "urandom"),
    (uuid, "uuid4"),
)


@contextmanager
def uncollected() -> Iterator[None]:
    """What is made in between is looked through for garbage once, when it is over."""
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_collecting:
            gc.enable()


@contextmanager
def sealed() -> Iterator[None]:
    """Not to be nested: a run in a run would share its walls."""
    kept = [(owner, name, getattr(owner, name)) for owner, name in WAYS_OUT]
    logs = structlog.get_config()
    gc.collect(1)  # what is left of the run before: nobody holds it any more
    loud.configure()
    for owner, name in WAYS_OUT:
        setattr(owner, name, _wall(f"{owner.__name__}.{name}"))
    try:
        with uncollected(), warnings.catch_warnings():
            # What was about to start when its process died or its group was cancelled never will.
            warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
            yield
    finally:
        for owner, name, original in kept:
            setattr(owner, name, original)
        structlog.configure(**logs)


def _wall(what: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_rest: object) -> NoReturn:
        raise Escape(f"{what} in a simulated run")

    return refuse
