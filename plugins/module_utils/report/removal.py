# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of a removal. Pure."""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values.command import playbook
from . import work


def report(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps of a removal."""
    plan, check, done = document["plan"], document["check"], document["done"]
    words = table.of(plan).words
    synchronous = words.settings["synchronous standbys"]
    taken = [*(done["source"].get("removed") or [])]
    taken += [f"lines in {words.access_file}"] if done["hba"].get("changed") else []
    taken += ["replication password"] if done["password"].get("changed") else []
    released_from = plan["synchronous"]
    changed = any(result.get("changed") for result in done.values()) or bool(released_from)
    facts = {"Taken away on the master": ", ".join(taken) or "nothing"}
    if released_from:
        after = released_from["value"] or "empty"
        facts["Commits do not wait for it now"] = f"{synchronous} was {released_from['was']}, is {after}"
    if plan["late_settings"]:
        late = (f"{name} = {value}" if value else f"{name} is unset" for name, value in plan["late_settings"].items())
        facts["Settings taken back"] = ", ".join(late)
    if plan["segments"] and not plan["others"]:
        facts["Role and its password stay"] = "the segments hear from it what the master is called"
    elif done["source"].get("role_stays"):
        facts["Role stays"] = done["source"]["role_stays"]
    if plan["stop"]:
        how = "to be stopped" if check else f"stopped ({done['server'].get('stopped')})"
        facts["Server of the standby"] = how if done["server"].get("changed") else "stopped already"
        what = "kept, and marked as removed"
        if plan["discard"]:
            what = "to be deleted" if check else "deleted"
        facts["Data of the standby"] = what
    if plan["steps"]["free"]:
        gone = done["cleared"].get("changed") or done["forgotten"].get("changed")
        verb = "to be taken away" if check else "taken away"
        facts["What this collection had there"] = verb if gone else "nothing any more"
    if not check and plan["confirm"]:
        facts["Mirroring state"] = (done["mirroring"].get("mirroring") or {}).get("summary_state") or "not asked"
    return {
        "title": _title(plan, check, changed),
        "facts": facts,
        "next": _next(plan, document["unit"], document["part"]),
        "nothing": not changed,
    }


def _title(plan: dict[str, t.Any], check: bool, changed: bool) -> str:
    master, standby = plan["master"], plan["standby"]
    if not changed:
        named = f"{standby} is no standby of {master}" if plan["others"] else f"{master} has no standby"
        return f"{named}: nothing to remove, nothing changed"
    if check:
        what = f"Standby {standby}" if standby else "What is left of an earlier standby"
        return f"{work.UNCHANGED} remove: {what} of {master}"
    if standby is None:
        return f"What was left of an earlier standby is removed, {master} has none"
    return f"Standby {standby} removed, {master} goes on without it"


def _next(plan: dict[str, t.Any], unit: str, part: bool) -> list[str]:
    """``unit`` names one that is not managed here and may start at boot; ``part`` of a run that takes all away."""
    follow, standby = list(plan["left"]), plan["standby"]
    if plan["stop"] and unit and not plan["discard"]:
        follow.append(
            f"{unit} on {plan['standby']} was not made here and may start at boot, as a standby that follows nobody"
        )
    if part:
        return follow
    if plan["stop"] and not plan["discard"] and plan["was"] == "standby":
        follow.append(
            f"delete its data as well: {playbook('remove_standby', standby_host=standby, existing_data='discard')}"
        )
    if plan["stop"]:
        workflow = "init_standby" if plan["discard"] else "resync_standby"
        command = playbook(workflow, standby_host=standby, additional_standby=True if plan["others"] else None)
        follow.append(f"make it a standby again: {command}")
    return follow
