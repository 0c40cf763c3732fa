"""What an operator asks for, as text: read here, and refused in words where it cannot be read."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation


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
