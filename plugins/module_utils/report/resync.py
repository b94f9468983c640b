# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The bill and the report of a resynchronisation, as people read them. Pure: documents in, text out."""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values.text import size
from . import layout, work

DONE = {
    "none": "nothing to do",
    "start": "its WAL goes on from where it is",
    "follow": "a former master that has nothing of its own: nothing to copy",
    "rewind": "only what has changed since the histories parted is copied",
    "delta": "all is compared, what differs is copied, the result is verified",
    "snapshot": "all is copied and verified",
}


def _price(row: dict[str, t.Any]) -> str:
    return (
        f"{size(row['transfer_bytes'])} to transfer, {size(row['disk_bytes'])} of disk, some"
        f" {row['seconds']:.0f} s; at stake: {row['stake']}"
    )


def bill(document: dict[str, t.Any]) -> str:
    """Return a line for each route: what it would cost, or why it is not possible."""
    plan = document["plan"]
    lines = [
        layout.paragraph(
            f"Ways to make {plan['standby']} a synchronised standby of {plan['master']} again, as they are tried:"
        )
    ]
    for row in plan["bill"]:
        chosen = "*" if row["route"] == plan["route"] else " "
        words = _price(row) if row["possible"] else f"not possible: {row['reason']}"
        if row["possible"] and row["route"] == "none":
            words = "it is one"
        head = f" {chosen} {row['route']:<9} "
        lines.append(head + "\n".join(layout.wrap(words, len(head), len(head))))
    lines += ["   " + "\n".join(layout.wrap(text, 3, 5)) for text in lost(plan, document["relations"])]
    return "\n".join(lines)


def lost(plan: dict[str, t.Any], relations: list[str]) -> list[str]:
    """Return what only the standby's host had, if anything."""
    found = plan.get("divergence")
    if not found or not found["wal_bytes"]:
        return []
    number = f"{'' if found['whole'] else 'at least '}{found['transactions']}"
    words = f"{number} committed, in {size(found['wal_bytes'])} of WAL beyond {found['fork_lsn']}"
    if found["transactions"]:
        words += f", {found['first_commit']} to {found['last_commit']} UTC"
    tables = ", ".join(relations) or "none"
    return [f"Transactions that only {plan['standby']} has: {words}", f"Tables that they touched: {tables}"]


def _put_in_order(plan: dict[str, t.Any], check: bool) -> dict[str, str]:
    """Return what is set, made and dropped on the standby's host."""
    facts = {}
    if plan["stale_slots"]:
        done, names = "to be dropped" if check else "dropped", ", ".join(plan["stale_slots"])
        facts[f"Slots on {plan['standby']}"] = f"{done}, since they are of its time as the master: {names}"
    if plan["recovery_settings"]:
        told = ", ".join(f"{name} = {value}" for name, value in plan["recovery_settings"].items())
        facts[f"Set on {plan['standby']}"] = told
    if plan["new_tablespaces"]:
        facts[f"Made on {plan['standby']}"] = f"{', '.join(plan['new_tablespaces'])} (tablespaces)"
    return facts


def report(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps."""
    plan, check = document["plan"], document["check"]
    pair = f"{plan['standby']}, standby of {plan['master']}"
    title = f"Resynchronised {pair}"
    if plan["route"] == "none":
        title = f"Synchronized already: {pair}"
    if check and plan["route"] != "none":
        title = f"{work.UNCHANGED} resynchronise {pair}"
    rewound, compared = document["rewound"], document["compared"]
    facts = {"Way": f"{plan['route']} ({DONE[plan['route']]})"}
    if not check:
        facts["Mirroring state"] = document["mirroring"].get("summary_state") or "not asked"
    facts.update({f"{route.capitalize()} failed": reason for route, reason in plan["failed_routes"].items()})
    facts.update(_put_in_order(plan, check))
    facts.update(work.spare(plan, check))
    if rewound.get("copied_bytes") is not None and rewound.get("rewound"):
        facts["Copied from the master"] = size(rewound["copied_bytes"])
    if compared.get("copied") and compared["compared_bytes"]:
        facts["Copied from the master"] = f"{size(compared['received_bytes'])} of {size(compared['compared_bytes'])}"
    for line in lost(plan, document["relations"]):
        label, _colon, words = line.partition(": ")
        facts[label] = words
    kept = [*document["kept"], *([document["lost"]["directory"]] if document["lost"].get("directory") else [])]
    if document.get("left_out"):
        facts["Left out"] = work.left_out(document["left_out"])
    facts.update(work.waits(document))
    if kept:
        facts["Kept aside"] = ", ".join(kept)
    found, lost_place = plan.get("divergence"), document["lost"].get("directory")
    look = []
    if lost_place and found:
        command = table.of(plan).words.read_wal.format(
            directory=lost_place,
            begin=found["fork_lsn"],
            end=found["end_lsn"],
            timeline=plan["history"][-1]["timeline"],
        )
        look = [f"what only it had, record by record (there, as the server's user):\n{command}"]
    follow = [f"when you need it no more, delete {' and '.join(kept)}"] if kept and not check else []
    follow = [*plan["notes"], *look, *follow]
    follow.append(work.look())
    nothing = plan["route"] == "none" and not document["changed"]
    return {"title": title, "facts": facts, "next": follow, "nothing": nothing}
