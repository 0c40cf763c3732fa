"""The registry of folds: which function puts which kind of fact into the book."""

from collections.abc import Callable
from typing import Any, TypeVar

from standfast.core.book import Book
from standfast.model import journal as j

FactType = TypeVar("FactType", bound=j.Fact)
Fold = Callable[[Book, Any, j.Entry], None]
FOLD: dict[type[Any], Fold] = {}


def folds(kind: type[FactType]) -> Callable[[Callable[[Book, FactType, j.Entry], None]], Fold]:
    """Register the fold of one kind of fact; a test checks that every kind has one."""

    def register(function: Callable[[Book, FactType, j.Entry], None]) -> Fold:
        assert kind not in FOLD, kind
        FOLD[kind] = function
        return function

    return register
