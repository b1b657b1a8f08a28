"""The peers: tools of the distribution that do a part of the same work, and our patterns in their languages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from agentdoctor.model import Rule

PACKAGES = {
    "rg": "ripgrep",
    "fail2ban-regex": "fail2ban",
    "fail2ban-client": "fail2ban",
    "fail2ban-server": "fail2ban",
    "aws": "awscli",
}


class Absent(Exception):
    """A peer that is not installed; the text says which Debian package has it."""


def find(tool: str) -> str:
    """The path of a peer. The distribution's own comes before others on the PATH, which may be wrapped."""
    path = shutil.which(tool, path="/usr/bin:/bin") or shutil.which(tool)
    if path is None:
        raise Absent(f"{tool} is not installed: Debian package {PACKAGES[tool]}")
    return path


def patterns(rules: Sequence[Rule]) -> list[str]:
    """What the rules look for, each pattern once: siblings share theirs."""
    return list(dict.fromkeys(pattern for rule in rules for pattern in rule.patterns))


def for_ripgrep(rules: Sequence[Rule], folder: Path) -> tuple[Path, list[str]]:
    """A file of patterns for ``rg -f``, and those that its engine refuses: they speak of more than one line."""
    rg = find("rg")
    known = [_plainer(pattern) for pattern in patterns(rules)]
    refused = [pattern for pattern in known if not _takes(rg, pattern)]
    return _written(folder / "patterns.rg", [x for x in known if x not in refused]), refused


def _takes(rg: str, pattern: str) -> bool:
    tried = subprocess.run([rg, "-q", "-e", pattern, os.devnull], stderr=subprocess.DEVNULL, check=False)
    return tried.returncode < 2  # 1: nothing found, which is no wonder


def _plainer(pattern: str) -> str:
    """The same search without what only we need or only our engine knows.

    Names of groups stand in several patterns, which rg would join into one; look-ahead only narrows what is found,
    and where a line ends is what ``$`` says too.
    """
    bare = re.sub(r"\(\?P<\w+>", "(?:", pattern)
    # Limits of repeats bound our engine's time; to an automaton they are states, and cost it its speed.
    bare = re.sub(r"\{0,\d{2,}\}", "*", re.sub(r"\{1,\d{2,}\}", "+", bare))
    return re.sub(r"\(\?[!=][^()]*\)", "", bare).replace(r"|\n|$)", "|$)")


def for_fail2ban(rules: Sequence[Rule], folder: Path) -> Path:
    """A filter for fail2ban-regex, written as its manual advises: the form of the stamp and of the header is given.

    To guess the stamp would cost the peer time, and so would trying every pattern on lines of a stack trace.
    """
    lines = [_plainer(pattern).replace("%", "%%") for pattern in patterns(rules)]
    header = r" +[A-Z]+ +\[codedeploy-agent\(<F-ID>\d+</F-ID>\)\]: <F-CONTENT>.+</F-CONTENT>$"
    return _written(
        folder / "agentdoctor.conf",
        [
            "[Definition]",
            f"prefregex = ^{header}",
            "failregex = " + "\n            ".join(lines),
            "datepattern = ^%%Y-%%m-%%dT%%H:%%M:%%S",
        ],
    )


def _written(path: Path, lines: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
