"""Settings: /etc/agentdoctor/agentdoctor.yaml as a frozen value. Everything has a default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentdoctor.host import IMDS_ENDPOINT

DEFAULT_PATH = "/etc/agentdoctor/agentdoctor.yaml"


class SettingsError(ValueError):
    """Settings that cannot be used, and why; the text starts with the file."""


@dataclass(frozen=True)
class Settings:
    """What a person may set."""

    root: str = "/"
    rules_dir: str = "/etc/agentdoctor/rules.d"
    imds_endpoint: str = IMDS_ENDPOINT


# Where each setting stands in the file, and what it must be. Keys of parts that are not built yet are known, so
# that one file serves every version.
_KEYS: Mapping[str, Any] = {
    "root": str,
    "state_dir": str,
    "rules_dir": str,
    "imds": {"endpoint": str},
    "sns": {"topic_arn": str, "endpoint_url": str},
}


def load(path: str | None) -> Settings:
    """Read settings. Without a path the default file is read if it is there; a path that is named must exist."""
    try:
        with open(path or DEFAULT_PATH, encoding="utf-8") as file:
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        if path is None:
            return Settings()
        raise SettingsError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise SettingsError(f"{path or DEFAULT_PATH}: {reason}") from None
    return parse(text, path or DEFAULT_PATH)


def parse(text: str, origin: str) -> Settings:
    """Settings from YAML text. SettingsError on YAML errors, unknown keys and wrong types."""
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{origin}:{mark.line + 1}" if mark else origin
        raise SettingsError(f"{where}: {getattr(error, 'problem', None) or 'not YAML'}") from None
    values = _checked(data if data is not None else {}, _KEYS, origin, "")
    settings = Settings(
        root=values.get("root") or Settings.root,
        rules_dir=values.get("rules_dir") or Settings.rules_dir,
        imds_endpoint=(values.get("imds") or {}).get("endpoint") or IMDS_ENDPOINT,
    )
    if not settings.imds_endpoint.startswith("http://"):
        raise SettingsError(f"{origin}: imds.endpoint must begin with http://, not {settings.imds_endpoint!r}")
    if not os.path.isabs(settings.root):
        raise SettingsError(f"{origin}: root must be an absolute path, not {settings.root!r}")
    return settings


def _checked(data: Any, keys: Mapping[str, Any], origin: str, prefix: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise SettingsError(f"{origin}: {prefix.rstrip('.') or 'the file'} must be a mapping, not {data!r}")
    for key, value in data.items():
        name = f"{prefix}{key}"
        if key not in keys:
            from agentdoctor.nearest import nearest

            raise SettingsError(f"{origin}: unknown key {name!r}{nearest(str(key), keys)}")
        if isinstance(keys[key], Mapping):
            _checked(value if value is not None else {}, keys[key], origin, f"{name}.")
        elif value is not None and not isinstance(value, keys[key]):
            raise SettingsError(f"{origin}: {name} must be a text, not {value!r}")
    return data
