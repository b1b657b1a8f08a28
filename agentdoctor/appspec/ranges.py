"""The range of an SELinux context, ``s#[-s#][:c#[.c#],...]``, as range_info.rb of agent 1.x judges it."""

from __future__ import annotations

_HIGHEST = 1023  # category


def wrong_range(text: str) -> str:
    """What the agent does not take; "" if it takes it."""
    levels, colon, categories = text.partition(":")
    low, dash, high = levels.partition("-")
    if not levels or (colon and not categories) or not low or (dash and not high):
        return "a part of it is empty"
    bad = next((level for level in (low, high)[: 2 if dash else 1] if _number(level, "s") is None), None)
    if bad is not None:
        return f"{bad[:40]!r} is no sensitivity such as s0"
    if dash and (_number(high, "s") or 0) < (_number(low, "s") or 0):
        return "its second sensitivity is below its first"
    return _wrong_categories(categories) if colon else ""


def _wrong_categories(text: str) -> str:
    """Commas at the end do not count."""
    seen: set[int] = set()
    for part in text.rstrip(",").split(",") if text.rstrip(",") else ():
        found = _categories(part)
        if isinstance(found, str):
            return found
        if not seen.isdisjoint(found):
            return "it names a category twice"
        seen.update(found)
    return ""


def _categories(part: str) -> range | str:
    low, dot, high = part.partition(".")
    if dot and not (low and high):
        return f"a part of {part[:40]!r} is empty"
    numbers = []
    for name in (low, high) if dot else (low,):
        number = _number(name, "c")
        if number is None or number > _HIGHEST:
            return f"{name[:40]!r} is no category from c0 to c{_HIGHEST}"
        numbers.append(number)
    return range(numbers[0], numbers[-1] + 1) if numbers[0] <= numbers[-1] else f"{part[:40]!r} goes down"


def _number(text: str, letter: str) -> int | None:
    """The number behind the letter, at most a large one; None if it is none."""
    digits = text[1:]
    if not text.startswith(letter) or not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits.lstrip("0")[:20] or "0") if len(digits.lstrip("0")) <= 20 else 10**20
