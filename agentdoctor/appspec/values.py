"""What Ruby makes of a YAML document: values with the place where each is written, and how Ruby shows them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_DEEPEST = 4  # lists and maps in each other that are shown; an alias may lead a value into itself


@dataclass(frozen=True)
class Symbol:
    """A word with a colon before it, which Psych makes a Symbol: it is no String and equals none."""

    name: str


@dataclass(frozen=True)
class Moment:
    """A date or a time, which only older Rubies load. ``kind`` is the class, Date or Time."""

    kind: str
    text: str


@dataclass(frozen=True)
class Opaque:
    """An object of a class that a tag names. Nothing that the agent asks of a value is there."""

    kind: str


@dataclass(frozen=True, eq=False)
class Value:
    """A value and where it is written; ``line`` and ``column`` count from 1.

    ``written`` is the text of a scalar, ``plain`` tells that no quotes and no tag say what it is. An alias is the value
    that it stands for. Lists and maps are filled after they are made, because an alias in them may mean them.
    """

    data: Data
    line: int
    column: int
    written: str = ""
    plain: bool = False


class Table:
    """A Hash of Ruby: in the order of its keys, of equal keys the last value. Keys are equal if their class is too."""

    def __init__(self) -> None:
        self._pairs: dict[object, tuple[Value, Value]] = {}
        self.repeated: list[Value] = []  # keys that were there already

    def __len__(self) -> int:
        return len(self._pairs)

    def put(self, key: Value, value: Value) -> None:
        """Set a value, and remember a key that takes the place of another."""
        name = _hashed(key)
        if name in self._pairs:
            self.repeated.append(key)
        self._pairs[name] = (key, value)

    def merge(self, other: Table) -> None:
        """What << does: the other's values take the place of those that stand before it."""
        self._pairs.update(other._pairs)

    def pairs(self) -> Iterator[tuple[Value, Value]]:
        """Keys and values."""
        return iter(self._pairs.values())

    def key(self, name: str) -> Value | None:
        """The key of this name, which must be a String."""
        return self._pairs.get((str, name), (None, None))[0]

    def get(self, name: str) -> Value | None:
        """The value of a key that is a String; None if there is none."""
        return self._pairs.get((str, name), (None, None))[1]


@dataclass(frozen=True, eq=False)
class Items:
    """An Array of Ruby."""

    values: list[Value] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.values)


Data = None | bool | int | float | str | Symbol | Moment | Opaque | Items | Table


def _hashed(key: Value) -> object:
    data = key.data
    return id(data) if isinstance(data, Items | Table) else (type(data), data)


def absent(value: Value | None) -> bool:
    """Whether it is nil, or not there at all."""
    return value is None or value.data is None


def false(value: Value | None) -> bool:
    """Whether Ruby takes it for false: nil and false alone, not 0, "" or []."""
    return value is None or value.data is None or value.data is False


def text(value: Value) -> str:
    """What to_s gives. Lists and maps are cut, since the agent never asks for more than whether they are empty."""
    data = value.data
    if isinstance(data, str):
        return data
    return "" if data is None else _shown(data, _DEEPEST)


_BLANKS = "\0\t\n\v\f\r "


def stripped(value: Value) -> str:
    """What to_s.strip gives."""
    return text(value).strip(_BLANKS)


def _shown(data: Data, depth: int) -> str:
    if isinstance(data, bool):
        return str(data).lower()
    if isinstance(data, float):
        return _float(data)
    if isinstance(data, Symbol):
        return data.name
    if isinstance(data, Moment):
        return data.text
    if isinstance(data, Opaque):
        return f"#<{data.kind}>"
    return _collected(data, depth) if isinstance(data, Items | Table) else str(data)


def _collected(data: Items | Table, depth: int) -> str:
    begin, end = "[]" if isinstance(data, Items) else "{}"
    if not depth:
        return f"{begin}...{end}"
    if isinstance(data, Items):
        shown = [_inspected(item, depth - 1) for item in data.values[:_DEEPEST]]
    else:
        first = itertools.islice(data.pairs(), _DEEPEST)
        shown = [f"{_inspected(key, depth - 1)}=>{_inspected(value, depth - 1)}" for key, value in first]
    return begin + ", ".join([*shown, *["..."] * (len(data) > _DEEPEST)]) + end


def _inspected(value: Value, depth: int) -> str:
    if value.data is None:
        return "nil"
    if isinstance(value.data, str):
        return '"' + value.data[:80] + '"'
    return f":{value.data.name}" if isinstance(value.data, Symbol) else _shown(value.data, depth)


def _float(number: float) -> str:
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    return repr(number)


_INTEGER = re.compile(r"[\t\n\v\f\r ]*([-+]?)(\d+(?:_\d+)*)", re.ASCII)
_DIGITS = 20  # of a number that is larger than any timeout


def integer(value: Value) -> int | None:
    """What to_i gives; None where there is no such method, or the number has no whole part (.inf, .nan)."""
    data = value.data
    if data is None:
        return 0
    if isinstance(data, str):
        found = _INTEGER.match(data)
        digits = found[2].replace("_", "").lstrip("0")[:_DIGITS] if found else ""
        return int((found[1] if found else "") + (digits or "0"))
    if isinstance(data, Moment):
        return 1 if data.kind == "Time" else None
    if isinstance(data, bool) or not isinstance(data, int | float):
        return None
    return int(data) if data == data and abs(data) != float("inf") else None
