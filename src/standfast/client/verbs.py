"""What a bot may ask of its guard. Each verb is here once, for bots with an event loop and for those without."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Generic, TypeVar

from standfast.client.answers import Answered
from standfast.client.line import Line, account_of, request_of
from standfast.client.results import Position
from standfast.client.values import Number, above_zero, duration, exact, name_of, number, share
from standfast.client.waiting import Steps
from standfast.desk import acts, asking, documents, ledger
from standfast.desk.acts import Act, Wanted
from standfast.model.errors import Misasked
from standfast.model.ids import PositionId, RequestId, digest, position_id

Asked = TypeVar("Asked")
Kind = TypeVar("Kind", bound=Answered)

GOOD_FOR = 30.0
"""Seconds within which a guard has to take an act; as long as an opening may wait for its order to leave."""
PATIENCE = 10.0
"""Seconds for a guard that was killed to be back. Its parent starts it again within two."""


class Verbs(ABC, Generic[Asked]):
    """Acts of one account. `Asked` is an answer, or what one awaits for it.

    Every verb returns once the guard has said yes or no; `wait` of the answer then returns the proof. Raises Misasked
    for what cannot be meant, NoGuard where nobody guards the account, Unanswered where no guard takes it in time,
    AskedOtherwise where the id stands for another act, JournalUnavailable where the ledger cannot be used.
    """

    def __init__(
        self,
        config: str,
        account: str | None,
        *,
        by: str,
        strategy: str,
        patience: float | None,
        good_for: float | None,
    ) -> None:
        path = os.path.abspath(config)
        self._line = Line(path, account_of(path, account), by=name_of("by", by) if by else asking.who())
        self._strategy = name_of("strategy", strategy) if strategy else ""
        self._patience = duration("patience", PATIENCE if patience is None else patience)
        self._good_for = duration("good_for", GOOD_FOR if good_for is None else good_for)
        self._asked = count()

    @property
    def account(self) -> str:
        return self._line.account

    def open(  # noqa: PLR0913 - what an opening is made of, each by its name
        self,
        instrument: str,
        quantity: Number,
        *,
        id: str,
        stop: Number | None = None,
        stop_loss: str | None = None,
        target: Number | None = None,
        limit: Number | None = None,
        strategy: str | None = None,
        good_for: float | timedelta | None = None,
    ) -> Asked:
        """Ask for a position in one instrument; a guard judges it by its limits, session, freezes and the broker.

        `instrument`: `AAPL`, `SPXW260204P06885000`, `BTC/USDT:USDT`; of a hedged account with its side,
        `BTC/USDT:USDT:long`. `quantity`: shares, contracts or coins; negative sells short. `id`: your name for this
        opening and no other; asked again it is the same opening, whose answer never changes, a refusal included.
        `stop`, `target`: prices, the policy's where none is given. `stop_loss`, in place of `stop`: a share of the
        entry, `"2%"`. `limit`: limit price; without one at the market. `strategy`: whose position it is; policies match
        on it. `good_for`: seconds within which a guard has to take it.
        """
        signed = exact("quantity", quantity)
        if signed == 0:
            raise Misasked(f"quantity={quantity!r}: opens nothing")
        wanted = self._wanted(id, stop, stop_loss, target, strategy, good_for)
        at = above_zero("limit", limit)
        act = acts.opening(self._line.account, _named(instrument), signed, wanted, limit=at)
        return self._open(act, id)

    def open_spread(  # noqa: PLR0913 - what an opening is made of, each by its name
        self,
        legs: Mapping[str, int],
        *,
        id: str,
        units: int = 1,
        credit: Number | None = None,
        debit: Number | None = None,
        stop: Number | None = None,
        stop_loss: str | None = None,
        target: Number | None = None,
        strategy: str | None = None,
        good_for: float | timedelta | None = None,
    ) -> Asked:
        """Ask for several contracts as one position.

        `legs`: each contract with how many of it make a unit, negative sold: `{"SPXW210106P03800000": -1,
        "SPXW210106P03700000": 1}`. `credit`: what a unit shall bring at least, in points; `debit`: what it may cost at
        most; neither: at the market. `stop`, `target`: what closing a unit brings, negative for what it costs
        (`-5.55`); `stop_loss`: a share of the credit or debit. The rest as in `open`.
        """
        if not isinstance(legs, Mapping):
            raise Misasked(f"legs={legs!r}: give each contract with its ratio, as a dict")
        ratios = {_named(name): exact(f"legs[{name!r}]", ratio) for name, ratio in legs.items()}
        if not 2 <= len(ratios) == len(legs) or not all(ratio and ratio == int(ratio) for ratio in ratios.values()):
            raise Misasked(f"legs={legs!r}: give two or more contracts, each with a whole number that is not zero")
        wanted = self._wanted(id, stop, stop_loss, target, strategy, good_for)
        written = " ".join(f"{name}:{int(ratio):+d}" for name, ratio in sorted(ratios.items()))
        net = acts.net_of(above_zero("credit", credit), above_zero("debit", debit))
        whole = above_zero("units", units)
        assert whole is not None
        act = acts.opening_of_legs(self._line.account, written, whole, wanted, net=net)
        return self._open(act, id)

    def close(
        self, position: str | Position, quantity: Number | None = None, *, reason: str = "", id: str | None = None
    ) -> Asked:
        """Close a position, or so much of it; of a spread the quantity counts units. Proven by its closing fills.

        An opening that has not filled is withdrawn. A quantity above what is held is refused; what is being closed
        already, too. `id`: as in `open`: with one, closing a part of it again by mistake is the same close.
        """
        of = self._id_of(position)
        act = acts.closing(self._line.account, of, quantity=above_zero("quantity", quantity), reason=reason)
        return self._act(act, id, of)

    def protect(
        self,
        position: str | Position,
        *,
        stop: Number | None = None,
        target: Number | None = None,
        id: str | None = None,
    ) -> Asked:
        """Choose a stop, a target or both for one position, in place of its policy's; prices. One must be given.

        What is not given stays as it was chosen before. A price on the wrong side of the market is refused.
        """
        if stop is None and target is None:
            raise Misasked("protect: give a stop or a target; back to the policy's: protect_by_policy")
        of, chosen = self._id_of(position), (number("stop", stop), number("target", target))
        return self._act(acts.protecting(self._line.account, of, stop=chosen[0], target=chosen[1]), id, of)

    def protect_by_policy(self, position: str | Position, *, id: str | None = None) -> Asked:
        """Give stop and target of one position back to its policy, or to the share it was opened with."""
        of = self._id_of(position)
        return self._act(acts.protecting(self._line.account, of, stop=None, target=None), id, of)

    def leave_bare(self, position: str | Position, *, id: str | None = None) -> Asked:
        """Take all protection of one position away, on your word: nothing is kept around it until you say otherwise."""
        of = self._id_of(position)
        return self._act(acts.protecting(self._line.account, of, stop=None, target=None, bare=True), id, of)

    def freeze(self, instrument: str = "", *, reason: str = "", id: str | None = None) -> Asked:
        """No openings on the account, or on one instrument. Closing and protecting go on."""
        scope = _named(instrument) if instrument else ""
        return self._act(acts.freezing(self._line.account, "freeze", scope, reason), id)

    def thaw(self, instrument: str = "", *, id: str | None = None) -> Asked:
        """End a freeze. An instrument that is frozen by itself stays frozen when the account is thawed."""
        scope = _named(instrument) if instrument else ""
        return self._act(acts.freezing(self._line.account, "thaw", scope, ""), id)

    def flatten(self, *, everything: bool = False, id: str | None = None) -> Asked:
        """Cancel every entry order of the account, then close everything its books hold, of every strategy.

        `everything`: foreign quantity too.
        """
        return self._act(acts.flattening(self._line.account, everything=everything), id)

    # --- how --------------------------------------------------------------------------------------

    @abstractmethod
    def _ask(self, act: Act, request: RequestId, position: PositionId | None, id: str | None) -> Asked: ...

    def _answer(
        self, kind: type[Kind], act: Act, request: RequestId, position: PositionId | None, id: str | None
    ) -> Steps[Kind]:
        said = yield from self._line.ask(act, request, patience=self._patience)
        return kind(
            account=self.account,
            verb=act.verb,
            request=request,
            id=id,
            position_id=position,
            accepted=said.accepted,
            reasons=said.reasons,
            _line=self._line,
        )

    def _id_of(self, position: str | Position) -> str:
        """Whole: the start of an id, as the command line takes it, might be another position's tomorrow."""
        if not isinstance(position, Position):
            return name_of("position", position)
        if position.account != self.account:
            raise Misasked(f"position {position.id} is of account {position.account!r}, and this is {self.account!r}")
        return position.id

    def _wanted(
        self,
        id: str,
        stop: Number | None,
        stop_loss: str | None,
        target: Number | None,
        strategy: str | None,
        good_for: float | timedelta | None,
    ) -> Wanted:
        return Wanted(
            key=name_of("id", id),
            strategy=self._strategy if strategy is None else name_of("strategy", strategy),
            stop=number("stop", stop),
            stop_loss=share("stop_loss", stop_loss),
            target=number("target", target),
            until=self._until(good_for),
        )

    def _until(self, good_for: float | timedelta | None) -> datetime:
        seconds = self._good_for if good_for is None else duration("good_for", good_for)
        return ledger.now() + timedelta(seconds=seconds)

    def _open(self, act: Act, id: str) -> Asked:
        account = self._line.account
        return self._ask(act, request_of(account, act.verb, id), position_id(account, act.verb, id), id)

    def _act(self, act: Act, id: str | None, position: str | None = None) -> Asked:
        timed = Act(act.account, act.verb, {**act.arguments, "until": documents.time(self._until(None)) or ""})
        if id is None:  # an act of its own
            request = RequestId(digest("client", act.account, act.verb, ledger.now(), os.getpid(), next(self._asked)))
        else:
            request = request_of(act.account, act.verb, name_of("id", id))
        return self._ask(timed, request, PositionId(position) if position is not None else None, id)


def _named(instrument: str) -> str:
    return acts.instrument_named(name_of("instrument", instrument))
