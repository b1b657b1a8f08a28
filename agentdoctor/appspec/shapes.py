"""What Ruby's values answer to: which can be gone through, which have named parts, and how they are called."""

from __future__ import annotations

from agentdoctor.appspec.values import Items, Moment, Opaque, Symbol, Table, Value, text

SHAPE = "appspec-shape-invalid"
_SHOWN = 60


def each(value: Value) -> list[Value] | None:
    """What each() gives, None if there is none: of a map pairs, which are lists."""
    if isinstance(value.data, Items):
        return value.data.values
    if isinstance(value.data, Table):
        return [Value(Items([key, item]), key.line, key.column) for key, item in value.data.pairs()]
    return None


def answers(value: Value) -> bool:
    """Whether [] with a name gives anything but an error: of a text it tells whether the name is part of it."""
    return isinstance(value.data, Table | str | Symbol)


def has(value: Value, name: str) -> bool:
    """Whether [] with a name gives anything but nil."""
    if isinstance(value.data, Table):
        found = value.data.get(name)
        return found is not None and found.data is not None
    return name in text(value)


def shown(value: Value) -> str:
    """A value as it goes into a sentence."""
    if value.data is None:
        return "empty"
    written = value.written if value.plain and value.written else text(value)
    short = written if len(written) <= _SHOWN else written[: _SHOWN - 3] + "..."
    read = text(value)
    other = value.plain and read != written and len(read) < _SHOWN
    return f"{short!r}, which is {read} to Ruby" if other else repr(short)


def kind(value: Value) -> str:
    """What sort of value it is, in words."""
    data = value.data
    if isinstance(data, Items):
        return "a list"
    if isinstance(data, Table):
        return "keys with values"
    if isinstance(data, bool):
        return f"a switch ({'true' if data else 'false'})"
    if isinstance(data, int | float):
        return f"a number ({text(value)[:_SHOWN]})"
    if isinstance(data, Moment):
        return f"a {data.kind.lower()}"
    if isinstance(data, Symbol):
        return f"a symbol (:{data.name[:_SHOWN]})"
    if isinstance(data, Opaque):
        return f"an object of {data.kind}"
    return "empty" if data is None else f"a text ({data[:_SHOWN]!r})"
