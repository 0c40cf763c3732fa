"""A secret shows itself to nobody who does not ask by name, and what was loaded is known to every redactor.

Two nets, one behind the other. By type: a `Secret` gives `***` to repr, str, format, pickle and json. By value:
whatever text leaves the process (a log line, an alert, a reply of the API) goes through `redact`, which knows the
values that were loaded and the forms they take on the way: url-encoded, base64 at any offset, escaped, and the
first and last eight characters of a long one.
"""

import base64
import json
from collections.abc import Callable

MASK = "***"

SHORTEST_KNOWN = 4
"""A shorter value is no secret, and hiding it everywhere would only spoil the log."""

LONG_ENOUGH_FOR_PARTS = 20
"""From this length on, eight characters of a value are its own and not a common word."""


class Secret:
    """A value that is only seen through `reveal`, which belongs into the function that signs or sends it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> tuple[Callable[[str], "Secret"], tuple[str]]:
        """A pickle leaves the process; what comes back from it is the mask."""
        return Secret, (MASK,)


_loaded: dict[str, None] = {}
"""Every form of every value to hide. Process-wide on purpose: a redactor that must be handed its list can miss one."""


def remember(value: str) -> Secret:
    """Wrap a value that was loaded from its place of keeping, and have every redactor know it from now on."""
    if len(value) >= SHORTEST_KNOWN:
        known = {**_loaded, **dict.fromkeys(forms(value))}
        _loaded.clear()
        _loaded.update(sorted(known.items(), key=lambda item: -len(item[0])))  # longest first: no half is left over
    return Secret(value)


def redact(text: str) -> str:
    """The text with every loaded secret value, in any of its forms, replaced by `***`."""
    for form in tuple(_loaded):
        if form in text:
            text = text.replace(form, MASK)
    return text


def forms(value: str) -> tuple[str, ...]:
    """The ways in which a value may stand in a text that we did not write ourselves."""
    raw = value.encode()
    found = [value, _percent(value), _percent(value).lower(), _percent(value).replace("%20", "+")]
    found += [json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]]
    for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
        found += [_inside(alphabet, raw, offset) for offset in range(3)]
    if len(value) >= LONG_ENOUGH_FOR_PARTS:
        found += [value[:8], value[-8:]]
    return tuple(form for form in dict.fromkeys(found) if len(form) >= SHORTEST_KNOWN)


def _percent(value: str) -> str:
    kept = "-._~"
    return "".join(c if c.isascii() and (c.isalnum() or c in kept) else _escape(c) for c in value)


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _inside(encode: Callable[[bytes], bytes], raw: bytes, offset: int) -> str:
    """The characters base64 gives to `raw` alone when `offset` other bytes stand before it, as in user:password."""
    text = encode(b"\0" * offset + raw).decode()
    first = (0, 2, 3)[offset]
    whole = (offset + len(raw)) * 8 // 6
    return text[first:whole]
