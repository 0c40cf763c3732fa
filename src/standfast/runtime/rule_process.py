"""The process in which a rule of the operator's own runs: his code, nothing of ours but the values it is shown.

It has no handle to the broker and none of our environment; what it prints goes to the log. One line of JSON asks, and
one answers. Whatever it does, the guard does not wait for it: who started it ends it.

The rule is a function of one `Seen`. It answers None (or False) to keep the position, or a text that says why it is to
be closed (True: without a reason).
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

from standfast.model.seen import Seen

REASON_MOST = 200
MADE_FROM: dict[type, Callable[[str], object]] = {Decimal: Decimal, datetime: datetime.fromisoformat, str: str}


def main(module: str, name: str) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the rule prints is no answer
    try:
        rule = getattr(import_module(module), name)
    except Exception as error:  # noqa: BLE001 - whatever his code raises is told
        _say(answers, error=f"cannot be loaded: {_words(error)}")
        return
    _say(answers, ready=True)
    for line in sys.stdin:
        _say(answers, **_judged(rule, seen(json.loads(line))))


def seen(values: dict[str, str]) -> Seen:
    """A position from its texts, and back by `texts`."""
    kinds: dict[str, Any] = {field.name: field.type for field in fields(Seen)}
    return Seen(**{name: MADE_FROM[kinds[name]](text) for name, text in values.items()})  # type: ignore[arg-type]  # by their kinds


def texts(position: Seen) -> dict[str, str]:
    values = {field.name: getattr(position, field.name) for field in fields(Seen)}
    return {name: each.isoformat() if isinstance(each, datetime) else str(each) for name, each in values.items()}


def _judged(rule: Callable[[Seen], object], position: Seen) -> dict[str, object]:
    try:
        verdict = rule(position)
    except Exception as error:  # noqa: BLE001 - whatever his code raises is told
        return {"error": f"raised {_words(error)}"}
    if verdict is None or verdict is False:
        return {"close": ""}
    if verdict is True:
        return {"close": "no reason given"}
    if isinstance(verdict, str) and verdict.strip():
        return {"close": " ".join(verdict.split())[:REASON_MOST]}
    return {"error": f"answered {type(verdict).__name__}, which is neither a reason nor None"}


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:REASON_MOST]


def _say(answers: Any, **answer: object) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
