# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The checks of a master and a host that is to become its standby. Pure: observations in, refusals out.

A refusal says what was found, why that stops the work, and the command that goes on (safety rule S6).
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils import _topology as topology
from ansible_collections.hawq.mirroring.plugins.module_utils._engine import POSTGRESQL, Engine

MEBIBYTE = 1 << 20
#: room beside the copy itself: WAL that is streamed meanwhile and the first checkpoints
SPARE_BYTES = 256 * MEBIBYTE


class Refusal(t.NamedTuple):
    """One reason not to go on."""

    found: str
    why: str
    command: str
    #: an option that may be set by typing a word at a terminal: its name and that word
    asks: tuple[str, str] | None = None

    def sentence(self) -> str:
        """Return the refusal as people read it."""
        return f"{self.found}: {self.why}. {self.command}."


class Verdict(t.NamedTuple):
    """Either a plan to act on, or the reasons not to."""

    plan: dict[str, t.Any]
    refusals: list[Refusal]


def size(number: float) -> str:
    """Return a size in bytes as people read it."""
    for unit in ("B", "kB", "MB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} GB"


def sizes(source: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the master's tablespaces with their bytes; unmeasured, all that its file system holds is the bound."""
    measured: list[dict[str, t.Any]] | None = source["server"].get("sizes")
    return measured or [{"location": "", "bytes": source["data_directory"]["used_bytes"]}]


def same_machine(name: str, seen: dict[str, t.Any], master: str, source: dict[str, t.Any]) -> list[Refusal]:
    """Case 1: the standby must not be the master's own server or use its files."""
    mine, its = seen["machine"], source["machine"]
    same = mine["machine_id"] == its["machine_id"] and mine["addresses"] == its["addresses"]
    pidfile = seen["process"]["pidfile"]
    shared = "pid" in pidfile and pidfile == source["process"]["pidfile"]
    if same:
        return [
            Refusal(
                f"{name} and {master} are the same machine ({its['hostname']})",
                "a standby there would die with its master",
                "Name another host in the inventory's group masters, or with -e standby_host=",
            )
        ]
    if shared:
        return [
            Refusal(
                f"{seen['data_directory']['path']} on {name} has the postmaster.pid of the live master on {master}",
                "it looks like the master's own directory on shared storage",
                "Give the standby a directory of its own, or remove postmaster.pid there if it is only a copy",
            )
        ]
    return []


def binaries(
    name: str, seen: dict[str, t.Any], source: dict[str, t.Any], method: str, engine: Engine = POSTGRESQL
) -> list[Refusal]:
    """Case 12: same architecture and major version, and a version that this collection knows."""
    found = []
    wanted = int(source["server"]["settings"]["server_version_num"]) // 10000
    here = seen["binaries"]
    if wanted not in engine.majors:
        found.append(
            Refusal(
                f"the master runs {engine.name} {wanted}",
                f"this collection knows {engine.name} {engine.majors[0]} to {engine.majors[-1]}",
                "Upgrade the master or the collection",
            )
        )
    if seen["machine"]["architecture"] != source["machine"]["architecture"]:
        found.append(
            Refusal(
                f"{name} is {seen['machine']['architecture']}, the master is {source['machine']['architecture']}",
                "WAL only fits the same architecture",
                "Use a host of the master's architecture",
            )
        )
    if here["major"] not in (None, wanted):
        found.append(
            Refusal(
                f"{here['directory']} on {name} holds major version {here['major']}, the master runs {wanted}",
                "WAL only fits the same major version",
                f"Set binaries_version={wanted} and binaries_prefix to that version's place",
            )
        )
    elif method == "installed" and (here["missing"] or here["major"] is None):
        found.append(
            Refusal(
                f"{here['directory']} on {name} lacks {', '.join(here['missing']) or 'a postgres that runs'}",
                "binaries_method=installed only verifies",
                "Install them, or set binaries_method=packages or archive",
            )
        )
    return found


def existing_data(
    name: str, seen: dict[str, t.Any], source: dict[str, t.Any], choice: str, additional: bool = False
) -> list[Refusal]:
    """Cases 2 and 12: data that this collection did not put there is not touched without being told."""
    what = topology.kind(seen)
    directory = seen["data_directory"]["path"]
    if what in (topology.SILENT, topology.FROZEN, topology.STANDBY):
        return [
            Refusal(
                f"{directory} on {name} is in use by {topology.describe(seen)}",
                "a directory under a running server is never replaced",
                f"Stop it there (systemctl stop {seen['service']['unit']}), then run this again",
            )
        ]
    if what == topology.EMPTY or choice in ("keep", "discard"):
        return []
    identifier, own = topology.system_identifier(seen), topology.system_identifier(source)
    if what == topology.OTHER:
        why = f"its files ({', '.join(seen['data_directory']['entries'])}, …) were not put there by this collection"
    elif identifier is None:
        why = "it cannot be read which system it belongs to (no pg_controldata, or a damaged control file)"
    elif identifier != own:
        why = f"it belongs to another system (identifier {identifier}, the master's is {own})"
    else:
        why = "it may hold the last copy of something"
    beside = " -e additional_standby=true" if additional else ""
    cheaper = (
        "Bring it in line with the master at the least cost: ansible-playbook hawq.mirroring.resync_standby"
        f" -e standby_host={name}{beside}. Or run"
    )
    run = cheaper if identifier == own else "Run"
    return [
        Refusal(
            f"{directory} on {name} holds {topology.describe(seen)}",
            why,
            f"{run} again with -e existing_data=keep to move it aside, or -e existing_data=discard to delete it",
        )
    ]


def mount_point(name: str, seen: dict[str, t.Any]) -> list[Refusal]:
    """The verified copy is renamed into place, which a mount point does not allow."""
    directory = seen["data_directory"]
    if directory.get("link"):
        return [
            Refusal(
                f"{directory['path']} on {name} is a symbolic link to {directory['real_path']}",
                "a verified copy cannot be moved into place there in one step",
                f"Name the directory itself: -e data_directory_path={directory['real_path']}",
            )
        ]
    if not directory["mount_point"]:
        return []
    return [
        Refusal(
            f"{directory['path']} on {name} is itself a mount point",
            "a verified copy cannot be moved into place there in one step",
            f"Use a directory inside it, for example -e data_directory_path={directory['path']}/master",
        )
    ]


def disk(
    name: str, seen: dict[str, t.Any], source: dict[str, t.Any], mapping: dict[str, str], choice: str
) -> list[Refusal]:
    """Free space against the master's size, each file system by itself.

    What a discard frees is counted, unless the old data is to be kept, and so is the half copy of a job that died.
    """
    own = seen["data_directory"]
    directories = {entry["path"]: entry for entry in seen["directories"]}
    need: dict[int, int] = {}
    free: dict[int, int] = {}
    for row in sizes(source):
        place = directories.get(mapping.get(row["location"], row["location"]), own)
        need[place["device"]] = need.get(place["device"], 0) + int(row["bytes"])
        free[place["device"]] = place["free_bytes"]
    need[own["device"]] = need.get(own["device"], 0) + SPARE_BYTES
    free[own["device"]] = own["free_bytes"] + (seen["snapshot"].get("reclaimable_bytes") or 0)
    if choice != "keep":
        free[own["device"]] += own.get("reclaimable_bytes") or 0
    return [
        Refusal(
            f"{name} has {size(free[device])} free for a copy of {size(wanted)}",
            "the copy would fill the disk",
            "Make room there, use another place (data_directory_path), or let it delete what is in the way"
            " with -e existing_data=discard",
        )
        for device, wanted in sorted(need.items())
        if free[device] < wanted
    ]


def linked_files(master: str, source: dict[str, t.Any]) -> list[Refusal]:
    """pg_basebackup leaves out symbolic links: a copy would lack these files and not start."""
    links = source["data_directory"]["linked_files"]
    if not links:
        return []
    return [
        Refusal(
            f"{', '.join(links)} in {source['data_directory']['path']} on {master} are symbolic links",
            "a copy leaves links out, and would not start without these files",
            "Put the files themselves there, or their directory into server_config_directory",
        )
    ]


def tablespace_places(
    seen: dict[str, t.Any], mapping: dict[str, str], source: dict[str, t.Any], choice: str
) -> list[Refusal]:
    """A tablespace's place must not be the data directory's, and a discard only takes a tablespace's files."""
    own = os.path.normpath(seen["data_directory"]["path"])
    found = []
    for row in source["server"]["tablespaces"]:
        place = mapping.get(row["location"], row["location"])
        if not os.path.isabs(place) or os.path.normpath(place) != place or place == "/":
            why = "a tablespace needs an absolute path without . or .."
        elif os.path.commonpath([place, own]) in (place, own):
            why = f"it lies in or around the data directory {own}"
        else:
            continue
        found.append(
            Refusal(f"tablespace {row['name']} would go to {place}", why, "Correct standby_snapshot_tablespace_mapping")
        )
    foreign = [
        entry
        for entry in seen["directories"]
        if any(not re.fullmatch(r"PG_\d+_\d+", name) for name in entry["entries"])
        and entry["path"] not in (seen["snapshot"]["request"].get("tablespaces") or [])
        and choice == "discard"
    ]
    return found + [
        Refusal(
            f"{entry['path']}, where a tablespace would go, holds {', '.join(entry['entries'])}",
            "these are not a tablespace's files, and are not deleted",
            "Move them away yourself, or run again with -e existing_data=keep, or map the tablespace elsewhere"
            " (standby_snapshot_tablespace_mapping)",
        )
        for entry in foreign
    ]


def tablespaces(name: str, seen: dict[str, t.Any], choice: str) -> list[Refusal]:
    """Case 13: pg_basebackup needs these directories empty. What a dead job of ours left there is cleared away."""
    ours = seen["snapshot"]["request"].get("tablespaces") or []
    full = [entry for entry in seen["directories"] if entry["entries"] and entry["path"] not in ours]
    if choice in ("keep", "discard"):
        return []
    return [
        Refusal(
            f"{entry['path']} on {name}, where a tablespace of the master goes, holds {', '.join(entry['entries'])}",
            "a snapshot needs it empty",
            "Run again with -e existing_data=keep or discard, or map the tablespace elsewhere"
            " (standby_snapshot_tablespace_mapping)",
        )
        for entry in full
    ]


def configuration(
    name: str, seen: dict[str, t.Any], source: dict[str, t.Any], engine: Engine = POSTGRESQL
) -> list[Refusal]:
    """A standby whose own configuration asks for less than the master's does not start."""
    found = []
    for setting in engine.standby_at_least:
        here = seen["configuration"]["settings"].get(setting)
        there = source["server"]["settings"][setting]
        if here is not None and int(here) < int(there):
            found.append(
                Refusal(
                    f"{seen['configuration']['path']} on {name} sets {setting} = {here}, the master has {there}",
                    "a standby with less than its master does not start",
                    f"Set {setting} = {there} there, then run this again",
                )
            )
    return found


def pending_settings(master: str, source: dict[str, t.Any], engine: Engine = POSTGRESQL) -> list[Refusal]:
    """A copy starts with what the files ask for, and not below what its master runs with."""
    pending = [setting for setting in source["server"]["pending_restart"] if setting in engine.standby_at_least]
    if not pending:
        return []
    return [
        Refusal(
            f"the configuration of {master} has another {', '.join(pending)} than the server runs with",
            "a standby starts with the configured value, which may be less than its master's",
            f"Restart the master when it suits (systemctl restart {source['service']['unit']}), or set the old"
            " value again",
        )
    ]


def port(name: str, seen: dict[str, t.Any], number: int) -> list[Refusal]:
    """Something else may already listen on the standby's port."""
    if not seen["listening"] or seen["process"]["running"]:
        return []
    return [
        Refusal(
            f"port {number} on {name} is taken by another program",
            "the standby could not start",
            "Free the port or set server_port for that host",
        )
    ]


def network(name: str, seen: dict[str, t.Any], master: str, source: dict[str, t.Any]) -> list[Refusal]:
    """The standby must reach the master's port; a master that listens on itself only is a matter of its settings."""
    answer = seen["probes"].get(master)
    if answer is None or answer["open"] or listens_locally(source["server"]["settings"]["listen_addresses"]):
        return []
    return [
        Refusal(
            f"{name} cannot open {answer['address']}:{answer['port']} ({answer['error']})",
            "the standby gets its snapshot and WAL over that connection",
            f"Open the way (firewall, route, listen_addresses on {master}, server_address), then run this again",
        )
    ]


def listens_locally(listen_addresses: str) -> bool:
    """Whether a server only takes connections from its own host."""
    words = {word.strip() for word in listen_addresses.split(",") if word.strip()}
    return words <= {"localhost", "127.0.0.1", "::1"}


def databases(source: dict[str, t.Any], wanted: list[str]) -> list[Refusal]:
    """The views can only go into databases that are there."""
    missing = sorted(set(wanted) - set(source["server"]["databases"]))
    if not missing:
        return []
    return [
        Refusal(
            f"the master has no database {', '.join(missing)}",
            "master_view_databases names databases that get the views",
            "Correct master_view_databases",
        )
    ]


def needs_room_first(seen: dict[str, t.Any], source: dict[str, t.Any]) -> bool:
    """Whether old data must go before the copy, since both do not fit beside each other."""
    wanted = sum(int(row["bytes"]) for row in sizes(source)) + SPARE_BYTES
    return bool(source["server"].get("sizes")) and seen["data_directory"]["free_bytes"] < wanted
