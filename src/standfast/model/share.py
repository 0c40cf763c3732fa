"""How far a stop lies from the entry, as settings and operators write it."""

import re
from decimal import Decimal

WRITTEN = re.compile(r"\+?(\d{1,6}(?:\.\d{1,20})?)\s*(?:%|pt)", re.ASCII)
FARTHEST = 100
"""Times the entry: what lies beyond is a slip of the hand."""


def share_of(text: str) -> Decimal | None:
    """`"2%"` of entry, or `"8pt"` of result in per cent: both are 0.0x of entry; None for anything else, and zero."""
    found = WRITTEN.fullmatch(text.strip())
    share = Decimal(found[1]) / 100 if found is not None else Decimal(0)
    return share if 0 < share <= FARTHEST else None


def share_text(share: Decimal) -> str:
    """In one form, whichever it was written in."""
    return f"{(share * 100).normalize():f}%"
