"""A page as Markdown (CommonMark, and tables as GitHub has them). Whatever its texts hold, they stay text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from agentdoctor.model import Rule
from agentdoctor.report.parts import Code, Command, Id, Item, Numbered, Page, Part, Quote, Words

NOTE = "<!-- Made from the rule's file by `make rules`: change that, not this. -->"
# Marks that mean something wherever they stand; an underscore does so at the edge of a word only.
_MARKS = re.compile(r"[\\`*\[\]<>|~&]|(?<!\w)_|_(?!\w)")
# What makes a paragraph something else by standing at its beginning: headings, rules, lists.
_OPENING = re.compile(r"^(\d{0,9})([#+=.)-])", re.ASCII)


def write(page: Page) -> str:
    """The whole page. A paragraph is one line: a line break could make a list of what follows it."""
    blocks = [f"# {page.id}: {prose(page.title)}", NOTE, prose(page.summary)]
    for section in page.sections:
        blocks.append(f"## {section.heading}")
        blocks += _parts(section.parts)
    blocks.append(f"See <{page.docs}>.")
    return "\n\n".join(blocks) + "\n"


def index(rules: Iterable[Rule]) -> str:
    """The list of all pages, by area."""
    areas: dict[str, list[Rule]] = {}
    for rule in rules:
        areas.setdefault(rule.area, []).append(rule)
    blocks = ["# Known failures", NOTE, "Each has a page: how it looks, why, how it is proven, what to do."]
    for area in sorted(areas):
        blocks.append(f"## {prose(area)}")
        blocks.append("\n".join(_table(sorted(areas[area], key=lambda rule: rule.id))))
    return "\n\n".join(blocks) + "\n"


def _table(rules: Sequence[Rule]) -> Iterator[str]:
    yield "| failure | severity | agent | what it is |"
    yield "|---|---|---|---|"
    for rule in rules:
        yield f"| {_link(rule.id)} | {rule.severity.value} | {', '.join(rule.agents)} | {prose(rule.title)} |"


def _parts(parts: Sequence[Part]) -> Iterator[str]:
    """Blocks; the items of one list stand together."""
    items: list[str] = []
    for part in parts:
        if isinstance(part, Item):
            items.append(f"- {_inline(part.words)}")
            continue
        if items:
            yield "\n".join(items)
            items = []
        yield _block(part)
    if items:
        yield "\n".join(items)


def _block(part: Part) -> str:
    if isinstance(part, Quote):
        return fence(part.text, "text")
    if isinstance(part, Command):
        return fence(part.text, "sh")
    if isinstance(part, Numbered):
        return _numbered(part)
    return _inline(part.words)


def _numbered(step: Numbered) -> str:
    """A list item; what belongs to it is indented as far as its text."""
    head = f"{step.number}. "
    blocks = [head + prose(step.text)]
    if step.command:
        blocks.append(indented(fence(step.command, "sh"), len(head)))
    if step.undo:
        blocks.append(indented(f"Undo:\n\n{fence(step.undo, 'sh')}", len(head)))
    return "\n\n".join(blocks)


def indented(text: str, width: int) -> str:
    """Lines that belong to a list item whose own text begins so far to the right."""
    return "\n".join(" " * width + row if row else "" for row in text.split("\n"))


def _inline(words: Words) -> str:
    return _OPENING.sub(r"\1\\\2", "".join(map(_word, words)).strip())


def _word(word: str) -> str:
    if isinstance(word, Code):
        return code(word)
    return _link(word) if isinstance(word, Id) else _escaped(word)


def _link(id_: str) -> str:
    return f"[{id_}]({id_}.md)"


def prose(text: str) -> str:
    """A paragraph that means nothing but its text."""
    return _inline((text,))


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\g<0>", re.sub(r"\s+", " ", text))


def code(text: str) -> str:
    """A code span around text with any number of backticks; a line break in it is a blank."""
    text = " ".join(text.split("\n"))
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text[:1] in ("`", " ") or text[-1:] in ("`", " ") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fence(text: str, language: str) -> str:
    """A code block that no line of the text can close."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
