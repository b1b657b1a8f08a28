"""agentdoctor(1), from the parser of the command line."""

from __future__ import annotations

import re

import roff
from commands import Argument, Command, Option, commands

from agentdoctor.settings import DEFAULT_PATH, Settings

SUMMARY = "find out why the AWS CodeDeploy agent on this host fails"
_MORE = """
It reads the logs of the agent, looks at the host to prove the cause, says what it ruled out, and prints a fix that
can be pasted. It changes nothing on the host. check, verify, scan, lint and snapshot tell nobody and need no
permission of AWS; run, the service, does the same all the time and tells people, in the journal and through SNS.

Without root it says what it could not see. What looks like a secret is replaced before it is shown.
"""
_EXAMPLES = (
    ("A host that fails:", "sudo agentdoctor check"),
    ("Prove that the fix has worked, and wait for the proof:", "sudo agentdoctor verify --wait 5m"),
    ("A log that somebody sent:", "agentdoctor scan codedeploy-agent.log"),
    ("A revision, before it is deployed:", "agentdoctor lint revision.zip"),
    ("Metrics for the textfile collector of the node exporter:",
     "sudo agentdoctor check --format prometheus --output /var/lib/prometheus/node-exporter/agentdoctor.prom"),
    ("What was told of one rule, with cause and fix:", "journalctl -x AGENTDOCTOR_RULE=disk-full"),
)  # fmt: skip
_ENVIRONMENT = (
    ("NO_COLOR", "If it is set, text on a terminal has no colours."),
    ("COLUMNS", "How wide the help is."),
    ("AWS_ACCESS_KEY_ID and others", "As boto3 takes them, where a message is sent to SNS."),
)
_CODE = re.compile(r"^  (\d)  (.*)$", re.MULTILINE)


def page() -> str:
    """The page, without its title line."""
    program, *verbs = commands()
    common = _common([verb for verb in verbs if not verb.verbs])
    return "".join(
        (
            roff.section("Name"),
            roff.first(f"agentdoctor \\- {roff.text(SUMMARY)}"),
            roff.section("Synopsis"),
            _synopsis(program),
            roff.section("Description"),
            roff.prose(f"{program.about}\n{_MORE}"),
            roff.section("Commands"),
            *(_command(verb, common) for verb in verbs if not verb.verbs),
            roff.section("Options"),
            roff.first("Of agentdoctor alone:"),
            *map(_option, program.options),
            roff.paragraph("Of every command:"),
            *map(_option, common),
            roff.section("Exit status"),
            roff.first("If the command says nothing else above:"),
            _codes(program.epilog),
            roff.section("Environment"),
            roff.items((roff.bold(name), roff.text(about)) for name, about in _ENVIRONMENT),
            roff.section("Files"),
            roff.items(_files()),
            roff.section("Examples"),
            roff.items((roff.text(about), roff.bold(typed)) for about, typed in _EXAMPLES),
            roff.section("See also"),
            roff.first("\\fBagentdoctor.yaml\\fR(5), \\fBagentdoctor\\-rules\\fR(5), \\fBjournalctl\\fR(1)"),
        )
    )


def _common(verbs: list[Command]) -> list[Option]:
    """The options that every command has, said once."""
    return [option for option in verbs[0].options if all(option in verb.options for verb in verbs)]


def _synopsis(program: Command) -> str:
    rows = [" ".join(("\\fBagentdoctor\\fR", roff.italic("COMMAND"), "[\\fIOPTION\\fR]...", "[\\fIARGUMENT\\fR]..."))]
    rows += [f"\\fBagentdoctor\\fR {roff.bold(option.flags[-1])}" for option in program.options]
    return "\n.br\n".join(rows) + "\n"


def _command(verb: Command, common: list[Option]) -> str:
    named = " ".join((roff.bold(" ".join(("agentdoctor", *verb.path))), *map(_shown, verb.arguments)))
    about = [(roff.italic(x.name), roff.text(_about(x.about, x.words))) for x in verb.arguments if x.about or x.words]
    own = [option for option in verb.options if option not in common]
    codes = f"{roff.paragraph('Its exit status:')}{_codes(verb.epilog)}" if verb.epilog else ""
    return "".join(
        (roff.subsection(named), roff.first(roff.text(verb.about)), roff.items(about), *map(_option, own), codes)
    )


def _shown(argument: Argument) -> str:
    name = roff.italic(argument.name)
    return {None: name, "?": f"[{name}]", "*": f"[{name}]...", "+": f"{name}..."}[argument.nargs]


def _option(option: Option) -> str:
    flags = ", ".join(map(roff.bold, option.flags))
    value = f" {roff.italic(option.value)}" if option.value else ""
    return roff.item(f"{flags}{value}", roff.text(_about(option.about, option.words)))


def _about(about: str, words: tuple[str, ...]) -> str:
    """Sentences: the help has none with a capital and a stop."""
    said = f"{about[:1].upper()}{about[1:]}".rstrip(".")
    choice = f"One of {', '.join(words)}." if words else ""
    return " ".join(filter(None, (f"{said}." if said else "", choice)))


def _codes(epilog: str) -> str:
    return roff.items((roff.bold(code), roff.text(_about(words, ()))) for code, words in _CODE.findall(epilog))


def _files() -> list[tuple[str, str]]:
    return [
        (roff.italic(DEFAULT_PATH), "The settings; see \\fBagentdoctor.yaml\\fR(5)."),
        (roff.italic(f"{Settings.rules_dir}/*.yaml"), "Rules of this site; see \\fBagentdoctor\\-rules\\fR(5)."),
        (roff.italic(Settings.state_dir), "What the service knows, and what it has not sent yet."),
    ]
