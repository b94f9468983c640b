# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the playbooks, and which variable names are ours. Pure."""

from __future__ import annotations

import difflib
import re
import typing as t

from . import findings

PLAY_OPTIONS: dict[str, dict[str, t.Any]] = {
    "standby_host": {"type": "str"},
    "master_host": {"type": "str"},
    "existing_data": {"type": "str", "choices": ["refuse", "keep", "discard"], "default": "refuse"},
    "master_restart_allowed": {"type": "bool", "default": False},
    "replace_standby": {"type": "bool", "default": False},
    "additional_standby": {"type": "bool", "default": False},
    "master_is_down": {"type": "bool", "default": False},
    "accept_data_loss": {"type": "bool", "default": False},
    "fence_command": {"type": "str"},
    "fence_command_timeout": {"type": "int", "default": 30},
    "ignore_witness": {"type": "list", "elements": "str", "default": []},
    "stale_seconds": {"type": "int", "default": 60},
    "resync_route": {"type": "str", "choices": ["start", "follow", "rewind", "delta", "snapshot"]},
    "drain_seconds": {"type": "int", "default": 0},
    "report_file": {"type": "path"},
    "state_file": {"type": "path"},
    "state_query": {"type": "str"},
    "state_fail": {"type": "bool", "default": True},
    "state_expect_standby": {"type": "bool"},
    "state_accept": {"type": "list", "elements": "str", "default": []},
    "state_lag_megabytes": {"type": "int", "default": 16},
    "ssh_connect_timeout": {"type": "int", "default": 5},
}

#: variables of roles that judgement asks for: the role, the variable, and what judgement calls it
JUDGED = (
    ("binaries", "binaries_method", "binaries_method"),
    ("ssh_keys", "ssh_keys_restrict", "ssh_keys_restrict"),
    ("master", "master_replication_user", "replication_user"),
    ("master", "master_segment_user", "segment_user"),
    ("master", "master_view_databases", "view_databases"),
    ("master", "master_wal_keep_megabytes", "wal_keep_megabytes"),
    ("standby", "standby_snapshot_tablespace_mapping", "tablespace_mapping"),
)

ROLE_NAME = (r"(?!(all|replication|pg_.*)$)[a-z_][a-z0-9_]{0,55}", "a plain lower-case role name")
#: roles that must be two, with their defaults
ROLES = {"master_replication_user": "hawq_mirroring", "master_segment_user": "hawq_mirroring_segment"}
#: values that only fail when the work has begun, each with what fits
PATTERNS = {
    "master_replication_user": ROLE_NAME,
    "master_segment_user": ROLE_NAME,
    "segment_interval": (r"[1-9]\d*", "a number of seconds above 0"),
    "state_lag_megabytes": (r"\d+", "a number of megabytes"),
    "standby_snapshot_rate_limit": (r"(\d+[kM]?)?", "a number of kB per second, or one with M"),
    "server_port": (r"[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]", "a port from 1 to 65535"),
    "master_wal_keep_megabytes": (r"[1-9]\d*", "a number of megabytes above 0"),
    "drain_seconds": (r"\d+", "a number of seconds"),
    "fence_command_timeout": (r"[1-9]\d*", "a number of seconds above 0"),
    "stale_seconds": (r"\d+", "a number of seconds"),
    "virtual_ip_address": (
        r"|(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*)/\d{1,3}",
        "an address with its prefix",
    ),
    "data_directory_path": (
        r"(?!.*/\.{1,2}(/|$))(/[A-Za-z0-9._-]+){2,}",
        "an absolute path of at least two names, such as /data/hawq/master, of letters, digits, dots, underscores and"
        " dashes, none of them . or ..",
    ),
    "gpadmin_user_name": (r"[a-z_][a-z0-9_-]{0,31}", "a plain user name"),
}

#: how alike a name must be to one of ours to be taken for a misspelling
LIKENESS = 0.8


def misspelt(names: t.Iterable[str], known: t.Iterable[str], prefixes: t.Iterable[str]) -> dict[str, str | None]:
    """Return unknown names that must be meant for us, each with the closest known name.

    A name is meant for us when it starts with the name of one of our roles, or nearly is one of our names.
    """
    known = set(known)
    found = {}
    for name in names:
        if name in known:
            continue
        close = difflib.get_close_matches(name, known, n=1, cutoff=LIKENESS)
        if close or any(name.startswith(prefix + "_") for prefix in prefixes):
            found[name] = close[0] if close else None
    return found


def misfits(values: dict[str, t.Any]) -> list[str]:
    """Return a sentence for each value that cannot work."""
    found = [
        f"{name} is {values[name]!r}, and must be {words}"
        for name, (pattern, words) in PATTERNS.items()
        if values.get(name) is not None and not re.fullmatch(pattern, str(values[name]))
    ]
    roles = {name: values.get(name) or role for name, role in ROLES.items()}
    if len(set(roles.values())) < len(roles):
        found.append(f"{' and '.join(roles)} are one role, and segments must not replicate: name two")
    return found


def names(given: list[str] | None) -> list[str]:
    """Return names as they were meant: people put a blank behind a comma."""
    return [name.strip() for name in given or [] if name.strip()]


def unacceptable(given: list[str]) -> list[str]:
    """Return a sentence when a kind of problem is to be accepted that is none, or that cannot be accepted."""
    wrong = [name for name in given if name not in findings.ACCEPTABLE]
    if not wrong:
        return []
    known = ", ".join(findings.ACCEPTABLE)
    return [f"state_accept names {', '.join(wrong)}, and what can be accepted is: {known}"]


def strangers(given: list[str], segments: list[str]) -> list[str]:
    """Return a sentence when a witness that is to be ignored is none."""
    found = [name for name in given if name not in segments]
    known = f"its hosts are {', '.join(segments)}" if segments else "it has no hosts"
    return [f"ignore_witness names {', '.join(found)}, not in the group segments ({known})"] if found else []


def sentence(wrong: dict[str, str | None], where: str) -> str:
    """Return the refusal of misspelt names."""
    hints = [f"{name}" + (f" (did you mean {close}?)" if close else "") for name, close in sorted(wrong.items())]
    return f"unknown variables {where}: {', '.join(hints)}"
