"""How far a stop lies from the entry, as settings and operators write it."""

import re
from decimal import Decimal

WRITTEN = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*(?:%|pt)", re.ASCII)


def share_of(text: str) -> Decimal | None:
    """`"2%"` of entry, or `"8pt"` of result in per cent: both are 0.0x of entry; None for anything else, and zero."""
    found = WRITTEN.fullmatch(text.strip())
    return Decimal(found[1]) / 100 or None if found is not None else None


def share_text(share: Decimal) -> str:
    """In one form, whichever it was written in."""
    return f"{(share * 100).normalize():f}%"
