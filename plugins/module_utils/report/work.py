# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What init_master and init_standby report, and the text of every report. Pure."""

from __future__ import annotations

import typing as t

from ..judge.plan import InitMasterPlan
from ..values.command import again, playbook
from ..values.text import size
from . import layout

#: how the title of a check run begins that has something to do
UNCHANGED = "Nothing was changed. A run would"
#: steps of init_standby of which nobody does any when a pair is in order; a task of its own tells of each other change
STEPS = ("binaries", "ssh_keys", "passwords", "source", "let_in", "configuration", "snapshot", "replace")


def look() -> str:
    """Return the next step after which nothing is left to do."""
    return f"look at it any time: {playbook('state')}"


def init_master(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps of a new master, or of one that was there."""
    plan: InitMasterPlan = document["plan"]
    title = f"Master on {plan['master']}"
    if not plan["create"]:
        title += ": was there already, nothing changed"
    elif document["check"]:
        title = f"{UNCHANGED} make: {title}"
    else:
        title += ": made"
    give = playbook("init_standby", standby_host=plan["which"])
    return {
        "title": title,
        "facts": {"Endpoint": plan["address"]},
        "next": [f"give it a standby: {give}"],
        "nothing": not plan["create"],
    }


def init_standby(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps of a standby that was made or seen to."""
    plan, check = document["plan"], document["check"]
    instead = "".join(f", instead of {name}, which is removed then" for name in plan["steps"]["replace"])
    title = f"Standby on {plan['standby']}, mirrored from {plan['master']}{instead}"
    nothing = not document["changed"] and not any(plan["steps"][name] for name in STEPS)
    if nothing:
        title += f": all in order, {'a run would change nothing' if check else 'nothing changed'}"
    elif check:
        title = f"{UNCHANGED} {'make' if plan['snapshot'] else 'put in order'}: {title}"
    state = (
        "would be Synchronized" if check and not nothing else document["mirroring"].get("summary_state") or "not asked"
    )
    copied = "to copy and verify" if check else "copied and verified"
    old = {"keep": "moved aside", "discard": "deleted"}.get(plan["existing_data"], "none")
    facts = {
        "Mirroring state": state,
        "Snapshot": f"{size(plan['size_bytes'])} {copied}" if plan["snapshot"] else "not needed",
        "Old data": ", ".join(document["kept"]) or old,
    }
    facts.update(waits(document))
    facts.update(spare(plan, check))
    if document.get("left_out"):
        facts["Left out"] = left_out(document["left_out"])
    return {
        "title": title,
        "facts": facts,
        "next": [*([] if plan["snapshot"] else document["notes"]), look()],
        "nothing": nothing,
    }


def waits(document: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return for whom commits wait, where a guard sees to that."""
    plan, found = document["plan"], document.get("waits") or {}
    if not plan.get("guard"):
        return {}
    if plan["guard"]["mode"] == "asynchronous":
        return {"Commits": "wait for no standby (mirroring_mode=asynchronous)"}
    if document["check"]:
        return {"Commits": f"would wait for {plan['standby']}"}
    return {"Commits": f"wait for {' and '.join(found.get('names') or []) or 'nobody'}"}


def spare(plan: dict[str, t.Any], check: bool) -> dict[str, str]:
    """Return which slots are given up on the master that kept WAL for nobody."""
    if not plan.get("spare_slots"):
        return {}
    done, names = "to be dropped" if check else "dropped", ", ".join(plan["spare_slots"])
    why = "since no host of the inventory has that name, and no standby is registered under it"
    return {f"Slots on {plan['master']}": f"{done}, {why}: {names}"}


def left_out(found: dict[str, str]) -> str:
    """Return what of a configuration directory was not copied, and why."""
    return ", ".join(f"{path} ({why})" for path, why in sorted(found.items()))


def checked(body: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the body of a check run: what is to be done next is the run itself, if it would do anything."""
    if not body["title"].startswith(UNCHANGED):
        return body
    same = again()
    return {**body, "next": [f"to do it, type the same without --check{f': {same}' if same else ''}"]}


def text(document: t.Mapping[str, t.Any]) -> str:
    """Return what a workflow found, did and advises."""
    lines = [layout.paragraph(document["title"])]
    lines += [layout.line(label, value) for label, value in document["facts"].items()]
    steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in document["seconds"].items())
    lines.append(layout.line("Seconds", f"{document['total_seconds']:.1f} ({steps})"))
    lines += [layout.item("Next", each) for each in document["next"]]
    return "\n".join(lines)
