"""Text as a manual page in the man(7) language. Whatever the text holds, it is shown as it is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

_MARKS = str.maketrans({"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"})


def text(words: str) -> str:
    """Words in running text or in an argument of a macro: quotes are straight, a hyphen is what is typed."""
    return words.translate(_MARKS)


def bold(words: str) -> str:
    """What is typed as it stands."""
    return f"\\fB{text(words)}\\fR"


def italic(words: str) -> str:
    """What stands for something else."""
    return f"\\fI{text(words)}\\fR"


def title(name: str, section: int, date: str, source: str) -> str:
    """The first line of a page; the date as YYYY-MM-DD."""
    return f'.TH {text(name)} {section} {date} "{text(source)}"\n'


def section(name: str) -> str:
    return f".SH {text(name.upper())}\n"


def subsection(name: str) -> str:
    """``name``: already in roff."""
    return f".SS {name}\n"


def paragraph(words: str) -> str:
    """``words``: already in roff."""
    return f".PP\n{_line(words)}"


def first(words: str) -> str:
    """A paragraph that follows its heading: .PP there would be one too many."""
    return _line(words)


def prose(words: str) -> str:
    """Plain paragraphs with empty lines between them, below a heading."""
    return ".PP\n".join(_line(text(block)) for block in words.strip().split("\n\n"))


def item(term: str, words: str) -> str:
    """A term, and what is said of it; both already in roff."""
    return f".TP\n{_line(term)}{_line(words)}"


def items(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(item(term, words) for term, words in pairs)


def example(block: str) -> str:
    """Lines as they are typed."""
    rows = "\n".join(_guarded(text(row)) for row in block.strip("\n").splitlines())
    return f".PP\n.RS 4\n.EX\n{rows}\n.EE\n.RE\n"


def _line(words: str) -> str:
    """Words in short lines, as sources of manuals have them."""
    rows = textwrap.wrap(words, 78, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{_guarded(row)}\n" for row in rows)


def _guarded(row: str) -> str:
    """A row that begins with a dot would be a request."""
    return f"\\&{row}" if row.startswith(".") else row
