# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of a failover. Pure."""

from __future__ import annotations

import typing as t

from ..engines import table
from ..judge import topology
from ..values.command import playbook
from ..values.text import sentence, size
from . import segments, work

FENCES = {
    "module": "its server is stopped and cannot come back as a master",
    "command": "switched off by fence_command",
    "operator's word": "declared dead by the operator (master_is_down)",
    "none": "not needed",
}


def report(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps of a failover."""
    plan, done, offer = document["plan"], document["activation"], document["offer"].get("offer") or {}
    synchronous = table.of(plan).words.settings["synchronous standbys"]
    new, old, activated = plan["new"], plan["old"], plan["activate"]
    facts = {f"Evidence ({number})": text for number, text in enumerate(plan["evidence"], 1)}
    if plan["ignored_witnesses"]:
        facts["Ignored witnesses"] = ", ".join(plan["ignored_witnesses"])
    if old and not document["check"]:
        facts["Fence"] = f"{old}: {FENCES[plan['fence']]}"
    if activated and (offer or not document["check"]):
        facts["Old master's WAL ended at"] = offer.get("end_lsn") or "not known: its host could not be looked at"
        salvaged = offer.get("missing_bytes") or 0
        facts["Salvaged from it"] = size(salvaged) if salvaged else "nothing" + (" was missing" if offer else "")
        facts["Data lost"] = _lost(document["offer"], "would be" if document["check"] else "is")
    if done.get("timeline"):
        facts["Activated at"] = f"{done['activation_lsn']}, timeline {done['timeline']}"
    if done.get("promoted") and "seconds" in done:
        facts["Promotion until a write had committed"] = f"{done['seconds']:.2f} s"
    if done.get("released_from"):
        facts["Commits wait for no standby now"] = f"{synchronous} was {done['released_from']}"
    results = [] if document["check"] else document.get("followed") or []
    facts.update(standbys(results, plan["followers"], plan["untold"]))
    facts.update(segments.registered(document.get("registered") or {}))
    if document.get("virtual_ip"):
        trouble = document.get("trouble")
        facts["Address of the master"] = f"NOT MOVED: {sentence(trouble)}" if trouble else document["virtual_ip"]
    hosts = plan["endpoints"]
    names, ports = (",".join(str(hosts[name][key]) for name in sorted(hosts)) for key in ("address", "port"))
    direct = f"host={names} port={ports} target_session_attrs=read-write"
    address = "" if document.get("trouble") else document.get("virtual_ip")
    there = f"host={address.split('/')[0]} port={hosts[new]['port']}, or " if address else ""
    follow = [f"clients: {there}{direct}"]
    back = old or next(iter(plan.get("away") or []), None)
    if back:
        off = f"switch {back} on, then " if plan["fence"] in ("command", "operator's word") or not old else ""
        command = playbook("resync_standby", standby_host=back if len(hosts) > 2 else None)
        follow.append(f"{off}bring {back} back as a standby: {command}")
    title = f"{new} is the master now" if activated else f"{new} is the master already, nothing to activate"
    if document["check"] and activated:
        title = f"{work.UNCHANGED} make {new} the master"
    changed = any(document[part].get("changed") for part in ("fenced", "activation"))
    nothing = not activated and not changed and not plan["followers"]
    return {"title": title, "facts": facts, "next": follow, "nothing": nothing}


def standbys(results: list[dict[str, t.Any]], followers: dict[str, str], untold: dict[str, str]) -> dict[str, str]:
    """Return the line on each further standby: whether it follows the new master."""
    facts = {f"Further standby {name}": "is to follow" for name in followers}
    for name, words in untold.items():
        command = playbook("resync_standby", standby_host=name)
        facts[f"Further standby {name}"] = f"could NOT be told ({words}): when it is back, {command}"
    for result in results:
        trouble = result.get("msg")
        command = playbook("resync_standby", standby_host=result["item"])
        facts[f"Further standby {result['item']}"] = (
            f"does NOT follow ({sentence(trouble)}): {command}" if trouble else topology.SYNCHRONIZED
        )
    return facts


def _lost(offered: dict[str, t.Any], verb: str) -> str:
    damage = (offered.get("offer") or {}).get("damage")
    if damage:
        return f"accepted by the operator: {damage}"
    if "offer" in offered:
        return f"none: all WAL of the old master {verb} in the new one"
    if offered.get("msg"):
        return f"accepted by the operator: {sentence(offered['msg'])}"
    return "not known: the old master's disk could not be looked at. When it is back, resync_standby lists it (--check)"
