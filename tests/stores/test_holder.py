"""A holder counts as dead only when it is known to be."""

import os
import socket
import subprocess
import sys

import pytest

from standfast.stores.holder import describe_holder, holder_is_alive, spoken

HOST, PID, START = describe_holder().split("/")


def test_this_process_is_alive() -> None:
    assert int(PID) == os.getpid()
    assert holder_is_alive(describe_holder())


def test_a_process_that_has_ended_is_dead_even_before_its_parent_has_noticed() -> None:
    code = "from standfast.stores.holder import describe_holder; print(describe_holder(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        holder = process.stdout.readline().strip()
        assert holder_is_alive(holder)
        process.kill()
        process.stdout.read()  # ends with the process, which is a zombie from then on
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not holder_is_alive(holder)
        process.wait()
        assert not holder_is_alive(holder)


def test_a_later_process_of_the_same_number_is_not_the_holder() -> None:
    assert not holder_is_alive(f"{HOST}/{PID}/{int(START) - 1}")


def test_a_process_of_an_earlier_boot_is_dead() -> None:
    name, _, namespace = HOST.split("+")

    assert not holder_is_alive(f"{name}+00000000+{namespace}/{PID}/{START}")


@pytest.mark.parametrize(
    "holder",
    [
        "",
        "guard-1",
        "elsewhere+0+0/1/1",
        f"{socket.gethostname()}/x/y",
        f"{HOST}/99999999999999999999/5",
        f"{HOST.rpartition('+')[0]}+1/{PID}/1",
    ],
)
def test_what_cannot_be_judged_counts_as_alive(holder: str) -> None:
    assert holder_is_alive(holder)


@pytest.mark.parametrize(
    ("holder", "words"), [("vm+8ea0+4026/7625/346", "process 7625 on vm"), ("guard-1", "guard-1"), ("vm/x/y", "vm/x/y")]
)
def test_a_holder_is_named_so_that_it_can_be_found(holder: str, words: str) -> None:
    assert spoken(holder) == words
