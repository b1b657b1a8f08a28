"""The completions by file name."""

from __future__ import annotations

from collections.abc import Mapping

import bash
import fish
import zsh
from commands import commands


def scripts() -> Mapping[str, str]:
    """For each shell, by its name; each shell looks for another one, which the package gives it."""
    known = commands()
    return {"bash": bash.script(known), "zsh": zsh.script(known), "fish": fish.script(known)}
