# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of a failover. Pure."""

from __future__ import annotations

import time
import typing as t

from ..engines import table
from ..judge import topology
from ..values import lsn, wal
from ..values.command import playbook
from ..values.text import sentence, size
from . import others, segments, work

FENCES = {
    "module": "its server is stopped and cannot come back as a master",
    "command": "switched off by fence_command",
    "operator's word": "declared dead by the operator (master_is_down)",
    "none": "not needed",
}
UNSEEN = "not known: the old master's disk could not be looked at. When it is back, resync_standby lists it (--check)"
#: sessions of each kind that a report names
SHOWN = 3


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
        facts["Salvaged from it"] = _salvaged(document, offer)
        facts["Data lost"] = _would_be_lost(document["offer"]) if document["check"] else _lost(document)
    if done.get("timeline"):
        facts["Activated at"] = f"{done['activation_lsn']}, timeline {done['timeline']}"
    if done.get("promoted") and "promoted_at" in done:
        facts["Last commit that it has"] = _last_commit(done.get("last_commit_at"), done["promoted_at"])
    if done.get("ended_sessions"):
        facts["Sessions that were ended"] = _ended(done["ended_sessions"])
    if done.get("promoted") and "seconds" in done:
        facts["Promotion until a write had committed"] = f"{done['seconds']:.2f} s"
    if done.get("released_from"):
        facts["Commits wait for no standby now"] = f"{synchronous} was {done['released_from']}"
    facts.update(_of_host(plan))
    facts.update(others.facts(plan, document.get("other_slots") or {}, document["check"]))
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
    follow = [f"clients: {there}{direct}{_locked_out(plan)}"]
    follow += rebuild(plan)
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


def _salvaged(document: dict[str, t.Any], offer: dict[str, t.Any]) -> str:
    """Return how much was brought over from the old master's disk."""
    if (document.get("salvaged") or {}).get("replay_lsn", "") is None:
        return f"nothing: what it has is no continuation of what {document['plan']['new']} has"
    missing = offer.get("missing_bytes") or 0
    return size(missing) if missing else "nothing" + (" was missing" if offer else "")


def _of_host(plan: dict[str, t.Any]) -> dict[str, str]:
    """Return what databases do not find on the new master's host, or find in another version."""
    facts = {"Its host lacks": "; ".join(plan["lacking"])} if plan["lacking"] else {}
    if plan["rebuild"]:
        facts["Indexes on texts"] = f"were sorted by another version than {plan['new']} has, and must be rebuilt there"
    return facts


def _locked_out(plan: dict[str, t.Any]) -> str:
    """Clients that are let in on one host may have no line on the other: each has a file of its own."""
    if not plan.get("locked_out"):
        return ""
    return (
        f". No line of {plan['locked_out']} on {plan['new']} lets any in from another host: add theirs there, then on"
        f" {plan['new']}: {plan['let_in']}"
    )


def rebuild(plan: dict[str, t.Any]) -> list[str]:
    """Return what is to be typed on the new master so that its indexes are right."""
    return [f"on {plan['new']}, as soon as possible: {line}" for line in plan["rebuild"]]


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


def left_behind(end: str | None, activated_at: str | None) -> int | None:
    """Return the bytes of a master's WAL that a later one, which began at that LSN, does not have; None if not known.

    Between two records may lie the header of a page, which is nobody's.
    """
    beyond = lsn.distance(end, activated_at)
    if beyond is None or end is None:
        return None
    at_a_page = (lsn.parse(end) - beyond) % wal.PAGE_BYTES == 0
    return 0 if beyond <= (wal.LONG_HEADER if at_a_page else 0) else beyond


def _would_be_lost(offered: dict[str, t.Any]) -> str:
    """Return what a run would lose, as far as a check can tell."""
    if "offer" in offered and not offered["offer"].get("damage"):
        return "none: all WAL of the old master would be in the new one"
    return _accepted(offered) or UNSEEN


def _accepted(offered: dict[str, t.Any]) -> str:
    words = (offered.get("offer") or {}).get("damage") or offered.get("msg")
    return f"accepted by the operator: {sentence(words)}" if words else ""


def _lost(document: dict[str, t.Any]) -> str:
    """Return what is lost by what is there now, not by the plan: where one's WAL ended and the other's begins."""
    plan, offered, began = document["plan"], document["offer"], document["activation"].get("activation_lsn")
    read = (offered.get("offer") or {}).get("end_lsn")
    end = read or plan["known_lsn"]
    beyond = left_behind(end, began)
    if beyond:
        whose = f"the WAL of {plan['old']} {'ended at' if read else 'was known to reach'} {end}"
        back = playbook("resync_standby", standby_host=plan["old"] if len(plan["endpoints"]) > 2 else None)
        loss = (
            f"{'' if read else 'at least '}{size(beyond)} OF WAL: {whose}, and {plan['new']} took over at {began}. Keep"
            f" the data of {plan['old']}: {back} --check lists what only it has"
        )
        return f"{loss}. {_accepted(offered)}" if _accepted(offered) else loss
    if _accepted(offered):
        return _accepted(offered)
    if "offer" not in offered:
        return f"{UNSEEN}{f'. What was known of its WAL ({end}) is in the new master' if beyond == 0 else ''}"
    if beyond is None:
        return f"not known: where {plan['new']} took over cannot be read there. resync_standby lists it (--check)"
    return "none: all WAL of the old master is in the new one"


def _last_commit(at: float | None, promoted_at: float) -> str:
    if at is None:
        return "not known: it had replayed none since its start"
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
    return f"{when}, {max(0, promoted_at - at):.0f} s before it took over"


def _ended(sessions: list[dict[str, t.Any]]) -> str:
    """Return how many sessions were ended, why, and who some of them were."""
    whys = dict.fromkeys(str(each["why"]) for each in sessions)
    parts = []
    for why in whys:
        mine = [each for each in sessions if each["why"] == why]
        names = [f"process {each['pid']}, {sentence(str(each['title']))}" for each in mine[:SHOWN]]
        more = f"; and {len(mine) - SHOWN} more" if len(mine) > SHOWN else ""
        parts.append(f"{len(mine)}, since {why} ({'; '.join(names)}{more})")
    return "; ".join(parts)
