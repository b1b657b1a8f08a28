"""A name for each secret: the same one wherever that secret stands in a snapshot, and nothing about it otherwise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from agentdoctor import secrets

# What follows a name such as ``token:`` and is known from elsewhere is an id, and stays where it stands alone.
_ID = re.compile(r"d-[A-Z0-9]{9}|i-[0-9a-f]{8,17}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|arn:.*|[/~].*|[\d.:-]+")
_LEAST = 8  # characters: shorter ones are words that stand in a log for other reasons


class Pseudonyms:
    """Names such as ``<password-1>``. Which secret has which name is kept in memory alone, and never written.

    ``others``: what else shall get a name, as (kind, pattern).
    """

    def __init__(self, others: Sequence[tuple[str, re.Pattern[str]]] = ()) -> None:
        self._others = others
        self._names: dict[str, str] = {}
        self._last: Counter[str] = Counter()

    def clean(self, text: str, counts: Counter[str]) -> str:
        """The text with names for secrets that show by form or place; ``counts`` is told how many of which kind."""

        def put(kind: str, secret: str) -> str:
            counts[kind] += 1
            return self._name(kind, secret)

        text = secrets.replace(text, put)
        for kind, pattern in self._others:
            text = pattern.sub(lambda match, kind=kind: put(kind, match[0]), text)  # type: ignore[misc]
        return text

    def sweep(self, text: str, counts: Counter[str]) -> str:
        """The same for the secrets that are known by now, where they stand without what told them."""
        if self._bare is None:
            return text

        def put(match: re.Match[str]) -> str:
            name = self._names[match[0]]
            counts[name.strip("<>").rpartition("-")[0]] += 1
            return name

        return self._bare.sub(put, text)

    def learn(self) -> None:
        """To be called when all texts have been cleaned: what is known now is swept for."""
        known = [x for x in self._names if len(x) >= _LEAST and "\n" not in x and not _ID.fullmatch(x)]
        known = [x for x in known if re.search(r"\d", x) and re.search(r"[A-Za-z]", x)]
        choice = "|".join(map(re.escape, sorted(known, key=lambda x: (-len(x), x))))
        self._bare = re.compile(rf"(?<![A-Za-z0-9])(?:{choice})(?![A-Za-z0-9])") if choice else None

    _bare: re.Pattern[str] | None = None

    def _name(self, kind: str, secret: str) -> str:
        if secret not in self._names:
            self._last[kind] += 1
            self._names[secret] = f"<{kind}-{self._last[kind]}>"
        return self._names[secret]


def in_all(value: Any, change: Any) -> Any:
    """The same value of JSON with each text in it changed, but for the keys of maps."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: in_all(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [in_all(item, change) for item in value]
    return value


_ADDRESS = re.compile(r"(?<![\w.])(?!169\.254\.|127\.|0\.0\.0\.0)(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")


def of_host(name: str | None, account: str | None) -> list[tuple[str, re.Pattern[str]]]:
    """What tells which host it is, beside its instance id: account, addresses, and the host's own name."""
    found = [("account", re.compile(r"(?<=::)\d{12}(?=:)|(?<=[a-z0-9]:)\d{12}(?=:)")), ("address", _ADDRESS)]
    found += [("account", re.compile(rf"(?<!\d){re.escape(account)}(?!\d)"))] if account else []
    if name and name not in ("localhost", "codedeploy-agent", "host"):
        found.append(("host", re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")))
    found.append(("host", re.compile(r"(?<![\w-])ip(?:-\d{1,3}){4}(?![\w-])")))
    return found
