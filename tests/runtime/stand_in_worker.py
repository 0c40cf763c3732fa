"""A worker as the parent sees one: it beats, ends, hangs, and reports what happened to it line by line into a FIFO.

`BEHAVIOURS` names one behaviour for each life, the last one for all that follow; `LIVES` is the file that counts them.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from standfast.runtime.heartbeat import Heartbeat, ParentGone, die_with

PERIOD = 0.05


def report(*words: object) -> None:
    line = " ".join(str(word) for word in words) + "\n"
    pipe = os.open(os.environ["REPORT"], os.O_WRONLY)
    os.write(pipe, line.encode())
    os.close(pipe)


def behaviour() -> str:
    lives = Path(os.environ["LIVES"])
    lived = len(lives.read_text()) if lives.exists() else 0
    lives.write_text("x" * (lived + 1))
    behaviours = os.environ["BEHAVIOURS"].split(",")
    return behaviours[min(lived, len(behaviours) - 1)]


async def beat_until_told(heart: Heartbeat, code: int) -> int:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(name: str) -> None:
        report("got", name)
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number.name)
    loop.add_signal_handler(signal.SIGHUP, lambda: report("got", "SIGHUP"))
    heart.ready()
    report("beating", os.getpid())
    while not told.is_set():
        heart.beat()
        await asyncio.sleep(PERIOD)
    return code


def hang_on_this_very_line() -> None:
    signal.pause()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", action="store_true")
    parser.add_argument("--heartbeat", type=int)
    parser.add_argument("--parent", type=int)
    parser.add_argument("--restarted", default="")
    told, rest = parser.parse_known_args()
    if not told.worker:
        return 2
    try:
        die_with(told.parent)
        heart = Heartbeat(told.heartbeat)
        report("started", os.getpid(), "|", told.restarted, "|", " ".join(rest))
        name, _, number = behaviour().partition(":")
        if name == "silent":
            hang_on_this_very_line()
        heart.beat()
        if name == "end":
            return int(number)
        if name == "kill":
            os.kill(os.getpid(), int(number))
        if name == "ending":
            heart.ending()
        if name in ("hang", "ending"):
            hang_on_this_very_line()
        return asyncio.run(beat_until_told(heart, int(number or 0)))
    except ParentGone:
        report("parent gone")
        return 1


if __name__ == "__main__":
    sys.exit(main())
