# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done so that one host mirrors another, with or without a new copy. Pure."""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values import conninfo
from ..values.observation import Hosts
from . import (
    address,
    checks,
    disk,
    guarded,
    members,
    named,
    needs,
    renamed,
    settings,
    slots,
    startable,
    synchronous,
    tablespaces,
    topology,
    units,
    versions,
)
from .options import Options
from .plan import PairPlan, PairSteps, only
from .refusal import AGAIN, Refusal

#: which one a standby will start with; what only the host has may decide that later
Configuration = t.Literal["own", "master", "unknown"]


def resumes(seen: topology.Observation, source: topology.Observation) -> bool:
    """Whether a snapshot of this master is under way or waits to be moved into place."""
    job = seen["snapshot"]
    ours = job["request"].get("system_identifier") == topology.system_identifier(source)
    return ours and job["copied"] and job["phase"] in ("copying", "verifying", "done")


def unreachable(standby: str, seen: topology.Observation, hosts: Hosts) -> Refusal:
    """Return the refusal of a host that cannot be looked at."""
    way = topology.bring_up(standby, seen, f"bring it up (ssh {hosts[standby]['address']} true must work)")
    return Refusal(
        "unreachable",
        f"{topology.being(standby, seen)}",
        "its host must be reachable to become the standby",
        f"{way[0].upper()}{way[1:]}, {AGAIN}",
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
    replays: bool = True,
    configuration: Configuration = "own",
) -> tuple[PairPlan, PairSteps, list[Refusal]]:
    """Return what is to be done so that one host mirrors the other, with or without a new copy, and who does it.

    Without one, a server that is started ``replays`` from where its data is, unless all of that is compared first, and
    has the ``configuration`` that is there, unless its master's comes along.
    """
    comes = snapshot or configuration == "master"
    master, standby = pair
    seen, source = observations[standby], observations[master]
    major = source["server"]["settings"]["version_major"]
    slot, choice, mapping = conninfo.slot_name(standby), options["existing_data"], options["tablespace_mapping"]
    refusals = checks.same_machine(standby, seen, master, source)
    if not refusals:
        refusals += checks.binaries(standby, seen, source, options)
        refusals += [row for host in pair for row in units.refusals(host, observations[host])]
        refusals += checks.slot(standby, {*observations, *topology.registered(master, source)})
        refusals += checks.network(standby, seen, master, source)
        refusals += checks.configuration(standby, seen, source) if snapshot and seen["configuration"]["outside"] else []
        refusals += checks.port(standby, seen, hosts[standby]["port"])
        refusals += needs.starting(standby, seen, master, source)
        refusals += [] if snapshot else disk.unchangeable(standby, seen, whole=comes or configuration == "unknown")
        refusals += [] if snapshot else disk.closed(standby, seen)
        if snapshot:
            refusals += not_online(master, source)
            refusals += [*disk.not_mounted(standby, seen), *disk.read_only(standby, seen, whole=True)]
            refusals += disk.no_room(standby, seen)
            refusals += disk.mount_point(standby, seen)
            refusals += checks.pending_settings(master, source)
            refusals += disk.linked_files(master, source)
            refusals += disk.inside(standby, seen)
            unfit = tablespaces.for_a_copy(standby, seen, mapping, source)
            refusals += unfit or disk.tablespace_places(seen, mapping, source, choice)
            if not resumes(seen, source):
                refusals += [] if unfit else disk.tablespaces(standby, seen, mapping, source, choice)
                refusals += disk.disk(standby, seen, source, mapping, choice)
        elif replays:
            refusals += tablespaces.for_a_start(standby, seen, source, looked=seen["directories"])
        else:
            refusals += tablespaces.for_a_copy(standby, seen, mapping, source, empty=False)
        if comes:
            refusals += startable.refusals(standby, seen, master, source)
        elif configuration == "own" and not seen["process"]["running"]:
            refusals += named.refusals(standby, observations)
    # a copy brings its master's own along
    recovery = {} if snapshot else settings.standby_wanted(seen, settings.archive_of(options), source)
    goes_on = replays and not snapshot and not seen["process"]["running"]
    spaces = tablespaces.to_make(seen, source) if goes_on else []
    reload, restart = settings.wanted(source, slot, snapshot, options["wal_keep_megabytes"])
    refusals += settings.restart_refusals(master, source, restart, options["master_restart_allowed"])
    refusals += checks.databases(source, options["view_databases"])
    refusals += settings.retention_refusals(master, source, reload, options["wal_keep_megabytes"])
    refusals += slots.limit_refusal(master, source, options["wal_keep_megabytes"])
    own_words = guarded.waits_as_told(source)
    refusals += [] if snapshot or own_words else synchronous.renamed(pair, source, seen)
    sync, late = slots.synchronise(source, seen), slots.in_step(source, slot)
    own = settings.standby_overrides(
        source,
        hosts[standby]["port"],
        [*source["machine"]["addresses"], hosts[master]["address"]],
        hosts[standby]["address"],
        settings.archive_of(options),
    )
    endpoints = {name: hosts[name] for name in members.of(observations, pair)}
    servers = [[str(host["address"]), str(host["port"])] for host in endpoints.values()]
    lines = members.hba_lines(observations, hosts, pair, options)
    passwords = members.needs_passwords([observations[name] for name in endpoints], servers)
    closed = [name for name in endpoints if observations[name]["blocks"]["access"] != lines]
    standbys = sorted({standby, *topology.registered(master, source)})
    guard = guarded.told(observations, options)
    refusals += guarded.foreign(master, source, standbys, options)
    renames = options.get("renamed") or {}
    spare = []
    if table.of(source).keeps_wal_for_standby:
        spare = renamed.spare_slots(observations, master, renames, options.get("inventory") or [])
    plan: PairPlan = {
        "workflow": "",
        "spare_slots": spare,
        "engine": source["engine"],
        "master": master,
        "standby": standby,
        "standbys": standbys,
        "slot": slot,
        "snapshot": snapshot,
        "existing_data": choice if snapshot and choice != "refuse" and _in_the_way(seen, mapping, source) else "none",
        "system_identifier": topology.system_identifier(source),
        "settings": reload,
        "restart_settings": restart,
        "standby_settings": {**own, **(slots.settings(source) if sync else {})},
        "late_settings": late,
        "slots_connection": slots.through(source) if sync else {},
        "old_slots": [] if snapshot else slots.used_before(source, seen, slot),
        "kept_wal_megabytes": slots.wal_limit(source, options["wal_keep_megabytes"]) if reload else None,
        "recovery_settings": recovery,
        "make_room": choice == "discard" and disk.needs_room_first(seen, source),
        "hba_lines": lines,
        "endpoints": endpoints,
        "hba_file": source["server"]["settings"]["access_file"],
        "config_directory": source["configuration"]["path"],
        "size_bytes": sum(int(row["bytes"]) for row in disk.sizes(source)),
        "tablespaces": [mapping.get(row["location"], row["location"]) for row in source["server"]["tablespaces"]],
        "tablespace_version": source["control"].get("tablespace_version") if source["control"] else None,
        "new_tablespaces": spaces,
        "view_databases": checks.view_databases(source, options["view_databases"]),
        "version": major,
        "programs": {standby: versions.directory(seen, major)},
        "guard": guard,
        "let_go_seconds": guarded.seconds(options),
    }
    asking = members.needs_ssh_keys([observations[name] for name in endpoints], options.get("ssh_keys_restrict", True))
    # exchanged again, and the login tried, where it has failed: the port may be another one by now
    asking = asking or any(members.is_mute(observations[name], endpoints) for name in endpoints)
    asking = asking or members.has_new_addresses(observations, endpoints)
    becomes_source = bool(renames) or passwords or snapshot or master in closed or bool(reload or restart)
    lacks = seen["configuration"]["outside"] and not seen["configuration"]["exists"]
    place = seen["data_directory"]
    trial = only(master, comes and not (snapshot and resumes(seen, source)) and not startable.tried(seen))
    trial = [*trial, standby] if trial else []
    # the server's program is what tries it, as the server's user
    now = seen["user"]["exists"] and not versions.lacking(seen, major)
    holders = [name for name in endpoints if observations[name].get("virtual_ip")]
    steps: PairSteps = {
        "prepare": [standby],
        "binaries": only(standby, versions.lacking(seen, major)),
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
        "configuration": [master, standby] if lacks else [],
        "trial": trial if now else [],
        "trial_late": trial if snapshot and not now else [],
        "snapshot": [master, standby] if snapshot else [],
        "leftovers": only(
            standby, not snapshot and (seen["snapshot"]["exists"] or seen["snapshot"]["phase"] != "none")
        ),
        "follow": [standby],
        "further": [name for name in closed if name not in pair],
        "undo": only(standby),
        "undo_source": [master],
        "interlock": list(endpoints),
        "settings": only(standby, bool(recovery or spaces)),
        "start": only(standby, snapshot or not _serves(seen)),
        "views": list(endpoints),
        "address": holders,
        "address_off": [name for name in holders if name != master and observations[name]["virtual_ip"]["here"]],
        "address_gone": address.gone(endpoints, observations),
        "address_on": only(master, master in holders and not _holds(source)),
        "synchronized": [master, standby],
        "let_go": only(master, bool(snapshot or recovery or spaces) and guarded.lets_go(source, slot, options)),
        "mode": only(master, guarded.to_be_told(source, guard)),
        "guard": list(endpoints) if guard else [],
        "wait": only(master, guard is not None),
        "slot_passwords": list(endpoints) if sync else [],
        "old_slot": only(master, bool(plan["old_slots"])),
        "late_settings": only(master, bool(late)),
        "spare": only(master, bool(spare)),
    }
    written = [*steps["let_in"], *steps["further"]]
    if snapshot and standby in closed and seen["configuration"]["outside"] and standby not in written:
        written.append(standby)  # a check leaves it out
    marked = [*disk.access(observations, written), *disk.keys(observations, steps["ssh_keys"])]
    marked += disk.unchangeable(master, source) if reload or restart or late else []
    return plan, steps, refusals + disk.not_said(marked, refusals)


def _serves(seen: topology.Observation) -> bool:
    """Whether its server is there and comes back after a boot."""
    return seen["service"]["active"] == "active" and seen["service"]["enabled"] == "enabled"


def _holds(seen: topology.Observation) -> bool:
    """Whether it has the address, and what holds it runs."""
    holder = seen["programs"].get("virtual-ip")
    return bool(seen["virtual_ip"]["here"] and holder and holder["active"])


def _in_the_way(seen: topology.Observation, mapping: dict[str, str], source: topology.Observation) -> bool:
    ours = seen["snapshot"]["request"].get("tablespaces") or []
    return topology.kind(seen) != topology.EMPTY or any(
        entry["entries"] and entry["path"] not in ours for entry in tablespaces.targets(seen, mapping, source)
    )
