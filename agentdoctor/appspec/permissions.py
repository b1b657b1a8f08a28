"""An entry of permissions, judged as agent 1.x does: mode_info.rb, ace_info.rb, acl_info.rb, context_info.rb."""

from __future__ import annotations

from collections.abc import Iterator

from agentdoctor.appspec.finding import Problem, at
from agentdoctor.appspec.ranges import wrong_range
from agentdoctor.appspec.shapes import SHAPE, answers, each, has, kind, shown
from agentdoctor.appspec.values import Table, Value, absent, false, stripped, text

RULE = "appspec-permissions-invalid"
TYPES = ("file", "directory")


def permission(entry: Value, told: Table) -> Iterator[Problem]:
    """All that is wrong with an entry. That its object is blank the agent sees last."""
    name = told.get("object")
    if name is None or absent(name):
        yield at(name or entry, RULE, "an entry of permissions without object")
    yield from _except(told.get("except"))
    yield from _type(told.get("type"))
    yield from _mode(told.get("mode"))
    yield from _acls(told.get("acls"))
    yield from _context(told.get("context"))
    if name is not None and not absent(name) and not stripped(name):
        yield at(name, RULE, "the object of a permission is blank")


def _except(patterns: Value | None) -> Iterator[Problem]:
    if patterns is not None and not false(patterns) and each(patterns) is None:
        yield at(patterns, SHAPE, f"except is {kind(patterns)}; it must be a list")


def _type(types: Value | None) -> Iterator[Problem]:
    if types is None or false(types):
        return
    listed = each(types)
    if listed is None:
        yield at(types, SHAPE, f"type is {kind(types)}; it must be a list, as in [file]")
    for one in listed or ():
        if one.data not in TYPES:
            yield at(one, RULE, f"type has {shown(one)}; there are only file and directory")


def _mode(mode: Value | None) -> Iterator[Problem]:
    if mode is None or absent(mode):
        return
    wrong = wrong_mode(text(mode))
    if wrong:
        yield at(mode, RULE, f"mode is {shown(mode)}; {wrong}")


def wrong_mode(mode: str) -> str:
    """What the agent does not take in a mode, which it fills up with zeros to three digits; "" if it takes it."""
    if len(mode) > 4:
        return "it must be one to four digits"
    return "" if all(digit in "01234567" for digit in mode) else "its digits must be 0 to 7; put it in quotes"


def _acls(acls: Value | None) -> Iterator[Problem]:
    if acls is None or absent(acls):
        return
    listed = each(acls)
    if listed is None:
        yield at(acls, SHAPE, f"acls is {kind(acls)}; it must be a list")
    for entry in listed or ():
        if not isinstance(entry.data, str):
            yield at(entry, SHAPE, f"an entry of acls is {kind(entry)}; put it in quotes")
        elif wrong := wrong_ace(entry.data):
            yield at(entry, "appspec-acl-invalid", f"{entry.data[:60]!r} in acls: {wrong}")


_KINDS = {"m": "mask", "mask": "mask", "o": "other", "other": "other"}
_KINDS |= {"g": "group", "group": "group", "u": "user", "user": "user"}
_DEFAULT = ("d", "default")


def wrong_ace(entry: str) -> str:
    """What the agent does not take in ``[d:][u|g|m|o:]name:permissions``; "" if it takes it."""
    parts = entry.split(":")
    if not 2 <= len(parts) <= 4:
        return "it must have two to four parts between colons"
    default, kind_, name = _parted(parts)
    if kind_ is None:
        return "before the name stand d, u, g, m or o, and nothing twice"
    if kind_ in ("mask", "other") and name:
        return f"{kind_} has no name"
    if not default and kind_ != "mask" and not name:
        return "without a name it is what mode sets"
    allowed = parts[-1]
    if len(allowed) == 1 and allowed in "01234567":
        return ""
    bad = next((letter for letter in allowed if letter not in "rwx-"), "")
    return f"{bad!r} is no permission; it must be one digit up to 7, or r, w, x and -" if bad else ""


def _parted(parts: list[str]) -> tuple[bool, str | None, str]:
    """Whether it is a default, its kind (None: there is no such) and its name."""
    *before, name, _ = parts
    default = len(before) == 2 and before[0] in _DEFAULT
    if len(before) == 2 and not default:
        return False, None, name
    kind_ = ""
    if before and before[-1] in _DEFAULT:
        if default:
            return True, None, name
        default = True
    elif before:
        kind_ = _KINDS.get(before[-1], "")
        if not kind_:
            return default, None, name
    if name in ("m", "mask", "o", "other"):
        return (default, _KINDS[name], "") if not kind_ else (default, kind_, _KINDS[name])
    return default, kind_ or "user", name


def _context(context: Value | None) -> Iterator[Problem]:
    if context is None or absent(context):
        return
    if not answers(context):
        yield at(context, SHAPE, f"context is {kind(context)}; it must have name, type and range")
        return
    if not has(context, "type"):
        yield at(context, "appspec-context-invalid", "the context has no type")
    if not isinstance(context.data, Table):
        if has(context, "range"):
            yield at(context, "appspec-context-invalid", "the context is a text")
        return
    range_ = context.data.get("range")
    if range_ is None or absent(range_):
        return
    if not isinstance(range_.data, str):
        yield at(range_, SHAPE, f"range is {kind(range_)}; it must be a text such as s0")
    elif wrong := wrong_range(range_.data):
        yield at(range_, "appspec-context-invalid", f"range is {shown(range_)}: {wrong}")
