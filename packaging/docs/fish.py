"""Completion for fish: a line for each option and argument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from commands import Command, Option
from values import FILES, FOLDERS, LIST_RULES, RULES, WORDS, Values, after, of

_HEAD = rf"""# Completion of agentdoctor for fish, made from the program's own parser.

function __agentdoctor_rules
    {LIST_RULES} 2>/dev/null | string replace -r ' .*' ''
end

# Whether the verbs typed so far are these, such as: rules draft
function __agentdoctor_at
    set -l path
    for word in (commandline -opc)[2..-1]
        if contains -- (string join ' ' -- $path $word) {{paths}}
            set path $path $word
        end
    end
    test "$path" = "$argv"
end

complete -c agentdoctor -f
"""


def script(commands: Sequence[Command]) -> str:
    """The whole file."""
    paths = " ".join(_quoted(" ".join(command.path)) for command in commands if command.path)
    rows = [row for command in commands for row in _rows(command)]
    return _HEAD.replace("{paths}", paths) + "\n".join(rows) + "\n"


def _rows(command: Command) -> Iterator[str]:
    at = f"complete -c agentdoctor -n {_quoted(' '.join(('__agentdoctor_at', *command.path)))}"
    for name, about in command.verbs:
        yield f"{at} -a {name} -d {_quoted(about)}"
    for option in command.options:
        yield f"{at} {_option(option)}{_value(after(option))} -d {_quoted(option.about)}"
    for argument in () if command.verbs else command.arguments:
        yield f"{at}{_offer(of(argument))}"


def _option(option: Option) -> str:
    return " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)


def _value(values: Values | None) -> str:
    """-r: something must follow; -x: and it is no file."""
    if values is None:
        return ""
    return f" -r{_offer(values)}" if values.kind == FILES else f" -x{_offer(values)}"


def _offer(values: Values) -> str:
    offers = {
        FILES: " -F",
        FOLDERS: " -a '(__fish_complete_directories)'",
        RULES: " -a '(__agentdoctor_rules)'",
        WORDS: f" -a {_quoted(' '.join(values.words))}",
    }
    return offers.get(values.kind, "")


def _quoted(text: str) -> str:
    """Between single quotes fish knows two escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
