"""How long a request is waited for, on a clock we move: a read is given up at its deadline, a write at its own."""

import asyncio
import random
from collections.abc import Mapping

import pytest

from standfast.brokers.shared.courier import Courier, Deadlines, Wanted
from standfast.brokers.shared.throttle import Throttle
from standfast.brokers.shared.transport import Exchange, Response, Socket, TransportError
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import BrokerError, OutcomeUnknown, Unreachable
from tests.brokers.clocks import ManualClock, settle

DEADLINES = Deadlines(answer_within=5.0)


class Line:
    """Takes requests and never answers, or refuses the first of them at once."""

    def __init__(self, *, refuses: int = 0) -> None:
        self.refuses = refuses
        self.taken = 0

    async def request(self, exchange: Exchange) -> Response:
        self.taken += 1
        if self.taken <= self.refuses:
            raise TransportError("connection refused")
        exchange.left = True
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        return await answer

    async def connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        raise TransportError("not used")

    async def close(self) -> None:
        """Nothing is open."""


class Post:
    """A courier on a clock and a line of ours."""

    def __init__(self, line: Line) -> None:
        self.clock, self.line = ManualClock(), line
        self.throttle = Throttle(self.clock, requests_per_minute=200, rate_share=1.0)
        self.courier = Courier(
            clock=self.clock, transport=line, draw=random.Random(1), deadlines=DEADLINES, judge=_unjudged
        )

    def read(self, within: float) -> "asyncio.Task[Response]":
        wanted = Wanted(url="https://broker/positions", headers={}, throttle=self.throttle, within=within)
        return asyncio.get_running_loop().create_task(self.courier.read(wanted))

    def write(self) -> "asyncio.Task[Response]":
        order = Exchange(method="POST", url="https://broker/orders", headers={}, body=b"{}")
        sending = self.courier.write(order, self.throttle, Turn(Urgency.OPEN), frozenset({200}))
        return asyncio.get_running_loop().create_task(sending)


def _unjudged(method: str, response: Response, retry_after: float | None) -> BrokerError:
    raise AssertionError("nothing was answered")


async def test_a_read_that_is_never_answered_is_given_up_at_its_deadline() -> None:
    post = Post(Line())
    reading = post.read(within=15.0)

    await post.clock.advance(14.9)
    assert not reading.done()
    await post.clock.advance(0.2)

    with pytest.raises(OutcomeUnknown, match="no answer within 15 s"):
        await reading
    assert post.line.taken == 1


async def test_a_read_that_fails_at_first_is_asked_again_and_keeps_its_deadline() -> None:
    post = Post(Line(refuses=1))
    reading = post.read(within=15.0)

    await post.clock.advance(14.9)
    assert (reading.done(), post.line.taken) == (False, 2)
    await post.clock.advance(0.2)

    with pytest.raises(OutcomeUnknown):
        await reading


async def test_a_read_that_fails_every_time_is_given_up_before_its_deadline() -> None:
    post = Post(Line(refuses=3))
    reading = post.read(within=15.0)

    await post.clock.advance(5.0)

    with pytest.raises(Unreachable, match="it was not sent"):
        await reading
    assert post.line.taken == 3


async def test_a_write_that_is_never_answered_is_given_up_in_time_and_sent_once() -> None:
    post = Post(Line())
    sending = post.write()

    await post.clock.advance(4.9)
    assert not sending.done()
    await post.clock.advance(0.2)
    await settle()

    with pytest.raises(OutcomeUnknown, match="no answer within 5 s"):
        await sending
    assert post.line.taken == 1
