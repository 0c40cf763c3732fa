"""A secret shows itself to nobody who does not ask by name, and what was loaded is known to every redactor.

Two nets, one behind the other. By type: a `Secret` gives `***` to repr, str, format, pickle and json. By value:
whatever text leaves the process (an error, a log line, an alert, what a verb prints) goes through `redact`, which
knows the values that were loaded and the forms they take on the way: url-encoded, base64 at any offset, escaped once
and twice, and the first and last eight characters.

Every verb passes through this module and most load no secret: what only a loaded one needs is imported where it is.
"""

import re
from collections.abc import Callable

MASK = "***"

SHORTEST_KNOWN = 4
"""A shorter value is no secret, and hiding it everywhere would only spoil the log."""

PART = 8
"""Characters of its head or tail by which people and programs like to name a key."""

LONG_ENOUGH_FOR_PARTS = 12

WORD = re.compile(r"[a-z:/._ -]+")
"""A head or tail like this is a word (`https://`, `standfas`): hiding it everywhere would only spoil the log."""


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
        """In a time that does not tell how much of it was right."""
        from hmac import compare_digest

        return isinstance(other, Secret) and compare_digest(_bytes(self._value), _bytes(other._value))

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __getstate__(self) -> str:
        return MASK

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
    import base64
    import html

    raw = _bytes(value)
    percent = _percent(raw)
    found = [value, percent, percent.lower(), percent.replace("%20", "+"), percent.replace("%", "%25")]
    for escaped in (_in_json(value), _in_json(value, ascii_only=False), repr(value)[1:-1], html.escape(value)):
        found += [escaped, _in_json(escaped, ascii_only=False)]
    for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
        found += [_inside(alphabet, raw, offset) for offset in range(3)]
    if len(value) >= LONG_ENOUGH_FOR_PARTS:
        found += [part for part in (value[:PART], value[-PART:]) if not WORD.fullmatch(part)]
    return tuple(form for form in dict.fromkeys(found) if len(form) >= SHORTEST_KNOWN)


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")  # the environment may hold what is no text


def _in_json(value: str, *, ascii_only: bool = True) -> str:
    import json

    return json.dumps(value, ensure_ascii=ascii_only)[1:-1]


def _percent(raw: bytes) -> str:
    kept = b"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in raw)


def _inside(encode: Callable[[bytes], bytes], raw: bytes, offset: int) -> str:
    """The characters base64 gives to `raw` alone when `offset` other bytes stand before it, as in user:password."""
    text = encode(b"\0" * offset + raw).decode()
    first = (0, 2, 3)[offset]
    whole = (offset + len(raw)) * 8 // 6
    return text[first:whole]
