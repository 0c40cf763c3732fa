"""Facts about orders: meant, sent, answered, seen."""

from dataclasses import dataclass

from standfast.model.ids import BrokerOrderId, ClientOrderId, Holding, PositionId
from standfast.model.order import OrderReport, Role, Terms
from standfast.model.position import CloseReason
from standfast.model.recorded import Recorded


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OrderIntended(Recorded):
    """Committed before anything leaves. `replaces` names the order a replace takes the place of."""

    id: ClientOrderId
    position: PositionId
    role: Role
    holding: Holding
    terms: Terms
    attempt: int
    reason: str
    replaces: ClientOrderId | None = None
    closes_as: CloseReason | None = None
    """Of a stop: why it closes what it fills, as its price was figured."""
    also: tuple[PositionId, ...] = ()
    """Of a stop for several positions: those beside its own that it bounds, in the order in which it closes them."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OrderAccepted(Recorded):
    id: ClientOrderId
    broker_id: BrokerOrderId


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OrderRejected(Recorded):
    id: ClientOrderId
    reason: str
    kind: str = "other"
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CopyRefused(Recorded):
    """The broker said no to an order that was sent once more: an earlier copy may still be on its way."""

    id: ClientOrderId
    reason: str
    kind: str = "other"
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OrderNotSent(Recorded):
    id: ClientOrderId
    reason: str
    withdrawn: bool = False
    """It was not wanted any more when its turn came."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OrderInDoubt(Recorded):
    id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OrderMissing(Recorded):
    """Asked for by id and not known to the broker. A question answered once; no proof alone."""

    id: ClientOrderId


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OrderNeverArrived(Recorded):
    """Settled as never: looked up after its flight and staleness had passed, with no copy seen."""

    id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class OrderObserved(Recorded):
    """Read by id (or whole from a list): the broker's word on an order of ours, or one tied to a position."""

    report: OrderReport
    position: PositionId | None = None
    role: Role = Role.FOREIGN


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CancelIntended(Recorded):
    broker_id: BrokerOrderId
    holding: Holding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CancelAnswered(Recorded):
    """The broker's answer to a cancel: received, refused or unknown. Never proof that the order is gone."""

    broker_id: BrokerOrderId
    holding: Holding
    outcome: str
    reason: str = ""
