# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of segments that register. Pure."""

from __future__ import annotations

import typing as t

from ..engines import table


def report(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps of a registration of segments."""
    plan = document["plan"]
    facts = registered(document["registered"])
    if plan["steps"]["witness"]:
        facts["Bear witness"] = ", ".join(plan["steps"]["witness"])
    if plan["unreachable"]:
        facts["Not reachable, so left out"] = ", ".join(plan["unreachable"])
    place = f"(database {table.of(plan).words.databases[0]} of the master)"
    follow = [f"look at them: SELECT * FROM gp_segment_configuration {place}"]  # noqa: S608, words for people
    return {
        "title": f"Segments of {plan['master']}",
        "facts": facts,
        "next": follow,
        "nothing": not document["changed"],
    }


def registered(found: dict[str, t.Any]) -> dict[str, str]:
    """Return the lines on segments: those that have registered with the master, and those that have not."""
    if not found.get("registered") and not found.get("missing"):
        return {}
    facts = {"Segments registered": ", ".join(found["registered"]) or "none"}
    if found["missing"]:
        facts["Segments not registered"] = ", ".join(found["missing"])
    return facts
