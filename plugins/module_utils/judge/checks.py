# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The checks of a master and a host that is to become its standby. Pure: observations in, refusals out.

A refusal says what was found, why that stops the work, and the command that goes on (safety rule S6).
"""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values import conninfo
from ..values.clusters import MASTERS
from ..values.command import again, group, playbook
from ..values.observation import Observation
from . import topology, versions
from .options import Options
from .refusal import AGAIN, Refusal, either_way

#: as many names of a directory are observed at most
MOST_ENTRIES = 5


def same_machine(name: str, seen: Observation, master: str, source: Observation) -> list[Refusal]:
    """The standby must not be the master's own server or use its files."""
    mine, its = seen["machine"], source["machine"]
    same = mine["machine_id"] == its["machine_id"] and mine["addresses"] == its["addresses"]
    pidfile = seen["process"]["pidfile"]
    process_file = table.of(source).words.process_file
    shared = "pid" in pidfile and pidfile == source["process"]["pidfile"]
    if same:
        return [
            Refusal(
                "same-machine",
                f"{name} and {master} are the same machine ({its['hostname']})",
                "a standby there would die with its master",
                f"Name another host of the inventory's group {group(MASTERS)}: {again(standby_host='HOST')}",
            )
        ]
    if shared:
        return [
            Refusal(
                "same-directory",
                f"{seen['data_directory']['path']} on {name} has the {process_file} of the live master on {master}",
                "it looks like the master's own directory on shared storage",
                f"Give the standby a directory of its own, or remove {process_file} there if it is only a copy",
            )
        ]
    return []


def binaries(name: str, seen: Observation, source: Observation, options: Options) -> list[Refusal]:
    """The hosts need the same architecture and major version, and a version that this collection knows."""
    found = []
    without = f"a {table.of(source).words.server_program} that runs"
    engine, wanted, here = table.of(source), source["server"]["settings"]["version_major"], seen["binaries"]
    if wanted not in engine.majors:
        found.append(
            Refusal(
                "unknown-version",
                f"the master runs {engine.name} {wanted}",
                f"this collection knows {engine.name} {engine.majors[0]} to {engine.majors[-1]}",
                "Upgrade the master or the collection",
            )
        )
    if seen["machine"]["architecture"] != source["machine"]["architecture"]:
        found.append(
            Refusal(
                "other-architecture",
                f"{name} is {seen['machine']['architecture']}, the master is {source['machine']['architecture']}",
                "WAL only fits the same architecture",
                "Use a host of the master's architecture",
            )
        )
    other = versions.of_a_pair(name, seen, wanted, options)
    if other:
        found += other
    elif (
        options["binaries_method"] == "installed"
        and here["major"] in (None, wanted)
        and (here["missing"] or here["major"] is None)
    ):
        found.append(
            Refusal(
                "programs-missing",
                f"{here['directory']} on {name} lacks {', '.join(here['missing']) or without}",
                "binaries_method=installed only verifies",
                "Install them, or set binaries_method=packages or archive",
            )
        )
    return found


def _free(name: str, seen: Observation, source: Observation) -> str:
    """Return how a directory in use becomes a standby of this master, or free for one."""
    stop = f"stop it there (systemctl stop {seen['service']['unit']}), {AGAIN}"
    same = topology.system_identifier(seen) == topology.system_identifier(source)
    if same and topology.kind(seen) == topology.STANDBY:
        return f"Bring it in line with the master: {playbook('resync_standby', standby_host=name)}. Or {stop}"
    return f"{stop[0].upper()}{stop[1:]}"


def existing_data(
    name: str, seen: Observation, source: Observation, choice: str, additional: bool = False
) -> list[Refusal]:
    """Data that this collection did not put there is not touched without being told."""
    what = topology.kind(seen)
    directory = seen["data_directory"]["path"]
    if what in (topology.SILENT, topology.FROZEN, topology.STANDBY):
        return [
            Refusal(
                "directory-in-use",
                f"{directory} on {name} is in use by {topology.describe(seen)}",
                "a directory under a running server is never replaced",
                _free(name, seen, source),
            )
        ]
    if what == topology.OTHER and not seen["data_directory"]["entries"]:
        user, real = seen["user"]["name"], seen["data_directory"]["real_path"]
        # a link could be there to let an operator give away what it leads to
        use = (
            f"To use it, if it is empty: chown -h {user} {directory}, and chmod o+x what is above it and closed (namei"
            f" -l {directory} shows it)"
            if real == directory.rstrip("/")
            else f"A link in that path leads to {real}: name that path itself when it is meant"
        )
        return [
            Refusal(
                "directory-closed",
                f"{directory} on {name} is no directory that {user} can look into",
                "what is there cannot be judged, and no server could start there",
                f"To put it out of the way: mv {directory} {directory}.away on {name}. {use}. Then run this again",
            )
        ]
    if what == topology.EMPTY:
        return []
    if what == topology.OTHER and seen["data_directory"]["owner"] not in (None, seen["user"]["name"]):
        return [_of_another(name, seen)]
    if choice in ("keep", "discard"):
        return []
    identifier, own = topology.system_identifier(seen), topology.system_identifier(source)
    if what == topology.OTHER:
        why = f"its files ({_first(seen['data_directory']['entries'])}) were not put there by this collection"
    elif identifier is None:
        program = table.of(seen).words.control_program
        why = f"it cannot be read which system it belongs to (no {program}, or a damaged control file)"
    elif identifier != own:
        why = f"it belongs to another system (identifier {identifier}, the master's is {own})"
    else:
        why = "it may hold the last copy of something"
    resync = playbook("resync_standby", standby_host=name, additional_standby=additional or None)
    cheaper = f". Or bring it in line with the master at the least cost: {resync}" if identifier == own else ""
    return [
        Refusal(
            "holds-data",
            f"{directory} on {name} holds {topology.describe(seen)}",
            why,
            f"{either_way()}{cheaper}",
        )
    ]


def _of_another(name: str, seen: Observation) -> Refusal:
    """What belongs to another user is neither moved aside nor deleted, whatever the choice."""
    place, user = seen["data_directory"]["path"], seen["user"]["name"]
    owner, entries = seen["data_directory"]["owner"], seen["data_directory"]["entries"]
    return Refusal(
        "holds-data",
        f"{place} on {name} belongs to {owner} and not to {user}, and has files in it ({_first(entries)})",
        "this collection neither moves nor deletes what belongs to another user",
        f"Look at the files (on {name}: ls -la {place}), and move the directory away (on {name}: mv {place}"
        f" {place}.away), {AGAIN}",
    )


def _first(entries: list[str]) -> str:
    """Return the first names of a directory; dots stand for those that were not observed."""
    return ", ".join([*entries, "…"] if len(entries) >= MOST_ENTRIES else entries)


def configuration(name: str, seen: Observation, source: Observation) -> list[Refusal]:
    """A standby whose own configuration asks for less than the master's does not start."""
    found = []
    for setting, there in source["server"]["settings"]["at_least"].items():
        here = seen["configuration"]["at_least"].get(setting)
        if here is not None and int(here) < there:
            found.append(
                Refusal(
                    "configuration-too-small",
                    f"{seen['configuration']['path']} on {name} sets {setting} = {here}, the master has {there}",
                    "a standby with less than its master does not start",
                    f"Set it there, {AGAIN}. On {name}: echo '{setting} = {there}' >>"
                    f" {seen['configuration']['path']}/{table.of(source).words.configuration_file}",
                )
            )
    return found


def pending_settings(master: str, source: Observation) -> list[Refusal]:
    """A copy starts with what the files ask for, and not below what its master runs with."""
    server = source["server"]
    pending = [setting for setting in server["pending_restart"] if setting in server["settings"]["at_least"]]
    if not pending:
        return []
    return [
        Refusal(
            "restart-pending",
            f"the configuration of {master} has another {', '.join(pending)} than the server runs with",
            "a standby starts with the configured value, which may be less than its master's",
            f"Restart the master when it suits (systemctl restart {source['service']['unit']}), or set the old"
            " value again",
        )
    ]


def port(name: str, seen: Observation, number: int) -> list[Refusal]:
    """Something else may already listen on the standby's port."""
    if not seen["listening"] or seen["process"]["running"]:
        return []
    there = seen["elsewhere"]
    if there:
        return [
            Refusal(
                "port-taken",
                f"port {number} on {name} is taken by a server that runs from {there['path']}, and the inventory says"
                f" {seen['data_directory']['path']}",
                "it may be the very server that is meant, and no second one can have its port",
                f"If it is the one that is meant, correct data_directory_path for {name} in the inventory:"
                f" {there['path']}. If it is another one, set server_port for {name} to a free port, {AGAIN}",
            )
        ]
    return [
        Refusal(
            "port-taken",
            f"port {number} on {name} is taken by another program",
            "no server could start there",
            "Free the port or set server_port for that host",
        )
    ]


def slot(name: str, others: t.Iterable[str]) -> list[Refusal]:
    """Two hosts whose names differ in nothing that a slot's name shows would take each other's slot away."""
    wanted = conninfo.slot_name(name)
    same = sorted({other for other in others if other != name and conninfo.slot_name(other) == wanted})
    return [
        Refusal(
            "same-slot",
            f"{name} and {other} would have the same replication slot ({wanted})",
            "the WAL that one of them needs would be kept for the other one only",
            f"Give one of them another name in the inventory, {AGAIN}. Only the first 48 characters count, and every"
            " other sign than letters and digits is an underscore there",
        )
        for other in same
    ]


def network(name: str, seen: Observation, master: str, source: Observation) -> list[Refusal]:
    """The standby must reach the master's port; a master that listens on itself only is a matter of its settings."""
    answer, addresses = seen["probes"].get(master), table.of(source).words.settings["addresses"]
    if answer is None or answer["open"] or listens_locally(source["server"]["settings"]["listens"]):
        return []
    return [
        Refusal(
            "master-port-closed",
            f"{name} cannot open {answer['address']}:{answer['port']} ({answer['error']})",
            "the standby gets its snapshot and WAL over that connection",
            f"Open the way (firewall, route, {addresses} on {master}, server_address), {AGAIN}",
        )
    ]


def listens_locally(listens: list[str]) -> bool:
    """Whether a server only takes connections from its own host."""
    return set(listens) <= {"localhost", "127.0.0.1", "::1"}


def view_databases(source: Observation, further: list[str]) -> list[str]:
    """Return the databases that get the views: those that always do, where they are there, and what is asked for."""
    return [*(name for name in table.of(source).words.databases if name in source["server"]["databases"]), *further]


def databases(source: Observation, wanted: list[str]) -> list[Refusal]:
    """The views can only go into databases that are there."""
    missing = sorted(set(wanted) - set(source["server"]["databases"]))
    if not missing:
        return []
    return [
        Refusal(
            "no-such-database",
            f"the master has no database {', '.join(missing)}",
            "master_view_databases names databases that get the views",
            "Correct master_view_databases",
        )
    ]
