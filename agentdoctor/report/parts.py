"""What a page is made of, whatever form it is written in."""

from __future__ import annotations

from dataclasses import dataclass


class Code(str):
    """A name, a value or a piece of a log, shown as it is typed."""

    __slots__ = ()


class Id(str):
    """The id of a rule, which has a page of its own."""

    __slots__ = ()


# A sentence, of plain text and the two above.
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Prose that stands by itself."""

    words: Words


@dataclass(frozen=True, slots=True)
class Item:
    """One of several things, in no order."""

    words: Words


@dataclass(frozen=True, slots=True)
class Quote:
    """What a log says: text of strangers, of any number of lines."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """One step of several; ``command`` and ``undo`` may be empty."""

    number: int
    text: str
    command: str = ""
    undo: str = ""


Part = Paragraph | Item | Quote | Command | Numbered


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what stands under it."""

    heading: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All that people are told about a rule."""

    id: str
    title: str
    summary: str
    sections: tuple[Section, ...]
    docs: str
