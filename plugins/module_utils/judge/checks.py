# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The checks of a master and a host that is to become its standby. Pure: observations in, refusals out.

A refusal says what was found, why that stops the work, and the command that goes on (safety rule S6).
"""

from __future__ import annotations

import typing as t

from ..engines.table import POSTGRESQL, Engine
from . import topology
from .refusal import Refusal


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
