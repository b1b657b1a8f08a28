"""A page as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from agentdoctor.report.parts import Command, Item, Numbered, Page, Paragraph, Part, Quote, Section

WIDTH = 80


def write(page: Page) -> str:
    """The whole page. Prose and samples are wrapped at 80 columns; commands are not, so that they can be pasted."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield f"{page.id}: {page.title}"
    yield page.summary
    for section in page.sections:
        yield ""
        yield from rows(section)
    yield ""
    yield f"See {page.docs}"


def rows(section: Section) -> Iterator[str]:
    """A section alone: its heading, and the rows below it."""
    yield section.heading
    for part in section.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[str]:
    if isinstance(part, Paragraph):
        yield from _wrapped("".join(part.words), "  ")
    elif isinstance(part, Item):
        yield from _wrapped("".join(part.words), "  - ")
    elif isinstance(part, Quote):
        for row in part.text.splitlines():
            yield from _wrapped(row, "    ")
    elif isinstance(part, Command):
        yield from (f"      {row}" for row in part.text.splitlines())
    else:
        yield from _numbered(part)


def _numbered(step: Numbered) -> Iterator[str]:
    yield from _wrapped(step.text, f"  {step.number} ")
    yield from (f"      {row}" for row in step.command.splitlines())
    if step.undo:
        yield from _wrapped(f"undo: {step.undo}", "    ")


def _wrapped(text: str, first: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
