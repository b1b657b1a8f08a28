"""Completions, asked of the real shells."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agentdoctor import rules as catalogue
from conftest import TOP

sys.path.insert(0, str(TOP / "packaging/docs"))
from commands import commands

IDS = set(catalogue.load().ids)
FORMATS = {"text", "json", "jsonl", "nagios", "prometheus", "junit", "markdown"}
VERBS = {name for name, _ in commands()[0].verbs}
ENTRIES = {"a file.log", "b.log", "folder"}

# What is typed up to the cursor, and what is offered; of flags those that begin with what was typed.
CASES = {
    "verbs": (["agentdoctor", ""], VERBS),
    "the beginning of a verb": (["agentdoctor", "s"], {"scan", "snapshot", "status", "silence", "schema"}),
    "actions": (["agentdoctor", "rules", ""], {"list", "show", "test", "lint", "draft"}),
    "the action of one": (["agentdoctor", "config", "s"], {"show"}),
    "flags": (["agentdoctor", "check", "--s"], {"--since", "--skip", "--snapshot"}),
    "flags of an action": (["agentdoctor", "rules", "draft", "--i"], {"--id"}),
    "formats": (["agentdoctor", "check", "--format", ""], FORMATS),
    "formats of another verb": (["agentdoctor", "lint", "--format", ""], {"text", "json", "sarif", "github", "junit"}),
    "the beginning of a format": (["agentdoctor", "scan", "--format", "j"], {"json", "jsonl", "junit"}),
    "severities": (["agentdoctor", "check", "--fail-on", "w"], {"warning"}),
    "rules to explain": (["agentdoctor", "explain", "disk-"], {id_ for id_ in IDS if id_.startswith("disk-")}),
    "rules to verify": (["agentdoctor", "verify", "disk-full", "inodes-"], {"inodes-full"}),
    "a rule alone": (["agentdoctor", "check", "--only", "clock-"], {"clock-skew"}),
    "a rule to skip": (["agentdoctor", "check", "--only", "clock-skew", "--skip", "inodes-"], {"inodes-full"}),
    "a rule to silence": (["agentdoctor", "silence", "inodes-"], {"inodes-full"}),
    "how long": (["agentdoctor", "silence", "disk-full", "--for", "2"], {"2h"}),
    "a name of schemas": (["agentdoctor", "schema", ""], {"report", "line", "lint"}),
    "files": (["agentdoctor", "scan", ""], ENTRIES),
    "files after a word that is a verb too": (["agentdoctor", "scan", "check", ""], ENTRIES),
    "a file for an option": (["agentdoctor", "check", "--config", "b"], {"b.log"}),
    "folders": (["agentdoctor", "check", "--root", ""], {"folder"}),
    "nothing for a number": (["agentdoctor", "check", "--timeout", ""], set()),
    "nothing for an id that is new": (["agentdoctor", "rules", "draft", "--id", ""], set()),
    "nothing for an id of another kind": (["agentdoctor", "lint", "--deployment-group-id", ""], set()),
    "nothing after a verb without arguments": (["agentdoctor", "status", ""], set()),
}
SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The completions, as a build makes them."""
    directory = tmp_path_factory.mktemp("completions")
    subprocess.run(
        [sys.executable, TOP / "packaging/docs", "completions", directory],
        env={**os.environ, "PYTHONPATH": str(TOP)},
        check=True,
    )
    return directory


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A folder with entries to offer, and agentdoctor on the PATH: the rules of this site come from it."""
    (tmp_path / "here/folder").mkdir(parents=True)
    (tmp_path / "here/a file.log").write_text("")
    (tmp_path / "here/b.log").write_text("")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/agentdoctor"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={TOP} exec {sys.executable} -m agentdoctor "$@"\n')
    program.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    return {**kept, "PATH": f"{tmp_path}/bin:{kept['PATH']}", "HOME": str(tmp_path), "TERM": "dumb"}


def of_bash(words: list[str], scripts: Path, environment: dict[str, str], here: Path) -> set[str]:
    """The function that complete -F named, called as bash calls it."""
    asked = """
        source "$1"; shift
        function_=$(complete -p agentdoctor | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        "$function_" agentdoctor "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    command = ["bash", "--norc", "-c", asked, "bash", scripts / "bash", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=here, env=environment, check=True)
    assert done.stderr == ""
    return set(done.stdout.splitlines()) - {""}


def of_fish(words: list[str], scripts: Path, environment: dict[str, str], here: Path) -> set[str]:
    """complete -C prints what Tab would offer, each with its description behind a tab."""
    typed = f"source {scripts}/fish; complete -C '{' '.join(words)}'"
    command = ["fish", "--no-config", "-c", typed]
    done = subprocess.run(command, capture_output=True, text=True, cwd=here, env=environment, check=True)
    assert done.stderr == ""
    return {row.split("\t")[0].rstrip("/").replace("\\ ", " ") for row in done.stdout.splitlines()}


# A widget that asks the completion system as Tab does, and writes what it would offer instead of offering it.
_ZSHRC = """
fpath=({scripts} $fpath)
autoload -Uz compinit && compinit -u -D
typeset -a offered
compadd() {{
    local -a found
    # calls that fill an array of the caller offer nothing
    [[ " $* " == *' -'[OAD]' '* ]] || {{ builtin compadd -O found "$@"; offered+=($found); }}
    builtin compadd "$@"
}}
asked() {{
    offered=(); _main_complete
    compstate[insert]= compstate[list]=
    print -l -- $offered END > {answer}.new && mv {answer}.new {answer}
}}
zle -C asked complete-word asked
bindkey '^T' asked
PS1='ready> '
"""


def of_zsh(words: list[str], scripts: Path, environment: dict[str, str], here: Path) -> set[str]:
    """An interactive zsh on a terminal of its own: its completion does not work without."""
    answer = here.parent / "answer"
    shutil.copy(scripts / "zsh", here.parent / "_agentdoctor")  # as zsh looks for it
    (here.parent / ".zshrc").write_text(_ZSHRC.format(scripts=here.parent, answer=answer))
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-d", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=here,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        _until(ours, lambda seen: "ready> " in seen)
        os.write(ours, " ".join(words).encode() + b"\x14")
        seen = _until(ours, lambda _: answer.exists())
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
    assert answer.exists(), seen
    rows = {row.rstrip("/") for row in answer.read_text().splitlines()} - {"END", ""}
    # where nothing else fits zsh offers flags, though no dash was typed
    return rows if words[-1].startswith("-") else {row for row in rows if not row.startswith("-")}


def _until(terminal: int, done: Callable[[str], bool]) -> str:
    """What a terminal shows until something holds; a minute is no measure, only an end."""
    seen, end = "", time.monotonic() + 60
    while not done(seen):
        assert time.monotonic() < end, seen
        if select.select([terminal], [], [], 0.05)[0]:
            seen += os.read(terminal, 65536).decode("utf-8", "replace")
    return seen


ASK = {"bash": of_bash, "zsh": of_zsh, "fish": of_fish}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("words", "offered"), CASES.values(), ids=CASES)
def test_offered(
    words: list[str], offered: set[str], shell: str, scripts: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """All that fits, and nothing else."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    assert ASK[shell](words, scripts, environment, tmp_path / "here") == offered


def test_bash_takes_an_equals_sign_for_a_word(scripts: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """--format=j is three words to bash, and one value to people."""
    words = ["agentdoctor", "check", "--format", "="]
    here = tmp_path / "here"

    assert of_bash(words, scripts, environment, here) == FORMATS
    assert of_bash([*words, "ju"], scripts, environment, here) == {"junit"}


def test_rules_of_the_site_are_offered(scripts: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """The shells ask the program, which knows them; here it is one that knows but one rule."""
    program = tmp_path / "bin/agentdoctor"
    program.write_text('#!/bin/sh\n[ "$*" = "rules list" ] && echo "site-rule   critical  Its title is here"\n')
    words = ["agentdoctor", "explain", ""]

    for shell in filter(shutil.which, SHELLS):
        assert ASK[shell](words, scripts, environment, tmp_path / "here") == {"site-rule"}
        (tmp_path / "answer").unlink(missing_ok=True)


@pytest.mark.parametrize("name", SHELLS)
def test_every_option_is_in_each_script(name: str, scripts: Path) -> None:
    """As the shell writes it; a verb that is new comes into all three."""
    script = (scripts / name).read_text()

    for command in commands():
        assert all(verb in script for verb in command.path)
        for flag in (flag for option in command.options for flag in option.flags):
            shown = f"{'-l' if flag.startswith('--') else '-s'} {flag.lstrip('-')}" if name == "fish" else flag
            assert shown in script


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_bash_script_is_sound(scripts: Path) -> None:
    """SC2317: the functions are called by names that are put together."""
    command = ["shellcheck", "-s", "bash", "-e", "SC2317", scripts / "bash"]

    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == ""
