"""Completion for bash; it needs nothing but bash 4.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from commands import Command
from values import ANYTHING, FILES, FOLDERS, LIST_RULES, RULES, WORDS, Values, after, of

_TOP = "top"
_HEAD = rf"""# Completion of agentdoctor for bash, made from the program's own parser.

__agentdoctor_files() {{
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}}

__agentdoctor_folders() {{
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -d -- "$1")
}}

__agentdoctor_ids() {{
    __agentdoctor_words "$1" "$({LIST_RULES} 2>/dev/null | cut -d ' ' -f 1)"
}}

__agentdoctor_words() {{
    mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
}}

_agentdoctor() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} path=top next i
    # bash takes --format=json for three words
    if [[ $word == '=' ]]; then
        word=''
    elif [[ $before == '=' ]]; then
        before=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        next="$path ${{COMP_WORDS[i]}}"
        case $next in
            {{paths}}) path=$next ;;
        esac
    done
    COMPREPLY=()
    _agentdoctor_"${{path// /_}}" "$word" "$before"
}}

complete -F _agentdoctor agentdoctor
"""


def script(commands: Sequence[Command]) -> str:
    """The whole file."""
    paths = " | ".join(f"'{' '.join((_TOP, *command.path))}'" for command in commands if command.path)
    return _HEAD.replace("{paths}", paths) + "".join(map(_function, commands))


def _function(command: Command) -> str:
    """A function for the words that may stand after a command: $1 is the word so far, $2 the one before."""
    words = _words(flag for option in command.options for flag in option.flags)
    rows = [*_after_options(command), "    if [[ $1 == -* ]]; then", f"        {words}", "        return", "    fi"]
    rows += [f"    {_offer(values)}" for values in _positions(command) if values.kind != ANYTHING]
    return "\n".join((f"\n_agentdoctor_{'_'.join((_TOP, *command.path))}() {{", *rows, "}", ""))


def _after_options(command: Command) -> Iterator[str]:
    cases = [(option.flags, values) for option in command.options if (values := after(option))]
    if cases:
        yield "    case $2 in"
        for flags, values in cases:
            offer = "return" if values.kind == ANYTHING else f"{_offer(values)}; return"
            yield f"        {' | '.join(flags)}) {offer} ;;"
        yield "    esac"


def _positions(command: Command) -> list[Values]:
    """What may stand there without a flag: the verbs that follow, or the arguments."""
    if command.verbs:
        return [Values(WORDS, tuple(name for name, _ in command.verbs))]
    return [of(argument) for argument in command.arguments]


def _offer(values: Values) -> str:
    if values.kind in (FILES, FOLDERS, RULES):
        return f'__agentdoctor_{values.kind} "$1"'
    return _words(values.words)


def _words(words: Iterable[str]) -> str:
    return f"__agentdoctor_words \"$1\" '{' '.join(words)}'"
