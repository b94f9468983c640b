# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the unit that the inventory names is the one that starts the server. Pure: no I/O, no clock.

The boot interlock is asked before the start of the unit that is named: a server that another unit starts is not asked
about, and two hosts could accept writes.
"""

from __future__ import annotations

from ..values.places import cluster
from .refusal import AGAIN, Refusal
from .topology import Observation

WHY = (
    "the interlock, which asks the other hosts before a master starts, would be passed by, and after a failover both"
    " hosts could accept writes"
)


def wrong(name: str, seen: Observation) -> tuple[str, str] | None:
    """Return what is wrong with the unit of a host, and what to do; None when nothing is known to be."""
    service, run_by = seen["service"], seen["run_by"]
    if run_by and cluster(run_by) != cluster(service["unit"]):
        found = f"the server on {name} is run by {run_by}, and the inventory names {service['unit']}"
        return found, f"Set server_service={run_by} for {name} in the inventory"
    if service["type"] == "oneshot":
        found = f"{service['unit']} on {name} runs no server itself (Type=oneshot), it only starts other units"
        return found, f"Set server_service for {name} in the inventory to the unit that runs the server"
    rivals = seen.get("rivals") or []
    if rivals:
        units = " and ".join(row["unit"] for row in rivals)
        found = f"{units} on {name} would start the same server at boot as {service['unit']}"
        return found, f"Keep it from that, on {name}: {'; '.join(row['mend'] for row in rivals)}"
    return None


def refusals(name: str, seen: Observation) -> list[Refusal]:
    """Return why nothing that relies on the interlock may be built on this unit."""
    found = wrong(name, seen)
    return [Refusal("other-unit", found[0], WHY, f"{found[1]}, {AGAIN}")] if found else []
