"""What may follow an option, or stand as an argument: the same for every shell."""

from __future__ import annotations

from typing import NamedTuple

from commands import Argument, Option

FILES, FOLDERS, RULES, WORDS, ANYTHING = "files", "folders", "ids", "words", "anything"
_KINDS = {"FILE": FILES, "LOGFILE": FILES, "PATH": FILES, "DIR": FOLDERS, "ID": RULES, "AGE": WORDS}
_OF_RULES = ("--only", "--skip")
_AGES = ("10m", "1h", "2h", "1d", "7d")
# Prints a rule's id at the start of each line: the rules of the site are known to nothing but the program.
LIST_RULES = "agentdoctor rules list"


class Values(NamedTuple):
    """A kind of values, and the words themselves where it is a list of them."""

    kind: str
    words: tuple[str, ...] = ()


def after(option: Option) -> Values | None:
    """What follows an option; None where nothing does."""
    if not option.value:
        return None
    if option.value == "ID" and not set(_OF_RULES) & set(option.flags):
        return Values(ANYTHING)  # of a deployment group, or of a rule that is not there yet
    return _values(option.value, option.words)


def of(argument: Argument) -> Values:
    """What an argument may be."""
    return _values(argument.name, argument.words)


def _values(name: str, words: tuple[str, ...]) -> Values:
    if words:
        return Values(WORDS, words)
    kind = _KINDS.get(name, ANYTHING)
    return Values(kind, _AGES if name == "AGE" else ())
