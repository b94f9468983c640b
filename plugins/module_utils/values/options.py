# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the playbooks, and which variable names are ours. Pure."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from . import findings, forms
from .clusters import SEGMENTS, WITNESSES
from .command import group

PLAY_OPTIONS: dict[str, dict[str, t.Any]] = {
    "cluster": {"type": "str"},
    "standby_host": {"type": "str"},
    "master_host": {"type": "str"},
    "existing_data": {"type": "str", "choices": ["refuse", "keep", "discard"], "default": "refuse"},
    "master_restart_allowed": {"type": "bool", "default": False},
    "remove_standbys": {"type": "bool", "default": False},
    "replace_standby": {"type": "bool", "default": False},
    "additional_standby": {"type": "bool", "default": False},
    "master_is_down": {"type": "bool", "default": False},
    "accept_data_loss": {"type": "bool", "default": False},
    "accept_collation_difference": {"type": "bool", "default": False},
    "fence_command": {"type": "str"},
    "fence_command_timeout": {"type": "int", "default": 30},
    "ignore_witness": {"type": "list", "elements": "str", "default": []},
    "stale_seconds": {"type": "int", "default": 60},
    "resync_route": {"type": "str", "choices": ["start", "follow", "rewind", "delta", "snapshot"]},
    "drain_seconds": {"type": "int", "default": 0},
    "other_slots": {"type": "str", "choices": ["refuse", "lose", "remake"], "default": "refuse"},
    "accept_settings": {"type": "list", "elements": "str", "default": []},
    # what is not said stays as the guards of the pair have it
    "mirroring_mode": {"type": "str", "choices": ["asynchronous", "synchronous", "strict"]},
    "mirroring_degrade_after": {"type": "float"},
    "mirroring_synchronous_count": {"type": "int"},
    "report_file": {"type": "path"},
    "state_file": {"type": "path"},
    "state_query": {"type": "str"},
    "state_fail": {"type": "bool", "default": True},
    "state_expect_standby": {"type": "bool"},
    "state_accept": {"type": "list", "elements": "str", "default": []},
    "state_lag_megabytes": {"type": "int", "default": 16},
    "ssh_connect_timeout": {"type": "int", "default": 5},
}

#: what only the command line says: an inventory may have a variable of that name for another purpose
COMMAND_LINE = ("cluster",)

#: variables of roles that judgement asks for: the role, the variable, and what judgement calls it
JUDGED = (
    ("binaries", "binaries_method", "binaries_method"),
    ("binaries", "binaries_packages", "binaries_packages"),
    ("ssh_keys", "ssh_keys_restrict", "ssh_keys_restrict"),
    ("master", "master_replication_user", "replication_user"),
    ("master", "master_segment_user", "segment_user"),
    ("master", "master_view_databases", "view_databases"),
    ("master", "master_wal_keep_megabytes", "wal_keep_megabytes"),
    ("standby", "standby_snapshot_tablespace_mapping", "tablespace_mapping"),
    ("standby", "standby_restore_command", "archive"),
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
    "mirroring_degrade_after": (r"(?!0*(\.0*)?$)\d{1,6}(\.\d+)?", "a number of seconds above 0"),
    "witness_interval": (r"(?!0*(\.0*)?$)\d{1,6}(\.\d+)?", "a number of seconds above 0"),
    # as it is written for the server
    "mirroring_synchronous_count": (r"[1-9]\d{0,2}", "a number of standbys from 1 to 999"),
    "virtual_ip_address": (
        r"|(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*)/\d{1,3}",
        "an address with its prefix, such as 192.0.2.10/24",
    ),
    "data_directory_path": (
        r"(?!.*/\.{1,2}(/|$))(/[A-Za-z0-9._-]+){2,}",
        "an absolute path of at least two names, such as /data/hawq/master, of letters, digits, dots, underscores and"
        " dashes, none of them . or ..",
    ),
    "gpadmin_user_name": (r"[a-z_][a-z0-9_-]{0,31}", "a plain user name"),
}

#: numbers that may be 0; every other one is above it
FROM_ZERO = ("drain_seconds", "stale_seconds", "state_lag_megabytes")
#: no other collection's variables begin so
OURS = ("gpadmin_user_", "standby_snapshot_", "hawq_mirroring_")
#: names of at least this length may have two slips, shorter ones one
LONG = 12


def misspelt(names: t.Iterable[str], known: t.Iterable[str]) -> dict[str, str | None]:
    """Return unknown names that are most likely meant for us, each with the known name that it is a slip of, if any.

    Others have variables that begin like ours (``server_role``): only a slip or two makes one of them ours.
    """
    known = sorted(known)
    found = {}
    for name in sorted(names):
        if name in known:
            continue
        close = next((ours for ours in known if _is_slip(name, ours)), None)
        if close or name.startswith(OURS):
            found[name] = close
    return found


def _is_slip(name: str, ours: str) -> bool:
    most = 2 if len(ours) >= LONG else 1
    return abs(len(name) - len(ours)) <= most and distance(name.lower(), ours.lower()) <= most


def distance(one: str, other: str) -> int:
    """Return how many slips of the hand lie between two words: letters too many, missing, wrong, or exchanged."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, its in enumerate(other, 1):
            least = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != its))
            exchanged = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == its
            now.append(min(least, before[column - 2] + 1) if exchanged else least)
        before, last = last, now
    return last[-1]


def convert(values: t.Mapping[str, t.Any], spec: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Return the values of options, where a text stands for a number, a list or a dictionary as that."""
    return {name: forms.meant(value, spec[name].get("type", "str")) for name, value in values.items()}


def numbers(values: t.Mapping[str, t.Any]) -> list[str]:
    """Return a sentence for each number that is too small or too large for what it says."""
    found = []
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int):
            continue
        least = 0 if name in FROM_ZERO else 1
        if not least <= value <= forms.HIGHEST:
            found.append(f"{name} is {value}, and must be a number from {least} to {forms.HIGHEST}")
    return found


def misfits(values: dict[str, t.Any]) -> list[str]:
    """Return a sentence for each value that cannot work."""
    found = [
        f"{name} is {values[name]!r}, and must be {words}"
        for name, (pattern, words) in PATTERNS.items()
        if values.get(name) is not None and not re.fullmatch(pattern, str(values[name]))
    ]
    found += _address(values.get("virtual_ip_address") or "", found)
    roles = {name: values.get(name) or role for name, role in ROLES.items()}
    if len(set(roles.values())) < len(roles):
        found.append(f"{' and '.join(roles)} are one role, and segments must not replicate: name two")
    return found


def _address(given: str, wrong: list[str]) -> list[str]:
    """Return why no host could have such an address."""
    if not given or any(each.startswith("virtual_ip_address ") for each in wrong):
        return []
    try:
        wanted = ipaddress.ip_interface(given)
    except ValueError as error:
        return [f"virtual_ip_address: {error}"]
    network = wanted.network
    ends = (network.network_address, network.broadcast_address if wanted.version == 4 else None)
    if network.num_addresses > 2 and wanted.ip in ends:
        return [f"virtual_ip_address is {given}, which is the network {network} itself and no host's address"]
    if wanted.ip.is_loopback or wanted.ip.is_multicast or wanted.ip.is_link_local or wanted.ip.is_unspecified:
        return [f"virtual_ip_address is {given}, which other hosts cannot reach"]
    return []


def everywhere(addresses: t.Mapping[str, str]) -> list[str]:
    """Return a sentence for each host whose server others are to look for at an address that every host has itself."""
    return [
        f"the address of {name} is {address}, which is each host's own: set server_address for {name} in the inventory"
        " to what the other hosts reach it at"
        for name, address in addresses.items()
        if _is_own(address)
    ]


def _is_own(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address.lower().split(".")[0] in ("localhost", "ip6-localhost", "localhost4", "localhost6")
    return found.is_loopback or found.is_unspecified


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


def strangers(given: list[str], witnesses: list[str]) -> list[str]:
    """Return a sentence when a witness that is to be ignored is none."""
    found = [name for name in given if name not in witnesses]
    known = f"their hosts are {', '.join(witnesses)}" if witnesses else "they have no hosts"
    where = f"not in the groups {group(SEGMENTS)} and {group(WITNESSES)} ({known})"
    return [f"ignore_witness names {', '.join(found)}, {where}"] if found else []


def sentence(wrong: dict[str, str | None], where: str) -> str:
    """Return the refusal, or the warning, of misspelt names."""
    hints = [f"{name}" + (f" (did you mean {close}?)" if close else "") for name, close in sorted(wrong.items())]
    return f"unknown variable{'s' if len(hints) > 1 else ''} {where}: {', '.join(hints)}"
