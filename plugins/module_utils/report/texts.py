# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reports as people read them. Pure: documents in, text out."""

from __future__ import annotations

import datetime
import typing as t

from ..engines import table
from ..judge import topology
from ..values.text import sentence, size

WIDTH = 46


def _line(label: str, value: t.Any) -> str:
    return f"  {label:<{WIDTH}} = {value}"


def _when(epoch: float | None) -> str:
    if epoch is None:
        return ""
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime(" since %Y-%m-%d %H:%M:%S UTC")


def with_inventory(text: str, sources: list[str]) -> str:
    """Return the text with the inventory in its commands, so that they can be typed as they stand."""
    options = "".join(f" -i {source}" for source in sources)
    return text.replace("ansible-playbook hawq.", f"ansible-playbook{options} hawq.")


def refusals(workflow: str, found: list[dict[str, str]], tried: dict[str, str] | None = None) -> str:
    """Return every refusal as one sentence, numbered when there are several; ``tried`` says why ways have failed."""
    sentences = [f"{row['found']}: {row['why']}. {row['command']}." for row in found]
    if len(sentences) > 1:
        sentences = [f"({number}) {words}" for number, words in enumerate(sentences, 1)]
    if tried:
        failed = ", ".join(f"the {route} failed ({sentence(reason)})" for route, reason in tried.items())
        return f"{failed[0].upper()}{failed[1:]}, and the next way is refused. " + " ".join(sentences)
    return f"{workflow} refused, nothing was changed. " + " ".join(sentences)


def state(document: dict[str, t.Any]) -> str:
    """Return the labels of ``hawq state``, then what they do not tell."""
    mirroring, segments = document["mirroring"], document["segments"]
    summary = mirroring["summary_state"]
    reason = ", ".join(text for text in (mirroring["detail_state"], mirroring["error_message"]) if text)
    lines = [
        "HAWQ instance status summary",
        _line("Master instance", document["master_state"]),
        _line("Master host", ", ".join(document["masters"]) or "none"),
        _line("Master standby", document["standby"] or "No Standby master defined"),
    ]
    if document["standby"]:
        lines.append(_line("Standby master state", document["standby_state"]))
    lines += [
        _line("Total segments count from catalog", segments["total"]),
        _line("Total segment valid (at master)", segments["valid"]),
        _line("Total segment failures (at master)", segments["failures"]),
        _line("Mirroring state", summary + (f" ({reason})" if reason else "") + _when(mirroring["since"])),
    ]
    if mirroring.get("lag_bytes") is not None:
        seconds = mirroring["lag_seconds"]
        lag = size(mirroring["lag_bytes"]) + (f", {seconds:.3f} s" if seconds is not None else "")
        lines.append(_line("Standby behind", lag))
    for name, mirror in list(document["mirrors"].items())[1:]:
        lag = f", {size(mirror['lag_bytes'])} behind" if mirror["lag_bytes"] is not None else ""
        lines.append(_line(f"Further standby {name}", mirror["summary_state"] + lag))
    if document["virtual_ip"]:
        silent = any(host["kind"] == topology.UNREACHABLE for host in document["hosts"].values())
        where = ", ".join(document["virtual_ip"]["holders"]) or ("no host that answers" if silent else "no host")
        lines.append(_line("Virtual IP", f"{document['virtual_ip']['address']} on {where}"))
    lines.append(_line("Timeline", document["timeline"] or "unknown"))
    for slot in document["slots"]:
        kept = size(slot["retained_bytes"] or 0)
        active = "active" if slot["active"] else "inactive"
        lines.append(_line(f"Slot {slot['name']}", f"{active}, WAL {slot['wal']}, {kept} retained"))
    for name, host in document["hosts"].items():
        place = f" (timeline {host['timeline']}, LSN {host['lsn']})" if host.get("lsn") else ""
        lines.append(_line(f"Host {name}", host["description"] + place))
    for row in document["rewind"]:
        lines.append(
            _line(f"Rewind of {row['host']}", f"{'possible' if row['possible'] else 'not possible'}: {row['reason']}")
        )
    for row in segments["rows"]:
        if row["status"] != "u":
            lines.append(_line(f"Segment {row['hostname']}:{row['port']}", row["description"]))
    lines += [f"  Note: {text}" for text in document["notes"]]
    lines += [f"  Problem: {text}" for text in document["problems"]]
    return "\n".join(lines)


def timed(marks: dict[str, float | None], now: float) -> dict[str, t.Any]:
    """Return the seconds of each step. A mark is when its step ended; ``began`` is when the first one began."""
    known = {name: mark for name, mark in marks.items() if mark}
    begin = known.pop("began", now)
    seconds, last = {}, begin
    rest = "confirm" if len(known) > 1 else "act and confirm"
    for name, mark in [*known.items(), (rest, now)]:
        seconds[name] = round(mark - last, 2)
        last = mark
    return {"seconds": seconds, "total_seconds": round(now - begin, 2)}


FENCES = {
    "module": "its server is stopped and cannot come back as a master",
    "command": "switched off by fence_command",
    "operator's word": "declared dead by the operator (master_is_down)",
    "none": "not needed",
}


def failover(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps of a failover."""
    plan, done, offer = document["plan"], document["activation"], document["offer"].get("offer") or {}
    new, old, activated = plan["new"], plan["old"], plan["activate"]
    facts = {f"Evidence ({number})": text for number, text in enumerate(plan["evidence"], 1)}
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
        setting = table.of(plan).words.settings["synchronous standbys"]
        facts["Commits wait for no standby now"] = f"{setting} was {done['released_from']}"
    results = [] if document["check"] else document.get("followed") or []
    facts.update(followed(results, plan["followers"], plan["untold"]))
    facts.update(registered(document.get("registered") or {}))
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
        which = f" -e standby_host={back}" if len(hosts) > 2 else ""
        follow.append(f"{off}bring {back} back as a standby: ansible-playbook hawq.mirroring.resync_standby{which}")
    title = f"{new} is the master now" if activated else f"{new} is the master already, nothing to activate"
    if document["check"] and activated:
        title = f"{UNCHANGED} make {new} the master"
    return {"title": title, "facts": facts, "next": follow}


def switchover(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps of a swap: a failover that nobody needed."""
    found, plan = failover(document), document["plan"]
    facts = {label: text for label, text in found["facts"].items() if label != "Fence"}
    title = f"Swapped: {plan['new']} is the master now, {plan['old']} was"
    if not plan["activate"]:
        title = f"{plan['new']} is the master already, nothing to swap"
    elif document["check"]:
        title = f"{UNCHANGED} swap {plan['old']} and {plan['new']}"
    if plan["activate"] and not document["check"]:
        outage = float(document["served"]) - document["marks"]["observe and judge"]
        facts["Without a master for at most"] = f"{outage:.1f} s"
        if document["fenced"].get("cut_off"):
            facts["Sessions that were still open"] = "cut off when drain_seconds were over"
    return {"title": title, "facts": facts, "next": found["next"][:1]}


def segments(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps of a registration of segments."""
    plan = document["plan"]
    facts = registered(document["registered"])
    if plan["unreachable"]:
        facts["Not reachable, so left out"] = ", ".join(plan["unreachable"])
    place = f"(database {table.of(plan).words.databases[0]} of the master)"
    follow = [f"look at them: SELECT * FROM gp_segment_configuration {place}"]  # noqa: S608, words for people
    return {"title": f"Segments of {plan['master']}", "facts": facts, "next": follow}


def followed(results: list[dict[str, t.Any]], followers: dict[str, str], untold: dict[str, str]) -> dict[str, str]:
    """Return the line on each further standby: whether it follows the new master."""
    facts = {f"Further standby {name}": "is to follow" for name in followers}
    for name, words in untold.items():
        command = f"ansible-playbook hawq.mirroring.resync_standby -e standby_host={name}"
        facts[f"Further standby {name}"] = f"could NOT be told ({words}): when it is back, {command}"
    for result in results:
        trouble = result.get("msg")
        command = f"ansible-playbook hawq.mirroring.resync_standby -e standby_host={result['item']}"
        facts[f"Further standby {result['item']}"] = (
            f"does NOT follow ({sentence(trouble)}): {command}" if trouble else topology.SYNCHRONIZED
        )
    return facts


def registered(found: dict[str, t.Any]) -> dict[str, str]:
    """Return the lines on segments: those that have registered with the master, and those that have not."""
    if not found.get("registered") and not found.get("missing"):
        return {}
    facts = {"Segments registered": ", ".join(found["registered"]) or "none"}
    if found["missing"]:
        facts["Segments not registered"] = ", ".join(found["missing"])
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


def failure(document: dict[str, t.Any]) -> str:
    """Return why a workflow failed, what was taken back, and what goes on or could not be taken back."""
    lost = [name for name in document["pair"] if name not in document["answered"]]
    sentences = [f"{name}: {sentence(text)}." for name, text in document["causes"].items()]
    sentences += [f"{name} does not answer by SSH any more." for name in lost]
    undone = document["undone"]
    phases = [answer.get("phase", "copying") for answer in undone.values() if answer.get("goes_on")]
    if phases:
        what = "The verified copy waits" if phases[0] == "done" else "The snapshot goes on by itself"
        return " ".join([*sentences, f"{what}, nothing was taken back: run this again, it will go on from there."])
    if any(answer.get("slot_lost") for answer in undone.values()):
        words = table.of(document).words
        setting = words.settings["kept wal"]
        sentences.append(
            f"The master had to drop WAL that the copy still needed, more than its {setting} keeps: raise that"
            f" ({words.set_setting.format(name=setting, value='...')}, {words.reload}), or copy when less is written."
        )
    left = [f"{name} ({sentence(undone[name]['msg'])})" for name in document["answered"] if "msg" in undone[name]]
    if left or lost:
        sentences.append(
            f"What this run had made is still there on {' and '.join(left + lost)}: run this again when that is mended,"
            " it begins with clearing that away."
        )
    else:
        sentences.append("What this run had made is taken back: run this again when that is mended.")
    return " ".join(sentences)


#: how the title of a check run begins that has something to do
UNCHANGED = "Nothing was changed. A run would"


def checked(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the document of a check run: what is to be done next is the run itself, if it would do anything."""
    if not document.get("title", "").startswith(UNCHANGED):
        return document
    return {**document, "next": ["to do it, type the same without --check"]}


def work(document: dict[str, t.Any]) -> str:
    """Return what a workflow found, did and advises."""
    lines = [document["title"]]
    lines += [_line(label, value) for label, value in document["facts"].items()]
    steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in document["seconds"].items())
    lines.append(_line("Seconds", f"{document['total_seconds']:.1f} ({steps})"))
    lines += [f"  Next: {text}" for text in document["next"]]
    return "\n".join(lines)
