"""The library for bots with an event loop of their own: the same verbs, awaited. A look takes a thread for a moment.

A wait that is cancelled takes back nothing: what was asked stands. Asked again under its id it has the same answer.
"""

import asyncio
from collections.abc import Awaitable, Sequence

from standfast.client.client import PROOF_WITHIN, Answered
from standfast.client.results import Order, Position, Proof
from standfast.client.values import duration
from standfast.client.verbs import PATIENCE, Verbs
from standfast.client.waiting import run_beside
from standfast.desk.acts import Act
from standfast.model.ids import PositionId, RequestId


class AsyncAnswer(Answered):
    """An answer, and the way to its proof."""

    __slots__ = ()

    async def wait(self, timeout: float = PROOF_WITHIN) -> Proof:
        """As `Answer.wait`."""
        self._refuse()
        within = duration("timeout", timeout)
        return await run_beside(self._line.prove(RequestId(self.request), self._about, within=within))


class AsyncClient(Verbs[Awaitable[AsyncAnswer]]):
    """As `Client`; every verb and every read is awaited."""

    async def is_guarded(self) -> bool:
        return await asyncio.to_thread(self._line.is_guarded)

    async def positions(self, *, closed_too: bool = False, unguarded_too: bool = False) -> Sequence[Position]:
        return await asyncio.to_thread(self._line.positions, closed_too=closed_too, unguarded_too=unguarded_too)

    async def position(self, id: str, *, unguarded_too: bool = False) -> Position | None:
        found = await self.positions(closed_too=True, unguarded_too=unguarded_too)
        return next((each for each in found if each.id == id), None)

    async def orders(self, *, finished_too: bool = False, unguarded_too: bool = False) -> Sequence[Order]:
        return await asyncio.to_thread(self._line.orders, finished_too=finished_too, unguarded_too=unguarded_too)

    async def _ask(self, act: Act, request: RequestId, position: PositionId | None, id: str | None) -> AsyncAnswer:
        said = await run_beside(self._line.ask(act, request, patience=self._patience))
        return AsyncAnswer(
            account=self.account,
            verb=act.verb,
            request=request,
            id=id,
            position_id=position,
            accepted=said.accepted,
            reasons=said.reasons,
            _line=self._line,
        )


def connect_async(
    config: str = "standfast.toml",
    account: str | None = None,
    *,
    by: str = "",
    strategy: str = "",
    patience: float = PATIENCE,
) -> AsyncClient:
    """As `connect`, for a bot with an event loop. Itself it is not awaited."""
    return AsyncClient(config, account, by=by, strategy=strategy, patience=patience)
