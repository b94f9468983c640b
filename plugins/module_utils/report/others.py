# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a takeover has meant for slots of others, and which settings the new master lacks. Pure."""

from __future__ import annotations

import typing as t

from ..values.text import sentence

UNKNOWN = "not known: the old master could not be looked at. Whoever read through slots of its own there has to look"


def facts(plan: dict[str, t.Any], done: dict[str, t.Any], check: bool) -> dict[str, str]:
    """Return the lines on slots of others and on settings, of a takeover that has any."""
    found: dict[str, str] = {}
    slots, lacks = plan.get("other_slots"), plan.get("settings_lost")
    if plan["activate"] and slots:
        line = _slots(slots, done, plan, check)
        found.update({"Slots of others": line} if line else {})
    if plan["activate"] and plan.get("emptied"):
        found["Unlogged tables"] = f"EMPTY on {plan['new']}, no standby has their rows: {'; '.join(plan['emptied'])}"
    if lacks:
        found[f"Settings that {plan['new']} lacks"] = "; ".join(lacks)
    return found


def _slots(slots: dict[str, t.Any], done: dict[str, t.Any], plan: dict[str, t.Any], check: bool) -> str:
    if not slots["known"]:
        return UNKNOWN
    parts = []
    if slots["lost"]:
        parts.append(f"LOST with {plan['old']}: {'; '.join(slots['lost'])}")
    trouble, begin = done.get("trouble") or {}, done.get("begin") or {}
    for row in slots["make"]:
        name = row["name"]
        if name in trouble:
            parts.append(f"{name} COULD NOT be made anew ({sentence(trouble[name])})")
        elif check:
            parts.append(f"{name} is to be made anew")
        elif row["physical"]:
            parts.append(f"{name} made anew, before the promotion")
        else:
            had = row["confirmed_lsn"] or "an unknown LSN"
            since = f" and {begin[name]}" if name in begin else " and the promotion"
            parts.append(f"{name} made anew: its consumer may miss changes between {had}{since}")
    if slots["kept"]:
        parts.append(f"kept: {', '.join(slots['kept'])}")
    return "; ".join(parts)
