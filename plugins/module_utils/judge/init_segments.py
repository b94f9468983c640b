# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether and how the segments are let in. Pure."""

from __future__ import annotations

import typing as t

from ..values import conninfo
from . import identify, topology
from .plan import SegmentsPlan
from .refusal import Refusal, Verdict, decide, refuse, refused


def judge(
    observations: topology.Observations, hosts: dict[str, dict[str, t.Any]], options: dict[str, t.Any]
) -> Verdict:
    """Judge how the segments are let in and told who may be the master. Those that cannot be reached are left out."""
    master, refusals = identify.master_of(observations)
    if master is None:
        return refused(refusals)
    segments = options["witnesses"]
    reachable = [name for name, seen in segments.items() if topology.kind(seen) != topology.UNREACHABLE]
    down = [name for name, seen in observations.items() if topology.kind(seen) == topology.UNREACHABLE]
    if not segments:
        return refuse(
            "the inventory has no hosts in the group segments",
            "there is nothing to register",
            "Name them in the group segments, then run this again",
        )
    if down:
        return refuse(
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
    plan: SegmentsPlan = {
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
        "steps": {
            "let_in": list(observations),
            "password": [master],
            "register": reachable,
            "confirm": [master],
        },
    }
    return decide(plan, refusals)
