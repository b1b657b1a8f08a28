"""agentdoctor-rules(5), from the table of the keys of a rule."""

from __future__ import annotations

from collections.abc import Iterable

import roff

from agentdoctor.probes import names
from agentdoctor.rules import keys
from agentdoctor.rules.keys import Key
from agentdoctor.settings import Settings

SUMMARY = "known failures of agentdoctor, a file each"
_ABOUT = """
Each known failure is one YAML file, named by its id: two words or more in lower case with hyphens, which name the
state and not the cure. A site puts its own beside the shipped ones; it cannot take the id of one of those.

Keys that are not known, and patterns that could take more than linear time, are errors with file and line. A rule of
the site that cannot be used is left out, said on standard error, and is a finding of check.

A pattern is a regular expression of Python. It is searched in the message of a record: without stamp, level and
program. Its named groups, region, instance_id, deployment_id, group_id, event, script and the texts that a probe saw
replace the names in braces.
"""
_PROOF = (
    "Each key is a probe, and below it stand fields of its answer with the value that each must have: a value, a list "
    "of values of which it must be one, or a mapping of bounds. All must hold for the verdict confirmed; one that "
    "differs rules the cause out. Of a list of such mappings each alone is proof. The probes are:"
)
_PARTS = (
    ("Keys of a rule", keys.RULE),
    ("Keys of a signature", keys.SIGNATURE),
    ("Bounds of a value", keys.BOUNDS),
    ("Keys of a step of the remediation", keys.STEP),
    ("Keys of a recovery", keys.RECOVERY),
    ("Keys of a sample", keys.SAMPLE),
)
_EXAMPLE = r"""
title: The licence server does not answer
severity: critical
area: site
agents: [1.x]
signature:
  any: 'Script at specified location: (?P<script>\S+) failed with exit code 78\b'
subject: script
cause: The script {script} ends with 78 when it cannot reach the licence server.
remediation:
  - text: See whether the licence server answers
    where: instance
    command: curl -sS --max-time 5 https://licence.example.com/health
recovery: {event: same}
docs: https://wiki.example.com/licences
samples:
  - agent: 1.8.1
    text: 'Script at specified location: scripts/licence.sh failed with exit code 78'
  - agent: 1.8.1
    match: false
    text: 'Script at specified location: scripts/licence.sh failed with exit code 1'
"""
_TYPED = "agentdoctor rules draft FILE\nagentdoctor rules lint FILE\nagentdoctor rules test\nagentdoctor rules show ID"


def page() -> str:
    """The page, without its title line."""
    return "".join(
        (
            roff.section("Name"),
            roff.first(f"agentdoctor\\-rules \\- {roff.text(SUMMARY)}"),
            roff.section("Synopsis"),
            roff.first(roff.italic(f"{Settings.rules_dir}/ID.yaml")),
            roff.section("Description"),
            roff.prose(_ABOUT),
            *(f"{roff.section(heading)}{_table(table)}" for heading, table in _PARTS),
            roff.section("Proof"),
            roff.first(roff.text(_PROOF)),
            roff.paragraph(", ".join(map(roff.bold, sorted(names())))),
            roff.section("Examples"),
            roff.first("A rule of a site:"),
            roff.example(_EXAMPLE),
            roff.paragraph(
                "To begin one from a log, to judge it, to run the samples of all, and to see a shipped one:"
            ),
            roff.example(_TYPED),
            roff.section("See also"),
            roff.first("\\fBagentdoctor\\fR(1), \\fBagentdoctor.yaml\\fR(5)"),
        )
    )


def _table(table: Iterable[Key]) -> str:
    return roff.items((roff.bold(key.name), roff.text(_words(key))) for key in table)


def _words(key: Key) -> str:
    choice = f" One of {', '.join(key.words)}." if key.words else ""
    if key.default == keys.REQUIRED:
        needed = " It must be there."
    else:
        needed = f" The default is {key.default}." if key.default else ""
    return f"{key.about} ({key.kind}){choice}{needed}".replace(".  ", ". ")
