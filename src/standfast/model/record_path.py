"""Places in a JSON document: the part of JSONPath that names things.

`$` or `@`, members (`.name`, `['name']`), elements (`[0]`), all of either (`[*]`, `.*`), and `~` last for the names
instead of the values. A path that does not begin with `$` or `@` begins with a member's name.

A name that none of several objects has is a document of another kind than was meant, and not one that holds nothing:
`Unlike`. So a renamed key is never taken for an empty record.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

STEP = re.compile(
    r"""\.(?P<all>\*) | \.?\[(?P<every>\*)\] | \.?\[(?P<index>-?\d{1,9})\]
      | \.?\[(?:'(?P<single>[^']+)'|"(?P<double>[^"]+)")\] | \.(?P<name>[^.\[\]~'"*\s]+)""",
    re.VERBOSE | re.ASCII,
)
LEAD = re.compile(r"[$@]|(?=[^.\[~'\"*\s])")


class Unlike(Exception):
    """The document is not of the kind that the path is for; the text says where."""


class Step(NamedTuple):
    name: str | None = None
    place: int | None = None
    """Neither: all there are."""


class Path(NamedTuple):
    text: str
    steps: tuple[Step, ...]
    names: bool = False
    """The names of what is selected, not the values."""

    def of(self, node: object) -> list[object]:
        """What is selected below this node, in the order of the document. Raises Unlike."""
        found: list[tuple[object, object]] = [("", node)]
        for step in self.steps:
            found = list(_taken(found, step, self.text))
        return [name if self.names else value for name, value in found]


def path(text: str) -> Path:
    """Raises ValueError, with the reason, for what is no path."""
    lead = LEAD.match(text)
    if lead is None:
        raise ValueError(f"{text!r} begins with neither $, @ nor a name")
    rest, names = text[lead.end() :], text.endswith("~")
    rest = rest.removesuffix("~")
    if not lead.group():
        rest = f".{rest}"
    steps: list[Step] = []
    while rest:
        step = STEP.match(rest)
        if step is None:
            raise ValueError(f"{text!r} is not understood from {rest!r} on")
        name = step["single"] or step["double"] or step["name"]
        steps.append(Step(name, int(step["index"]) if step["index"] is not None else None))
        rest = rest[step.end() :]
    return Path(text, tuple(steps), names)


def _taken(found: list[tuple[object, object]], step: Step, text: str) -> Iterator[tuple[object, object]]:
    taken = 0
    for _, node in found:
        for each in _below(node, step):
            taken += 1
            yield each
    fits = any(isinstance(node, dict | list) or node is None for _, node in found)
    if found and not taken and (step.name is not None or not fits):
        raise Unlike(f"none of {len(found)} has {step.name or 'elements'!r} ({text})")


def _below(node: object, step: Step) -> Iterator[tuple[object, object]]:
    if step.name is not None:
        if isinstance(node, dict) and step.name in node:
            yield step.name, node[step.name]
    elif step.place is not None:
        if isinstance(node, list) and -len(node) <= step.place < len(node):
            yield step.place, node[step.place]
    elif isinstance(node, dict):
        yield from node.items()
    elif isinstance(node, list):
        yield from enumerate(node)
