"""The command line as values, read from the parser itself: what its manual and its completions are made from."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

from agentdoctor.arguments import parser


class Option(NamedTuple):
    """A flag. ``value``: the name of what follows it, nothing where nothing does; ``words``: what it must be one of."""

    flags: tuple[str, ...]
    value: str
    words: tuple[str, ...]
    about: str


class Argument(NamedTuple):
    """What stands without a flag. ``nargs`` as in argparse: None, ?, * or +."""

    name: str
    words: tuple[str, ...]
    nargs: str | None
    about: str


class Command(NamedTuple):
    """A verb, or the action of one. ``path``: what is typed for it; ``verbs``: what may follow, and what each does."""

    path: tuple[str, ...]
    about: str
    epilog: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    verbs: tuple[tuple[str, str], ...]


def commands() -> tuple[Command, ...]:
    """The program itself, then every verb and action in the order of the help."""
    return tuple(_walk(parser(), ()))


def _walk(one: argparse.ArgumentParser, path: tuple[str, ...]) -> Iterator[Command]:
    below = [action for action in one._actions if isinstance(action, argparse._SubParsersAction)]
    verbs = tuple((choice.dest, choice.help or "") for action in below for choice in action._choices_actions)
    rest = [action for action in one._actions if action not in below]
    options = tuple(_option(action) for action in rest if action.option_strings)
    arguments = tuple(_argument(action) for action in rest if not action.option_strings)
    yield Command(path, one.description or "", one.epilog or "", options, arguments, verbs)
    for action in below:
        for name, verb in action.choices.items():
            yield from _walk(verb, (*path, name))


def _option(action: argparse.Action) -> Option:
    value = "" if action.nargs == 0 else _name(action)
    return Option(tuple(action.option_strings), value, _words(action), action.help or "")


def _argument(action: argparse.Action) -> Argument:
    nargs = action.nargs if isinstance(action.nargs, str) else None
    return Argument(_name(action), _words(action), nargs, action.help or "")


def _name(action: argparse.Action) -> str:
    return action.metavar if isinstance(action.metavar, str) else action.dest.upper().replace("_", "-")


def _words(action: argparse.Action) -> tuple[str, ...]:
    return tuple(map(str, action.choices or ()))
