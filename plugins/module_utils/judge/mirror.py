# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done so that one host mirrors another, with or without a new copy. Pure."""

from __future__ import annotations

from ..engines import table
from ..values import conninfo
from ..values.observation import Hosts
from . import checks, disk, members, settings, topology, units
from .options import Options
from .plan import PairPlan, PairSteps, only
from .refusal import AGAIN, Refusal


def resumes(seen: topology.Observation, source: topology.Observation) -> bool:
    """Whether a snapshot of this master is under way or waits to be moved into place."""
    job = seen["snapshot"]
    ours = job["request"].get("system_identifier") == topology.system_identifier(source)
    return ours and job["copied"] and job["phase"] in ("copying", "verifying", "done")


def needs_binaries(seen: topology.Observation) -> bool:
    """Whether the host still lacks a program, or the library that sessions need."""
    here = seen["binaries"]
    return bool(here["missing"]) or here["major"] is None or not here["client_library"]


def unreachable(standby: str, seen: topology.Observation, hosts: Hosts) -> Refusal:
    """Return the refusal of a host that cannot be looked at."""
    return Refusal(
        "unreachable",
        f"{standby} is {topology.describe(seen)}",
        "its host must be reachable to become the standby",
        f"Bring it up (ssh {hosts[standby]['address']} true must work), {AGAIN}",
    )


def not_online(master: str, source: topology.Observation) -> list[Refusal]:
    """A copy of a working master needs an engine that can give one."""
    engine = table.of(source)
    if engine.snapshot_online:
        return []
    return [
        Refusal(
            "snapshot-not-online",
            f"{engine.name} cannot be copied while its master on {master} works",
            "its files may only be copied with the master stopped, and this collection does not interrupt your users so"
            " long",
            f"Make the copy with {engine.name}'s own means when it suits ({engine.words.snapshot_offline}), {AGAIN}",
        )
    ]


def plan(
    observations: topology.Observations,
    hosts: Hosts,
    options: Options,
    pair: members.Pair,
    snapshot: bool,
) -> tuple[PairPlan, PairSteps, list[Refusal]]:
    """Return what is to be done so that one host mirrors the other, with or without a new copy, and who does it."""
    master, standby = pair
    seen, source = observations[standby], observations[master]
    slot, choice, mapping = conninfo.slot_name(standby), options["existing_data"], options["tablespace_mapping"]
    refusals = checks.same_machine(standby, seen, master, source)
    if not refusals:
        refusals += checks.binaries(standby, seen, source, options["binaries_method"])
        refusals += [row for host in pair for row in units.refusals(host, observations[host])]
        refusals += checks.slot(standby, {*observations, *topology.registered(master, source)})
        refusals += checks.network(standby, seen, master, source)
        refusals += checks.configuration(standby, seen, source) if snapshot and seen["configuration"]["outside"] else []
        refusals += checks.port(standby, seen, hosts[standby]["port"])
        if snapshot:
            refusals += not_online(master, source)
            refusals += disk.not_mounted(standby, seen)
            refusals += disk.mount_point(standby, seen)
            refusals += checks.pending_settings(master, source)
            refusals += disk.linked_files(master, source)
            refusals += disk.tablespace_places(seen, mapping, source, choice)
            if not resumes(seen, source):
                refusals += disk.tablespaces(standby, seen, choice)
                refusals += disk.disk(standby, seen, source, mapping, choice)
    # a copy brings its master's own along
    recovery = {} if snapshot else settings.standby_wanted(seen, source)
    reload, restart = settings.wanted(source, slot, snapshot, options["wal_keep_megabytes"])
    refusals += settings.restart_refusals(master, source, restart, options["master_restart_allowed"])
    refusals += checks.databases(source, options["view_databases"])
    refusals += settings.retention_refusals(master, source, reload, options["wal_keep_megabytes"])
    endpoints = {name: hosts[name] for name in members.of(observations, pair)}
    servers = [[str(host["address"]), str(host["port"])] for host in endpoints.values()]
    lines = members.hba_lines(observations, hosts, pair, options)
    passwords = members.needs_passwords([observations[name] for name in endpoints], servers)
    closed = [name for name in endpoints if observations[name]["blocks"]["access"] != lines]
    standbys = sorted({standby, *topology.registered(master, source)})
    plan: PairPlan = {
        "workflow": "",
        "engine": source["engine"],
        "master": master,
        "standby": standby,
        "standbys": standbys,
        "slot": slot,
        "snapshot": snapshot,
        "existing_data": choice if snapshot and choice != "refuse" and _in_the_way(seen) else "none",
        "system_identifier": topology.system_identifier(source),
        "settings": reload,
        "restart_settings": restart,
        "standby_settings": settings.standby_overrides(
            source,
            hosts[standby]["port"],
            [*source["machine"]["addresses"], hosts[master]["address"]],
            hosts[standby]["address"],
        ),
        "recovery_settings": recovery,
        "make_room": choice == "discard" and disk.needs_room_first(seen, source),
        "hba_lines": lines,
        "endpoints": endpoints,
        "hba_file": source["server"]["settings"]["access_file"],
        "config_directory": source["configuration"]["path"],
        "size_bytes": sum(int(row["bytes"]) for row in disk.sizes(source)),
        "tablespaces": [mapping.get(row["location"], row["location"]) for row in source["server"]["tablespaces"]],
        "view_databases": checks.view_databases(source, options["view_databases"]),
    }
    asking = members.needs_ssh_keys([observations[name] for name in endpoints], options.get("ssh_keys_restrict", True))
    becomes_source = passwords or snapshot or master in closed or bool(reload or restart)
    configuration = seen["configuration"]["outside"] and not seen["configuration"]["exists"]
    place = seen["data_directory"]
    holders = [name for name in endpoints if observations[name].get("virtual_ip")]
    steps: PairSteps = {
        "prepare": [standby],
        "binaries": only(standby, needs_binaries(seen)),
        # the copy is moved there as a whole: only its place is needed, and an empty directory there must be the user's
        "data_directory": only(
            standby, place["state"] == "empty" or (place["state"] == "missing" and not place["parent_exists"])
        ),
        "ssh_keys": list(endpoints) if asking else [],
        "passwords": list(endpoints) if passwords else [],
        "source": only(master, becomes_source or not members.is_source(master, source, standbys, slot)),
        # a new copy brings the master's lines along, unless they lie outside the data directory
        "let_in": [
            name
            for name in closed
            if name != standby or not snapshot or (seen["configuration"]["outside"] and not options.get("check"))
        ],
        "configuration": [master, standby] if configuration else [],
        "snapshot": [master, standby] if snapshot else [],
        "follow": [standby],
        "further": [name for name in closed if name not in pair],
        "undo": only(standby),
        "undo_source": [master],
        "interlock": list(endpoints),
        "settings": only(standby, bool(recovery)),
        "start": [standby],
        "views": list(endpoints),
        "address": holders,
        "address_off": [name for name in holders if name != master and observations[name]["virtual_ip"]["here"]],
        "address_on": [name for name in holders if name == master],
        "synchronized": [master, standby],
    }
    return plan, steps, refusals


def _in_the_way(seen: topology.Observation) -> bool:
    ours = seen["snapshot"]["request"].get("tablespaces") or []
    return topology.kind(seen) != topology.EMPTY or any(
        entry["entries"] and entry["path"] not in ours for entry in seen["directories"]
    )
