# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether and where a first master is made. Pure."""

from __future__ import annotations

from ..engines import table
from ..values.clusters import MASTERS
from ..values.command import group, playbook
from ..values.observation import Hosts
from . import checks, disk, guarded, identify, topology, units, versions
from .options import Options
from .plan import InitMasterPlan, only
from .refusal import Refusal, Verdict, correct, decide, refuse, refused


def _look_at(seen: topology.Observation, observations: topology.Observations) -> str:
    if seen["data_directory"]["removed"]:
        return f"Look at the other hosts first ({playbook('state')})"
    if topology.kind(seen) in (topology.STOPPED, *topology.STANDBYS):
        return identify.to_a_master(observations)
    if topology.kind(seen) == topology.OTHER:
        return f"Look at it (ls -la {seen['data_directory']['path']})"
    return f"Look at it (systemctl status {seen['service']['unit']})"


def judge(observations: topology.Observations, hosts: Hosts, options: Options) -> Verdict:
    """Judge whether and where a first master is made. A host that already has one is left alone."""
    chosen = options["master_host"]
    writers = topology.masters(observations)
    if chosen is not None and chosen not in observations:
        return refused([identify.not_in_group(chosen, observations, correct("master_host"))])
    if len(writers) > 1:
        return refused(identify.master_of(observations)[1])
    if writers and chosen in (None, *writers):
        return decide(_plan(observations, hosts, writers[0], False, options), [])
    if writers:
        return refuse(
            "has-a-master",
            f"{writers[0]} already is a master, not {chosen}",
            "two masters would both accept writes",
            f"To give {writers[0]} a standby: {playbook('init_standby')}",
        )
    if chosen is None and len(observations) > 1:
        found = f"the group {group(MASTERS)} has {len(observations)} hosts"
        return refused([identify.several(found, "to be the master", "master_host", observations)])
    chosen = chosen or next(iter(observations))
    refusals = [
        Refusal(
            "holds-data",
            f"{name} holds {topology.describe(seen)}",
            "it may be the master, or hold the last copy of something",
            f"{_look_at(seen, observations)}. If nothing of it is needed, move {seen['data_directory']['path']} away"
            " yourself",
        )
        if topology.kind(seen) != topology.UNREACHABLE
        else Refusal(
            "unreachable",
            f"{topology.being(name, seen)}",
            "it may hold a master that cannot be seen now",
            f"{topology.mend(seen) or 'Bring it up'}, or take it out of the group {group(MASTERS)}",
        )
        for name, seen in observations.items()
        if topology.kind(seen) != topology.EMPTY
    ]
    if not refusals:
        seen = observations[chosen]
        refusals = [
            *disk.not_mounted(chosen, seen),
            *disk.read_only(chosen, seen, whole=True),
            *disk.no_room(chosen, seen),
            *checks.port(chosen, seen, hosts[chosen]["port"]),
            *units.refusals(chosen, seen),
            *versions.of_a_master(chosen, seen, options)[1],
        ]
    return refused(refusals) if refusals else decide(_plan(observations, hosts, chosen, True, options), [])


def _plan(
    observations: topology.Observations,
    hosts: Hosts,
    master: str,
    create: bool,
    options: Options,
) -> InitMasterPlan:
    guard = guarded.told(observations, options) if create else None
    return {
        "workflow": "init_master",
        "master": master,
        "create": create,
        "address": hosts[master]["address"],
        "view_databases": list(table.of(observations[master]).words.databases),
        "version": versions.of_a_master(master, observations[master], options)[0],
        "which": "HOST" if len(observations) > 2 else None,
        "guard": guard,
        "steps": {
            "mode": only(master, guarded.to_be_told(None, guard)),
            "make": only(master, create),
            "address": only(master, create and bool(observations[master]["virtual_ip"])),
            "views": only(master, create and not options.get("check")),  # in a check run there is no server yet
        },
    }
