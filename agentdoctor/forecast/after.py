"""The files of an instance as they are once the agent has removed what its clean-up list names."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Collection

from agentdoctor.host import Host


class After:
    """Answers for paths that are absolute and plain. OSError where nobody may look."""

    def __init__(self, host: Host, cleaned: Collection[str]) -> None:
        self._host = host
        self._cleaned = frozenset(map(plain, cleaned))
        self._gone: dict[str, bool] = {"/": False}

    def stands(self, path: str) -> str:
        """file, directory or other, links followed; "" for nothing, and for a link to nothing (File.exist? of Ruby)."""
        if self.gone(path):
            return ""
        try:
            mode = os.stat(self._host.path(path)).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return ""
        return "directory" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"

    def gone(self, path: str) -> bool:
        """Whether it is removed first: a file or link on the list, a directory on it that is then empty."""
        known = self._gone.get(path)
        if known is None:
            known = self._gone[path] = self.gone(posixpath.dirname(path)) or (
                path in self._cleaned and self._removed(path)
            )
        return known

    def _removed(self, path: str) -> bool:
        try:
            mode = os.lstat(self._host.path(path)).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return True
        if not stat.S_ISDIR(mode):
            return True
        with os.scandir(self._host.path(path)) as found:
            return all(self._left(f"{path.rstrip('/')}/{one.name}") for one in found)

    def _left(self, child: str) -> bool:
        """Of what lies in a directory: only what is on the list itself can leave it empty."""
        return child in self._cleaned and self._removed(child)


def plain(path: str) -> str:
    """A path without doubled slashes, . and .., as File.expand_path makes it."""
    return "/" + posixpath.normpath(path).lstrip("/")
