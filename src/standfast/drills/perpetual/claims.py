"""Claims that several drills of perpetual futures make, and what they count."""

from decimal import Decimal

from standfast.drills.perpetual.stage import PerpetualStage
from standfast.drills.perpetual.truth import HEDGES


def _called(name: str, index: int) -> str:
    return f"the {HEDGES[index]} side of {name}" if index else name


def cover_told(stage: PerpetualStage, name: str, index: int = 0) -> str:
    return f"{stage.truth.net(name, index)} held, {stage.truth.cover(name, index)} covered"


def covered(stage: PerpetualStage, name: str, when: str, index: int = 0) -> None:
    """Something is held, and stops are live for exactly that."""
    net = stage.truth.net(name, index)
    holds = net != 0 and stage.truth.cover(name, index) == abs(net)
    text = f"{when} {_called(name, index)} is covered for exactly its quantity"
    stage.claim(text, cover_told(stage, name, index), holds=holds)


def never_beyond(stage: PerpetualStage, name: str, least: int | str, most: int | str, index: int = 0) -> None:
    """What was held stayed between these two, signed."""
    kept = stage.truth.kept(name, index)
    stage.claim(
        f"the account never held less than {least} or more than {most} of {_called(name, index)}",
        f"held between {kept.least} and {kept.most}",
        holds=Decimal(least) <= kept.least and kept.most <= Decimal(most),
    )


def never_over_covered(stage: PerpetualStage, name: str, index: int = 0) -> None:
    over = stage.truth.kept(name, index).most_over
    stage.claim("stops never covered more than was held", f"at most {over} more", holds=over <= 0)


def naked_at_most(stage: PerpetualStage, name: str, seconds: float, index: int = 0, *, shown_after: float = 0) -> None:
    """The longest stretch in which less than the position was covered, from when the exchange's list shows it on."""
    longest = max(0.0, stage.truth.naked(name, index).total_seconds() - shown_after)
    text = f"{_called(name, index)} was never without full cover for more than {seconds:g} s"
    text += " once the exchange showed it" if shown_after else ""
    told = f"longest {longest:.3f} s{' (loosely judged in real time)' if stage.slack else ''}"
    stage.claim(text, told, holds=longest <= seconds + stage.slack)


def flat(stage: PerpetualStage, name: str, index: int = 0) -> None:
    """Nothing held, nothing working."""
    net, working = stage.truth.net(name, index), stage.truth.working(name, index)
    told = f"{net} held, {len(working)} orders"
    stage.claim(f"{_called(name, index)} is flat, with no order left", told, holds=not net and not working)


def ends_at_stop(stage: PerpetualStage, most: int | str) -> None:
    """However far the price went, no more than this was lost: the stop's distance, a step of the price, the fees."""
    lost = -stage.result
    stage.claim("the loss ends at the stop", f"lost {lost:.2f}, at most {most} allowed", holds=lost <= Decimal(most))


def settled(stage: PerpetualStage, reason: str, count: int = 1) -> None:
    """Positions of a guarded stage have left the books for that reason, and no other is left in them."""
    if not stage.is_guarded:
        return
    reasons = [str(position.close_reason) for position in stage.closed()]
    told = f"settled: {', '.join(reasons) or 'none'}; {len(stage.positions())} open in the books"
    holds = reasons == [reason] * count and not stage.positions()
    stage.claim(f"{count} position(s) settled in the books as {reason}", told, holds=holds)
