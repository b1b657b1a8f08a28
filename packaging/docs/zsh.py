"""Completion for zsh, by its own _arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence

from commands import Argument, Command, Option
from values import FILES, FOLDERS, LIST_RULES, RULES, WORDS, Values, after, of

_HEAD = rf"""#compdef agentdoctor
# Completion of agentdoctor for zsh, made from the program's own parser.

__agentdoctor_ids() {{
    local -a ids
    ids=(${{${{(f)"$({LIST_RULES} 2>/dev/null)"}}%% *}})
    compadd -- $ids
}}
"""
_ACTIONS = {FILES: "_files", FOLDERS: "_files -/", RULES: "__agentdoctor_ids"}


def script(commands: Sequence[Command]) -> str:
    """The whole file."""
    return "\n".join((_HEAD, *map(_function, commands), '_agentdoctor "$@"', ""))


def _function(command: Command) -> str:
    specs = [_option(option) for option in command.options]
    if command.verbs:
        return _choice(command, specs)
    specs += [_argument(argument) for argument in command.arguments]
    return _defined(command, [f"_arguments -s -S {_joined(specs)}"])


def _choice(command: Command, specs: list[str]) -> str:
    """A function that offers verbs, and hands on to the function of the one that was typed."""
    verbs = " ".join(_quoted(f"{name}:{about}") for name, about in command.verbs)
    below = f"{_name(command)}_$line[1]"
    return _defined(
        command,
        [
            "local curcontext=$curcontext state line",
            "local -a verbs",
            f"verbs=({verbs})",
            f"_arguments -C {_joined([*specs, ': :->verb', '*:: :->rest'])}",
            "case $state in",
            "    verb) _describe -t commands command verbs ;;",
            f"    rest) (( $+functions[{below}] )) && {below} ;;",
            "esac",
        ],
    )


def _defined(command: Command, rows: Sequence[str]) -> str:
    body = "\n".join(f"    {row}" for row in rows)
    return f"{_name(command)}() {{\n{body}\n}}\n"


def _name(command: Command) -> str:
    return "_".join(("_agentdoctor", *command.path))


def _option(option: Option) -> str:
    """A spec of _arguments: which flags exclude each other, may it stand twice, what follows it."""
    again = "may be repeated" in option.about
    only = "" if again else f"({' '.join(option.flags)})"
    values = after(option)
    value = f":{option.value}:{_action(values)}" if values else ""
    said = f"[{_bare(option.about)}]{value}"
    flags = [f"{'*' if again else ''}{flag}{'=' if values and flag.startswith('--') else ''}" for flag in option.flags]
    return " ".join(_quoted(f"{only}{flag}{said}") for flag in flags)


def _argument(argument: Argument) -> str:
    many = "*" if argument.nargs in ("*", "+") else ""
    return _quoted(f"{many}:{argument.name}:{_action(of(argument))}")


def _action(values: Values) -> str:
    return f"({' '.join(values.words)})" if values.kind == WORDS else _ACTIONS.get(values.kind, " ")


def _bare(about: str) -> str:
    """A description without what ends it, or has a meaning of its own."""
    return re.sub(r"([\[\]\\:])", r"\\\1", about)


def _joined(specs: Sequence[str]) -> str:
    return "\\\n        " + " \\\n        ".join(spec if spec.startswith("'") else _quoted(spec) for spec in specs)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
