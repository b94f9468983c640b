# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of a swap. Pure."""

from __future__ import annotations

import typing as t

from . import failover, work
from .document import LOOK


def report(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps of a swap: a failover that nobody needed."""
    found, plan = failover.report(document), document["plan"]
    facts = {label: text for label, text in found["facts"].items() if label != "Fence"}
    title = f"Swapped: {plan['new']} is the master now, {plan['old']} was"
    if not plan["activate"]:
        title = f"{plan['new']} is the master already, nothing to swap"
    elif document["check"]:
        title = f"{work.UNCHANGED} swap {plan['old']} and {plan['new']}"
    if plan["activate"] and not document["check"]:
        outage = document["served"] - document["marks"][LOOK]
        facts["Without a master for at most"] = f"{outage:.1f} s"
        if document["fenced"].get("cut_off"):
            facts["Sessions that were still open"] = "cut off when drain_seconds were over"
    return {
        "title": title,
        "facts": facts,
        "next": [*found["next"][:1], *failover.rebuild(plan)],
        "nothing": found["nothing"],
    }
