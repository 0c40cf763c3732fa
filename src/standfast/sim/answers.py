"""What becomes of an HTTP answer on its way back: lost or spoilt by plan, or given to who still waits for it."""

import asyncio

from standfast.brokers.shared.transport import Response, TransportError
from standfast.exchange.faults import HTML
from standfast.sim.effects import effect, effect_of
from standfast.sim.loop import Died, Process


class Spoilt(Exception):
    """Planned to fail: the answer's body, or the answer itself."""


def read(operation: str, response: Response) -> Response:
    """What the adapter gets to read; HTML instead, where it is planned not to be understood."""
    try:
        effect(f"answer {operation}", Spoilt)
    except Spoilt:
        return Response(200, {"content-type": "text/html"}, HTML.encode())
    return response


def is_lost(operation: str, process: Process | None) -> bool:
    """Whether the answer is lost by plan, or with who asked."""
    if process is None or not process.is_alive:
        return False
    try:
        effect_of(process, f"acted {operation}", Spoilt)
    except (Spoilt, Died):
        return True
    return False


def settle(answer: "asyncio.Future[Response]", response: Response | None) -> None:
    if answer.done():
        return
    if response is not None:
        answer.set_result(response)
    else:
        answer.set_exception(TransportError("the connection was reset"))
        answer.exception()  # seen: who asked may be dead
