"""Which regular expressions may run on log text that strangers write.

Python's engine backtracks: its time can grow with any power of the text, or exponentially. ``check`` refuses a
pattern unless each unlimited repeat but one stops by itself, that is, the character that must follow cannot be
part of the repeat (``[^)]*\\)``, ``\\S+ ``). What is left needs a number of steps that the length of a message,
itself limited, bounds for every attempt.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Sequence
from typing import Any

# The standard library's own parser; it moved in Python 3.11.
_NEW = sys.version_info >= (3, 11)
sre: Any = importlib.import_module("re._constants" if _NEW else "sre_constants")
parser: Any = importlib.import_module("re._parser" if _NEW else "sre_parse")

# Longer limited repeats count as unlimited: the product of two of them is what costs.
WIDE = 512


class PatternError(ValueError):
    """A pattern that cannot be used, and why."""


def check(pattern: str) -> None:
    """Refuse what is no pattern, what matches everything, and what may take super-linear time per attempt."""
    try:
        parsed = parser.parse(pattern)
        empty = re.search(pattern, "")
    except re.error as error:
        raise PatternError(str(error)) from None
    if empty:
        raise PatternError("it matches the empty text, so it matches everything")
    open_ended = _open_ended(list(parsed), (), inside=False)
    if open_ended > 1:
        raise PatternError(
            "more than one unlimited repeat that what follows could also belong to:"
            " name what may stand there, such as [^)]* before a bracket or \\S+ before a blank"
        )


def _open_ended(items: Sequence[Any], after: Sequence[Any], inside: bool) -> int:
    """Count unlimited repeats that do not stop by themselves. ``after``: what follows this part of the pattern."""
    count = 0
    for position, (op, arg) in enumerate(items):
        rest = [*items[position + 1 :], *after]
        if op in (sre.GROUPREF, sre.GROUPREF_EXISTS):
            raise PatternError("back references need exponential time")
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            _low, high, body = arg
            unlimited = high is sre.MAXREPEAT or high > WIDE
            if unlimited and inside:
                raise PatternError("a repeat inside a repeat needs exponential time")
            if unlimited and rest and not _stops(list(body), rest):
                count += 1
            count += _open_ended(list(body), rest, inside or unlimited)
        else:
            count += max((_open_ended(part, rest, inside) for part in _parts(op, arg)), default=0)
    return count


def _parts(op: Any, arg: Any) -> list[list[Any]]:
    if op is sre.BRANCH:
        return [list(part) for part in arg[1]]
    if op is sre.SUBPATTERN:
        return [list(arg[-1])]
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return [list(arg[1])]
    return []


def _stops(body: list[Any], rest: Sequence[Any]) -> bool:
    """Whether the repeat of ``body`` ends where ``rest`` begins, in one way only."""
    following = _firsts(rest)
    if following is None or len(body) != 1:
        return following is not None and not following
    return not any(_belongs(character, body[0]) for character in following)


def _firsts(items: Sequence[Any]) -> set[str] | None:
    """The characters that a match of ``items`` can begin with; None: (nearly) any; empty: nothing must follow."""
    if not items:
        return set()
    (op, arg), rest = items[0], items[1:]
    if op is sre.LITERAL:
        return {chr(arg)}
    if op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
        return _firsts(rest)
    if op is sre.IN and all(kind is sre.LITERAL for kind, _ in arg):
        return {chr(code) for _, code in arg}
    if op is sre.SUBPATTERN:
        return _firsts([*arg[-1], *rest])
    if op is sre.BRANCH:
        return _union([_firsts([*part, *rest]) for part in arg[1]])
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        low, _high, body = arg
        return _union([_firsts([*body, *rest])] + ([_firsts(rest)] if low == 0 else []))
    return None


def _union(sets: list[set[str] | None]) -> set[str] | None:
    known = [found for found in sets if found is not None]
    return set().union(*known) if len(known) == len(sets) else None


def _belongs(character: str, item: Any) -> bool:
    """Whether one character matches one element of a parsed pattern."""
    op, arg = item
    if op is sre.LITERAL:
        return bool(ord(character) == arg)
    if op is sre.NOT_LITERAL:
        return bool(ord(character) != arg)
    if op is sre.ANY:
        return character != "\n"
    if op is not sre.IN:
        return True  # a group: say that it may, which is the careful answer
    negated = arg[0][0] is sre.NEGATE
    return any(_in_class(character, part) for part in arg[negated:]) != negated


_CATEGORY = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}


def _in_class(character: str, part: Any) -> bool:
    op, arg = part
    if op is sre.LITERAL:
        return bool(ord(character) == arg)
    if op is sre.RANGE:
        return bool(arg[0] <= ord(character) <= arg[1])
    name = str(arg).removeprefix("CATEGORY_")
    negated = name.startswith("NOT_")
    return bool(re.match(_CATEGORY[name.removeprefix("NOT_")], character)) != negated
