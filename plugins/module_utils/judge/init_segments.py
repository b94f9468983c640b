# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether and how the segments are let in. Pure."""

from __future__ import annotations

from ..engines import table
from ..values import conninfo, places
from ..values.clusters import SEGMENTS, WITNESSES
from ..values.command import group, playbook
from ..values.observation import Hosts
from . import checks, disk, guarded, identify, topology
from .options import Options
from .plan import SegmentsPlan, only
from .refusal import AGAIN, Refusal, Verdict, decide, refuse, refused


def _taken(name: str, seen: topology.Observation, source: topology.Observation) -> Refusal | None:
    """A host bears witness once for each name of a server's unit: another system's record is not overwritten."""
    found = seen.get("ledger")
    record = found["record"] if found and found["stopped"] is None else None
    if not record or record.get("system") == topology.system_identifier(source):
        return None
    return Refusal(
        "witness-taken",
        f"{name} bears witness of another system ({record.get('system')}) under the same name,"
        f" {places.cluster(seen['service']['unit'])}",
        "what it has on its disk for that one would be overwritten",
        f"Give {name} a name of its own in this cluster's group (ansible_host says where it is), with another"
        f" server_service, {AGAIN}. If that other system is gone: systemctl stop"
        f" {places.witness_unit(seen['service']['unit'])} on {name}, {AGAIN}",
    )


def judge(observations: topology.Observations, hosts: Hosts, options: Options) -> Verdict:
    """Judge how segments and witnesses are let in and told who may be the master. Who cannot be reached is left out."""
    master, refusals = identify.master_of(observations)
    if master is None:
        return refused(refusals)
    everybody, bystanders = options["witnesses"], options.get("only_witnesses") or []
    reached = [name for name, seen in everybody.items() if topology.kind(seen) != topology.UNREACHABLE]
    reachable = [name for name in reached if name not in bystanders]
    guard = guarded.told(observations, options)
    down = [name for name, seen in observations.items() if topology.kind(seen) == topology.UNREACHABLE]
    if not everybody:
        return refuse(
            "no-segments",
            f"the inventory has no hosts in the groups {group(SEGMENTS)} and {group(WITNESSES)}",
            "there is nothing to register",
            f"Name segments in the group {group(SEGMENTS)}, or hosts that only bear witness in the group"
            f" {group(WITNESSES)}, {AGAIN}",
        )
    if guard is None and len(bystanders) == len(everybody):
        return refuse(
            "no-segments",
            f"mirroring is asynchronous, and the inventory has witnesses only ({', '.join(bystanders)})",
            "commits wait for nobody, so that nobody can bear witness of it",
            "Let them wait first, if you want that:"
            f" {playbook('init_standby', mirroring_mode=guarded.SYNCHRONOUS)}, {AGAIN}",
        )
    if down:
        return refuse(
            "unreachable",
            f"{' and '.join(f'{topology.being(name, observations[name])}' for name in down)}",
            "after a failover the segments would not be let in there",
            f"{topology.mend(observations[down[0]]) or 'Bring it up'}, {AGAIN}",
        )
    for name in reachable:
        seen = everybody[name]
        client = table.of(seen).words.client
        if not seen["user"]["exists"] or client in seen["binaries"]["missing"]:
            lacks = (
                f"the user {seen['user']['name']}"
                if not seen["user"]["exists"]
                else f"{seen['binaries']['directory']}/{client}"
            )
            refusals.append(
                Refusal(
                    "segment-not-prepared",
                    f"{name} lacks {lacks}",
                    "a segment registers as that user, by that program",
                    "Prepare it as a segment first, or name another in gpadmin_user_name or binaries_prefix (for the"
                    f" group {group(SEGMENTS)}, too)",
                )
            )
    source = observations[master]
    refusals += [row for name in reached if (row := _taken(name, everybody[name], source))] if guard else []
    refusals += guarded.foreign(master, source, topology.registered(master, source), options)
    refusals += checks.databases(source, options["view_databases"])
    probes = [probe for name in reached for probe in everybody[name]["probes"].values()]
    found = {address for probe in probes for address in probe["sources"]}
    there = [name for name, seen in observations.items() if seen["configuration"]["exists"]]
    plan: SegmentsPlan = {
        "workflow": "init_segments",
        "engine": observations[master]["engine"],
        "master": master,
        "endpoints": {name: hosts[name] for name in observations},
        "segments": reachable,
        "unreachable": [name for name in everybody if name not in reached],
        "hba_lines": conninfo.hba_lines(options["segment_user"], sorted(found), table.asked_in(source)),
        "view_databases": checks.view_databases(source, options["view_databases"]),
        "hba_files": {name: topology.access_file(seen) for name, seen in observations.items()},
        "guard": guard,
        "system_identifier": topology.system_identifier(source),
        "steps": {
            # the function that they register by, and its files on whoever may be the master
            "views": there,
            # a host without data gets the lines with the master's copy
            "let_in": there,
            "password": [master],
            "register": reachable,
            "confirm": only(master, bool(reachable)),
            "bystand": [name for name in reached if name in bystanders] if guard else [],
            "witness": reached if guard else [],
            "mode": only(master, guarded.to_be_told(source, guard)),
            "guard": there if guard else [],
        },
    }
    written = [name for name in there if observations[name]["blocks"]["segments"] != (plan["hba_lines"] or None)]
    return decide(plan, refusals + disk.access(observations, written))
