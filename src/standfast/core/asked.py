"""What an operator asks for, as text: read here, and refused in words where it cannot be read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from standfast.model.share import share_of


class Refuse(Exception):
    """An act that cannot be done, in words for its operator. Never leaves the acts."""


Arguments = Mapping[str, str]


def text_of(arguments: Arguments, name: str) -> str:
    value = arguments.get(name, "")
    if not value:
        raise Refuse(f"{name} is missing")
    return value


def number_of(arguments: Arguments, name: str) -> Decimal:
    text = text_of(arguments, name)
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise Refuse(f"{name} is not a number: {text!r}") from error
    if not value.is_finite():
        raise Refuse(f"{name} is not finite: {text!r}")
    return value


def stop_share(arguments: Arguments) -> Decimal | None:
    """A stop as a share of the entry, in place of the policy's."""
    text = arguments.get("stop_loss", "")
    share = share_of(text)
    if text and share is None:
        raise Refuse(f"stop_loss {text!r} is no share: write 2%")
    if share is not None and arguments.get("stop"):
        raise Refuse("stop and stop_loss: one is a price, the other a share of the entry; give one of them")
    return share


def moment_of(arguments: Arguments, name: str) -> datetime:
    text = text_of(arguments, name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refuse(f"{name} is no moment: {text!r}") from error
    if moment.tzinfo is None:
        raise Refuse(f"{name} is no moment: {text!r}")
    return moment.astimezone(UTC)


def refuse_late(arguments: Arguments, now: datetime) -> None:
    """What was asked for a moment that has gone by is not done: the market it was meant for is gone."""
    if arguments.get("until") and now > (until := moment_of(arguments, "until")):
        raise Refuse(
            f"it was good until {until:%Y-%m-%d %H:%M:%S} UTC and is met at {now:%H:%M:%S} by this machine's clock: "
            "nothing is done. Ask again, as something new"
        )
