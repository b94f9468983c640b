# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From observations and options to a plan, or to refusals. Pure: no I/O, no clock.

``hosts`` holds for each host of the group its ``address`` and ``port``; options are those of _options.
"""

from __future__ import annotations

import typing as t

from ..values import conninfo
from . import checks, disk, identify, members, settings, topology
from .checks import Refusal, Verdict

Observations = identify.Observations


def _refuse(found: str, why: str, command: str) -> Verdict:
    return Verdict({}, [Refusal(found, why, command)])


def needs_snapshot(seen: topology.Observation, source: topology.Observation, slot: str, choice: str) -> bool:
    """Whether the host must get a new copy: not when it already is this master's standby, running or stopped.

    What stopped there and was told to be kept or discarded is replaced, but not a new copy that a killed run left.
    """
    if topology.system_identifier(seen) != topology.system_identifier(source):
        return True
    if seen["data_directory"]["unfinished"]:
        return True
    if seen["data_directory"]["fenced"] and not topology.streams(source, slot):
        return True  # a former master: its WAL may go on where the new master's does not
    if topology.kind(seen) == topology.STANDBY:
        return False
    if resumes(seen, source):
        return True
    is_standby = topology.kind(seen) != topology.STOPPED and "standby.signal" in seen["data_directory"]["signals"]
    ours = seen["replication"]["primary_slot_name"] == slot
    started = "backup_label" not in seen["data_directory"]["signals"]
    stopped = topology.kind(seen) == topology.STOPPED_STANDBY
    replace = stopped and choice in ("keep", "discard") and (started or topology.slot_of(source, slot) is None)
    return replace or not (is_standby and ours) or too_far_behind(source, slot)


def too_far_behind(source: topology.Observation, slot: str) -> bool:
    """Whether the master has already removed WAL that this slot's standby needs."""
    row = topology.slot_of(source, slot)
    return row is not None and row["wal_status"] == "lost"


def _stuck_standby(name: str, seen: topology.Observation, source: topology.Observation, slot: str) -> list[Refusal]:
    """A standby that can never catch up is only replaced when the operator says so."""
    if not too_far_behind(source, slot) or topology.kind(seen) not in (topology.STANDBY, topology.STOPPED_STANDBY):
        return []
    unit = seen["service"]["unit"]
    stop = f"Stop it on {name} (systemctl stop {unit}) and run" if topology.kind(seen) == topology.STANDBY else "Run"
    return [
        Refusal(
            f"the standby on {name} is too far behind: the WAL it needs is gone from the master (slot {slot} is lost)",
            "it needs a new copy, which replaces its data",
            f"{stop} again with -e existing_data=keep or -e existing_data=discard",
        )
    ]


def _frozen_standby(name: str, seen: topology.Observation) -> list[Refusal]:
    return [
        Refusal(
            f"the standby on {name} is {topology.describe(seen)}",
            "it cannot follow its master",
            f"If that is not wanted, {identify.thaw(seen)}, then run this again",
        )
    ]


def resumes(seen: topology.Observation, source: topology.Observation) -> bool:
    """Whether a snapshot of this master is under way or waits to be moved into place."""
    job = seen["snapshot"]
    ours = job["request"].get("system_identifier") == topology.system_identifier(source)
    return ours and job["copied"] and job["phase"] in ("copying", "verifying", "done")


def needs_binaries(seen: topology.Observation) -> bool:
    """Whether the host still lacks a program, or the library that sessions need."""
    here = seen["binaries"]
    return bool(here["missing"]) or here["major"] is None or not here["psycopg2"]


def init_standby(observations: Observations, hosts: dict[str, dict[str, t.Any]], options: dict[str, t.Any]) -> Verdict:
    """Judge whether and how a standby is made, or the present one repaired."""
    master, refusals = identify.master_of(observations)
    if master is None:
        return Verdict({}, refusals)
    further = options["replace_standby"] or options["additional_standby"]
    if options["replace_standby"] and options["additional_standby"]:
        return _refuse(
            "both replace_standby and additional_standby are given",
            "a standby is made beside another one or instead of it",
            "Give one of the two",
        )
    standby, refusals = identify.standby_of(observations, master, options["standby_host"], further)
    if standby is None:
        return Verdict({}, refusals)
    seen, source = observations[standby], observations[master]
    if topology.kind(seen) == topology.UNREACHABLE:
        return Verdict({}, [unreachable(standby, seen, hosts)])
    slot, choice = conninfo.slot_name(standby), options["existing_data"]
    snapshot = needs_snapshot(seen, source, slot, choice)
    stuck = _stuck_standby(standby, seen, source, slot) if choice == "refuse" or not snapshot else []
    refusals = list(stuck)
    if topology.kind(seen) == topology.FROZEN and not snapshot:
        refusals += _frozen_standby(standby, seen)
    if snapshot and not stuck:
        refusals += checks.existing_data(standby, seen, source, choice, options["additional_standby"])
    if checks.same_machine(standby, seen, master, source):
        refusals = []  # there is nothing else to say
    plan, found = mirror(observations, hosts, options, members.Pair(master, standby), snapshot and not stuck)
    others = [name for name in plan["standbys"] if name != standby]
    plan.update(workflow="init_standby", replaced=others if options["replace_standby"] else [])
    return Verdict(plan, refusals + found)


def unreachable(standby: str, seen: topology.Observation, hosts: dict[str, dict[str, t.Any]]) -> Refusal:
    """Return the refusal of a host that cannot be looked at."""
    return Refusal(
        f"{standby} is {topology.describe(seen)}",
        "its host must be reachable to become the standby",
        f"Bring it up (ssh {hosts[standby]['address']} true must work), then run this again",
    )


def mirror(
    observations: Observations,
    hosts: dict[str, dict[str, t.Any]],
    options: dict[str, t.Any],
    pair: members.Pair,
    snapshot: bool,
) -> Verdict:
    """Return what is to be done so that one host mirrors the other, with or without a new copy."""
    master, standby = pair
    seen, source = observations[standby], observations[master]
    slot, choice, mapping = conninfo.slot_name(standby), options["existing_data"], options["tablespace_mapping"]
    refusals = checks.same_machine(standby, seen, master, source)
    if not refusals:
        refusals += checks.binaries(standby, seen, source, options["binaries_method"])
        refusals += checks.network(standby, seen, master, source)
        refusals += checks.configuration(standby, seen, source)
        refusals += checks.port(standby, seen, hosts[standby]["port"])
        if snapshot:
            refusals += disk.mount_point(standby, seen)
            refusals += checks.pending_settings(master, source)
            refusals += disk.linked_files(master, source)
            refusals += disk.tablespace_places(seen, mapping, source, choice)
            if not resumes(seen, source):
                refusals += disk.tablespaces(standby, seen, choice)
                refusals += disk.disk(standby, seen, source, mapping, choice)
    reload, restart = settings.wanted(source, slot, snapshot, options["wal_keep_megabytes"])
    refusals += settings.restart_refusals(master, source, restart, options["master_restart_allowed"])
    refusals += checks.databases(source, options["view_databases"])
    refusals += settings.retention_refusals(master, source, reload, options["wal_keep_megabytes"])
    endpoints = {name: hosts[name] for name in members.of(observations, pair)}
    servers = [[str(host["address"]), str(host["port"])] for host in endpoints.values()]
    lines = members.hba_lines(observations, hosts, pair, options)
    passwords = members.needs_passwords([observations[name] for name in endpoints], servers)
    hba = {name: observations[name]["blocks"]["hba"] != lines for name in endpoints}
    standbys = sorted({standby, *topology.registered(master, source)})
    plan = {
        "master": master,
        "standby": standby,
        "standbys": standbys,
        "slot": slot,
        "snapshot": snapshot,
        # what only a resynchronisation does
        "route": None,
        "stop": False,
        "resume": False,
        "lift": False,
        "advice": "",
        "keep_lost": False,
        "existing_data": choice if snapshot and choice != "refuse" and _in_the_way(seen) else "none",
        "binaries": needs_binaries(seen),
        # the copy is moved there as a whole: only its place is needed
        "data_directory": seen["data_directory"]["state"] == "missing" and not seen["data_directory"]["parent_exists"],
        "ssh_keys": members.needs_ssh_keys([observations[name] for name in endpoints]),
        "copy_configuration": seen["configuration"]["outside"] and not seen["configuration"]["exists"],
        "system_identifier": topology.system_identifier(source),
        "settings": reload,
        "restart_settings": restart,
        "standby_settings": settings.standby_overrides(
            source,
            hosts[standby]["port"],
            [*source["machine"]["addresses"], hosts[master]["address"]],
            hosts[standby]["address"],
        ),
        "make_room": choice == "discard" and disk.needs_room_first(seen, source),
        "passwords": passwords,
        "source": passwords
        or snapshot
        or hba[master]
        or bool(reload or restart)
        or not members.is_source(master, source, standbys, slot),
        "hba": hba,
        "hba_lines": lines,
        "endpoints": endpoints,
        "hba_file": source["server"]["settings"]["hba_file"],
        "config_directory": source["configuration"]["path"],
        "size_bytes": sum(int(row["bytes"]) for row in disk.sizes(source)),
        "tablespaces": [mapping.get(row["location"], row["location"]) for row in source["server"]["tablespaces"]],
        "view_databases": [
            *(name for name in ("postgres", "template1") if name in source["server"]["databases"]),
            *options["view_databases"],
        ],
    }
    return Verdict(plan, refusals)


def init_segments(observations: Observations, hosts: dict[str, dict[str, t.Any]], options: dict[str, t.Any]) -> Verdict:
    """Judge how the segments are let in and told who may be the master. Those that cannot be reached are left out."""
    master, refusals = identify.master_of(observations)
    if master is None:
        return Verdict({}, refusals)
    segments = options["witnesses"]
    reachable = [name for name, seen in segments.items() if topology.kind(seen) != topology.UNREACHABLE]
    down = [name for name, seen in observations.items() if topology.kind(seen) == topology.UNREACHABLE]
    if not segments:
        return _refuse(
            "the inventory has no hosts in the group segments",
            "there is nothing to register",
            "Name them in the group segments, then run this again",
        )
    if down:
        return _refuse(
            f"{' and '.join(down)} cannot be reached",
            "after a failover the segments would not be let in there",
            "Bring it up, then run this again",
        )
    for name in reachable:
        seen = segments[name]
        if not seen["user"]["exists"] or "psql" in seen["binaries"]["missing"]:
            lacks = (
                f"the user {seen['user']['name']}"
                if not seen["user"]["exists"]
                else f"{seen['binaries']['directory']}/psql"
            )
            refusals.append(
                Refusal(
                    f"{name} has not {lacks}",
                    "a segment registers as that user, by that program",
                    "Prepare it as a segment first, or name another in gpadmin_user_name or binaries_prefix (for the"
                    " group segments, too)",
                )
            )
    found = {source for name in reachable for probe in segments[name]["probes"].values() for source in probe["sources"]}
    plan = {
        "workflow": "init_segments",
        "master": master,
        "endpoints": {name: hosts[name] for name in observations},
        "segments": reachable,
        "unreachable": [name for name in segments if name not in reachable],
        "hba_lines": conninfo.hba_lines(options["replication_user"], sorted(found), "postgres"),
        "hba_files": {
            name: (seen["server"] or {"settings": {}})["settings"].get("hba_file")
            or f"{seen['configuration']['path']}/pg_hba.conf"
            for name, seen in observations.items()
        },
    }
    return Verdict(plan, refusals)


def _in_the_way(seen: topology.Observation) -> bool:
    ours = seen["snapshot"]["request"].get("tablespaces") or []
    return topology.kind(seen) != topology.EMPTY or any(
        entry["entries"] and entry["path"] not in ours for entry in seen["directories"]
    )


def _look_at(seen: topology.Observation) -> str:
    if seen["data_directory"]["removed"]:
        return "Look at the other hosts first (ansible-playbook hawq.mirroring.state)"
    if topology.kind(seen) in (topology.STOPPED, topology.STOPPED_STANDBY):
        return f"Start it (systemctl start {seen['service']['unit']})"
    if topology.kind(seen) == topology.OTHER:
        return f"Look at it (ls -la {seen['data_directory']['path']})"
    return f"Look at it (systemctl status {seen['service']['unit']})"


def init_master(observations: Observations, hosts: dict[str, dict[str, t.Any]], options: dict[str, t.Any]) -> Verdict:
    """Judge whether and where a first master is made. A host that already has one is left alone."""
    chosen = options["master_host"]
    writers = topology.masters(observations)
    if chosen is not None and chosen not in observations:
        return _refuse(
            f"{chosen} is not in the inventory's group masters ({', '.join(observations)})",
            "only hosts of that group are looked at",
            "Correct -e master_host=",
        )
    if len(writers) > 1:
        return Verdict({}, identify.master_of(observations)[1])
    if writers and chosen in (None, *writers):
        return Verdict({"workflow": "init_master", "master": writers[0], "create": False}, [])
    if writers:
        return _refuse(
            f"{writers[0]} already is a master, not {chosen}",
            "a second master beside it would be a second writer",
            "Make a standby of it: ansible-playbook hawq.mirroring.init_standby",
        )
    if chosen is None and len(observations) > 1:
        return _refuse(
            f"the group masters has {len(observations)} hosts",
            "it cannot be said which is to be the master",
            checks.one_of("master_host", observations),
        )
    chosen = chosen or next(iter(observations))
    refusals = [
        Refusal(
            f"{name} holds {topology.describe(seen)}",
            "it may be the master, or hold the last copy of something",
            f"{_look_at(seen)}, or, if nothing of it is needed, move {seen['data_directory']['path']} away yourself",
        )
        if topology.kind(seen) != topology.UNREACHABLE
        else Refusal(
            f"{name} is {topology.describe(seen)}",
            "it may hold a master that cannot be seen now",
            "Bring it up, or take it out of the group masters",
        )
        for name, seen in observations.items()
        if topology.kind(seen) != topology.EMPTY
    ]
    if not refusals:
        refusals = checks.port(chosen, observations[chosen], hosts[chosen]["port"])
    plan = {"workflow": "init_master", "master": chosen, "create": True, "view_databases": ["postgres", "template1"]}
    return Verdict(plan, refusals)
