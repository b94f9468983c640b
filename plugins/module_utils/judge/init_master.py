# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether and where a first master is made. Pure."""

from __future__ import annotations

from ..engines import table
from ..values.command import playbook
from ..values.observation import Hosts
from . import checks, identify, topology
from .options import Options
from .refusal import Refusal, Verdict, refuse


def _look_at(seen: topology.Observation) -> str:
    if seen["data_directory"]["removed"]:
        return f"Look at the other hosts first ({playbook('state')})"
    if topology.kind(seen) in (topology.STOPPED, topology.STOPPED_STANDBY):
        return f"Start it (systemctl start {seen['service']['unit']})"
    if topology.kind(seen) == topology.OTHER:
        return f"Look at it (ls -la {seen['data_directory']['path']})"
    return f"Look at it (systemctl status {seen['service']['unit']})"


def judge(observations: topology.Observations, hosts: Hosts, options: Options) -> Verdict:
    """Judge whether and where a first master is made. A host that already has one is left alone."""
    chosen = options["master_host"]
    writers = topology.masters(observations)
    if chosen is not None and chosen not in observations:
        return Verdict({}, [identify.not_in_group(chosen, observations, "Correct -e master_host=")])
    if len(writers) > 1:
        return Verdict({}, identify.master_of(observations)[1])
    if writers and chosen in (None, *writers):
        return Verdict({"workflow": "init_master", "master": writers[0], "create": False}, [])
    if writers:
        return refuse(
            "has-a-master",
            f"{writers[0]} already is a master, not {chosen}",
            "a second master beside it would be a second writer",
            f"Make a standby of it: {playbook('init_standby')}",
        )
    if chosen is None and len(observations) > 1:
        found = f"the group masters has {len(observations)} hosts"
        return Verdict({}, [identify.several(found, "to be the master", "master_host", observations)])
    chosen = chosen or next(iter(observations))
    refusals = [
        Refusal(
            "holds-data",
            f"{name} holds {topology.describe(seen)}",
            "it may be the master, or hold the last copy of something",
            f"{_look_at(seen)}, or, if nothing of it is needed, move {seen['data_directory']['path']} away yourself",
        )
        if topology.kind(seen) != topology.UNREACHABLE
        else Refusal(
            "unreachable",
            f"{name} is {topology.describe(seen)}",
            "it may hold a master that cannot be seen now",
            "Bring it up, or take it out of the group masters",
        )
        for name, seen in observations.items()
        if topology.kind(seen) != topology.EMPTY
    ]
    if not refusals:
        refusals = checks.port(chosen, observations[chosen], hosts[chosen]["port"])
    databases = list(table.of(observations[chosen]).words.databases) if not refusals else []
    plan = {"workflow": "init_master", "master": chosen, "create": True, "view_databases": databases}
    return Verdict(plan, refusals)
