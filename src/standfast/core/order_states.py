"""Legal moves of an order of ours, as one table.

The table judges what we do. Facts from the broker are always booked: an observation is legal in every
stage (a fill may beat the reply, or follow a cancel), and a finished report is absorbing.

    intended ──accepted──▶ working ──finished report──▶ finished
       │ ╲                    ▲
       │  rejected, not sent ─┼──────────────────────▶ finished
       ▼                      │
    in doubt ──observed───────┘      in doubt ──never arrived──▶ finished
"""

from collections.abc import Mapping

from standfast.model.booked import Stage
from standfast.model.journal import (
    CopyRefused,
    Fact,
    OrderAccepted,
    OrderInDoubt,
    OrderMissing,
    OrderNeverArrived,
    OrderNotSent,
    OrderRejected,
)

NEXT: Mapping[Stage, Mapping[type[Fact], Stage]] = {
    Stage.INTENDED: {
        OrderAccepted: Stage.WORKING,
        OrderRejected: Stage.FINISHED,
        OrderNotSent: Stage.FINISHED,
        OrderInDoubt: Stage.IN_DOUBT,
        OrderMissing: Stage.IN_DOUBT,
    },
    Stage.IN_DOUBT: {
        OrderAccepted: Stage.WORKING,
        OrderRejected: Stage.FINISHED,  # a late answer to the only copy
        CopyRefused: Stage.IN_DOUBT,  # of this copy; an earlier one may be on its way
        OrderNotSent: Stage.IN_DOUBT,  # the same
        OrderInDoubt: Stage.IN_DOUBT,
        OrderMissing: Stage.IN_DOUBT,
        OrderNeverArrived: Stage.FINISHED,
    },
    # The reply may come after the stream already told us, and a lookup may be older than both; we may give an order up
    # in the very moment in which it is seen.
    Stage.WORKING: {
        OrderAccepted: Stage.WORKING,
        OrderMissing: Stage.WORKING,
        OrderNeverArrived: Stage.WORKING,
        OrderRejected: Stage.WORKING,
        CopyRefused: Stage.WORKING,
        OrderInDoubt: Stage.WORKING,
        OrderNotSent: Stage.WORKING,
    },
    Stage.FINISHED: {
        OrderAccepted: Stage.FINISHED,
        OrderMissing: Stage.FINISHED,
        OrderNeverArrived: Stage.FINISHED,
        OrderRejected: Stage.FINISHED,
        CopyRefused: Stage.FINISHED,
        OrderInDoubt: Stage.FINISHED,
        OrderNotSent: Stage.FINISHED,
    },
}


def next_stage(stage: Stage, fact: type[Fact]) -> Stage:
    """Where a fact takes an order; an illegal move is a bug of ours and ends the process."""
    moves = NEXT[stage]
    assert fact in moves, f"{fact.__name__} is not legal in stage {stage}"
    return moves[fact]
