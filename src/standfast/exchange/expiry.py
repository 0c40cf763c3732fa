"""How options end: expired, exercised, assigned, settled in cash; by the calendar, or early by somebody's decision.

Everything that may happen on a contract's last day happens after the close (or, where the class settles so, at the
opening): its orders end, it trades no more, and what is in the money by a cent is exercised and assigned, the rest
expires. Cash-settled contracts are paid at the settlement price; others turn into shares at the strike. That price is
the one an operator set, or what the underlying stands at by its quote or by its options' quotes.

Invariants: a settlement moves exactly the contracts held; no order is involved, so no fill is booked, only activities,
and the truth knows each by its kind.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from standfast.exchange.accounts import TrueFill
from standfast.exchange.activities import NEW_YORK, NonTradeActivity, activity_id
from standfast.exchange.admission_options import last_day
from standfast.exchange.assets import asset_of
from standfast.exchange.contracts import SMALLEST_GAIN, Contract
from standfast.exchange.floor import Floor
from standfast.exchange.lifecycle import Lifecycle
from standfast.exchange.orders import ZERO, Status, TimeInForce


@dataclass(frozen=True, slots=True)
class _Ending:
    """What becomes of a holding. `kind` is the truth's word, `row` the activity's type."""

    kind: str
    row: str
    price: Decimal = ZERO  # a contract is worth this much at its end


class Expiry:
    def __init__(self, floor: Floor, lifecycle: Lifecycle) -> None:
        self._floor = floor
        self._lifecycle = lifecycle
        self._announced: dict[tuple[str, date], Decimal] = {}

    def announce(self, underlying: str, day: date, price: Decimal) -> None:
        """Set the price at which that day's contracts settle."""
        self._announced[underlying, day] = price

    def level(self, underlying: str) -> Decimal | None:
        """What an underlying stands at: after the close, what its options of the day settle at."""
        floor = self._floor
        today = floor.now.astimezone(NEW_YORK).date()
        announced = None if floor.is_open else self._announced.get((underlying, today))
        return announced if announced is not None else floor.spot(underlying, today)

    # By the calendar

    def session_closes(self) -> None:
        """After the close: whatever traded for the last time ends."""
        floor = self._floor
        today = floor.now.astimezone(NEW_YORK).date()
        for contract in self._alive():
            if last_day(contract, floor) <= today:
                self._stop_trading(contract)
                if not contract.settles_at_open:
                    self._settle_later(contract)

    def session_opens(self) -> None:
        """At the opening: contracts that settle by it."""
        floor = self._floor
        today = floor.now.astimezone(NEW_YORK).date()
        for contract in [each for each in self._contracts() if each.settles_at_open and each.expiry == today]:
            self._stop_trading(contract)
            self._settle_later(contract)

    def _alive(self) -> list[Contract]:
        return [contract for contract in self._contracts() if contract.name not in self._floor.expired]

    def _contracts(self) -> list[Contract]:
        found = (asset.contract for _, asset in sorted(self._floor.assets.items()))
        return [contract for contract in found if contract is not None]

    def _stop_trading(self, contract: Contract) -> None:
        floor = self._floor
        floor.expired.add(contract.name)
        for order in floor.book.unfinished(contract.name):
            ends_by_itself = order.terms.time_in_force is TimeInForce.DAY
            if not ends_by_itself and not floor.book[order.id].is_finished:
                self._lifecycle.finish(floor.book[order.id], Status.EXPIRED)

    def _settle_later(self, contract: Contract) -> None:
        floor = self._floor
        if not any(account.net(contract.name) for account in floor.accounts.values()):
            return
        seen = floor.spot(contract.underlying, contract.expiry)

        def settle() -> None:
            self.settle(contract, self._announced.get((contract.underlying, contract.expiry), seen))

        if floor.rules.expiry_settles_after:
            floor.agenda.put(floor.now + floor.rules.expiry_settles_after, settle)
        else:
            settle()

    def settle(self, contract: Contract, spot: Decimal | None) -> None:
        """End every holding of a contract. Without any price it is worthless: nobody could have quoted it."""
        gain = ZERO if spot is None else contract.intrinsic(spot)
        for name in self._floor.accounts:
            net = self._floor.accounts[name].net(contract.name)
            if net and gain < SMALLEST_GAIN:
                self._end(name, contract, -net, _Ending("expiry", "OPEXP"))
            elif net and contract.is_cash_settled:
                self._end(name, contract, -net, _Ending("settlement", "OPCSH", gain))
            elif net:
                self._deliver(name, contract, net)

    # By decision

    def assign(self, account: str, instrument: str, quantity: Decimal | None) -> None:
        """Somebody exercises against a short holding. ValueError for what cannot be assigned."""
        net, contract = self._american(account, instrument)
        if net >= 0 or (quantity is not None and not 0 < quantity <= -net):
            raise ValueError(f"{account} is not short {quantity or 'any'} of {instrument}: it holds {net}")
        self._deliver(account, contract, -(quantity or -net))

    def exercise(self, account: str, instrument: str, quantity: Decimal | None) -> None:
        """The holder exercises. ValueError for what cannot be exercised."""
        net, contract = self._american(account, instrument)
        if net <= 0 or (quantity is not None and not 0 < quantity <= net):
            raise ValueError(f"{account} is not long {quantity or 'any'} of {instrument}: it holds {net}")
        self._deliver(account, contract, quantity or net)

    def _american(self, account: str, instrument: str) -> tuple[Decimal, Contract]:
        asset = self._floor.assets.get(instrument)
        if asset is None or asset.contract is None:
            raise ValueError(f"{instrument} is no option")
        if asset.contract.is_cash_settled:
            raise ValueError(f"{instrument} is European: nobody can exercise it before its last day")
        return self._floor.accounts[account].net(instrument), asset.contract

    # What it does to an account

    def _deliver(self, account: str, contract: Contract, net: Decimal) -> None:
        """Options end and shares move at the strike: for a long holder an exercise, for a short one an assignment."""
        floor = self._floor
        ending = _Ending("exercise", "OPEXC") if net > 0 else _Ending("assignment", "OPASN")
        self._end(account, contract, -net, ending)
        shares = net * contract.multiplier * (1 if contract.right == "call" else -1)
        if contract.underlying not in floor.assets:
            floor.list_asset(asset_of(contract.underlying))
        realised = floor.trade(account, contract.underlying, shares, contract.strike)
        self._book(account, contract.underlying, shares, contract.strike, realised, _Ending(ending.kind, "OPTRD"))

    def _end(self, account: str, contract: Contract, signed: Decimal, ending: _Ending) -> None:
        realised = self._floor.trade(account, contract.name, signed, ending.price)
        self._book(account, contract.name, signed, ending.price, realised, ending)
        self._cancel_what_has_nothing_left(account, contract.name)

    def _book(
        self, account: str, instrument: str, signed: Decimal, price: Decimal, realised: Decimal, ending: _Ending
    ) -> None:
        floor = self._floor
        multiplier = floor.assets[instrument].multiplier
        row = NonTradeActivity(
            id=activity_id(floor.now, floor.ids.uuid()),
            account=account,
            activity_type=ending.row,
            date=floor.now.astimezone(NEW_YORK).date(),
            at=floor.now,
            net_amount=ZERO - signed * price * multiplier,
            instrument=instrument,
            quantity=signed,
            price=price,
            description=ending.kind,
        )
        floor.log(row)
        floor.accounts[account].truth.fills.append(
            TrueFill(
                account=account,
                order_id="",
                execution_id=row.id,
                instrument=instrument,
                quantity=signed,
                price=price,
                realised=realised,
                at=floor.now,
                day=row.date,
                kind=ending.kind,
            )
        )
        floor.moved(account, instrument)

    def _cancel_what_has_nothing_left(self, account: str, instrument: str) -> None:
        """Exits of a holding that is gone end with it."""
        floor = self._floor
        if floor.accounts[account].net(instrument):
            return
        for order in floor.book.unfinished_of(account, instrument):
            if not floor.book[order.id].is_finished and not order.intent.opens:
                self._lifecycle.finish(floor.book[order.id], Status.CANCELED)
