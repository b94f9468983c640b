# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what keeps commits waiting for the standby works, and whether a failover could know of it. Pure."""

from __future__ import annotations

import json
import typing as t

from ...values import ledger
from ...values.clusters import WITNESSES
from ...values.command import group as group_name
from ...values.command import playbook
from ...values.observation import Guard
from .. import guarded, topology
from ..guard import NOBODY_REGISTERED
from .group import Finding, Group, finding, is_away, on

ASYNCHRONOUS = "asynchronous"


def findings(group: Group) -> list[Finding]:
    """Return the hosts without a guard, and the witnesses that are missing; nothing where commits wait for nobody."""
    guard = _of_the_pair(group)
    if guard is None:
        return []
    return [*_without(group, guard), *_witnesses(group, guard)]


def notes(group: Group) -> list[Finding]:
    """Return that nobody bears witness, where nobody has begun to."""
    guard = _of_the_pair(group)
    if guard is None or not _is_without_witness(group, guard):
        return []
    text = (
        f"commits on {group.master} wait for its standby, and nobody bears witness of when it goes on alone: after the"
        " loss of its host a failover could not know whether anything is lost"
    )
    named = bool(guard["witnesses"] or group.witnesses)
    first = "" if named else f"name hosts in the group {group_name(WITNESSES)}, then "
    return [finding("no-witness", None, text, f"{first}{playbook('init_segments')}")]


def _is_without_witness(group: Group, guard: Guard) -> bool:
    """Whether no host has begun to bear witness: none is named, or no named one has a record or has registered."""
    begun = any(_ledger(group, name) for name in group.witnesses)
    return not (guard["witnesses"] or group.witnesses) or (_is_unheard(group) and not begun)


def _is_unheard(group: Group) -> bool:
    """Whether no witness has registered with the master, as its guard says."""
    told = group.source.get("guard") if group.source else None
    return bool(told and told["says"].endswith(NOBODY_REGISTERED))


def _of_the_pair(group: Group) -> Guard | None:
    """Return the guard of the master, or of another host where that one has lost its own.

    None where there is no master, or it has no standby that its commits could wait for.
    """
    if group.source is None or not group.standbys:
        return None
    found = [guard for seen in group.members.values() if (guard := seen.get("guard"))]
    master = group.source.get("guard")
    wanted = [guard for guard in [*([master] if master else []), *found] if guard["mode"] != ASYNCHRONOUS]
    return None if master and master["mode"] == ASYNCHRONOUS else next(iter(wanted), None)


def _without(group: Group, guard: Guard) -> list[Finding]:
    rows = []
    for name, seen in group.members.items():
        told = seen.get("guard")
        # a run that was killed may have told it a mode, and not have come to install it
        mine = told if told and guarded.is_installed(told) else None
        if mine and (mine["active"] or (mine["enabled"] and not seen["process"]["running"])):
            continue  # it comes and goes with the server
        why = (
            "commits wait for ever when the standby is lost"
            if name == group.master
            else "when it takes over, its commits wait until somebody starts it"
        )
        unit = (mine or guard)["unit"]
        found = f"the guard of {name} does not run ({unit})" if mine else f"{name} has no guard ({unit})"
        command = on(name, f"systemctl start {unit}") if mine else playbook("init_standby")
        rows.append(finding("guard-missing", name, f"{found}, and mirroring is {guard['mode']}: {why}", command))
    return rows


def _witnesses(group: Group, guard: Guard) -> list[Finding]:
    """Return that too few witnesses have a record that can be believed, so that a failover could not know."""
    listed = guard["witnesses"]
    if (listed and not group.witnesses) or _is_without_witness(group, guard):
        return []  # where it lists some, this playbook does not look at them
    there, needed = _there(group), ledger.majority(listed)
    lacking = [name for name in listed if name not in there]
    if listed and len(listed) - len(lacking) >= needed:
        return _unheard(group, there) if _is_unheard(group) else []
    could = "after the loss of the master's host a failover could not know whether anything is lost"
    if not listed:
        text = f"mirroring is {guard['mode']}, and {group.master} has no witness: {could}"
        return [finding("witness-missing", None, text, playbook("init_segments"))]
    said = "; ".join(f"{name}: {_why(group, name)}" for name in lacking)
    text = (
        f"{len(there)} of {len(listed)} witnesses bear witness, and {needed} are needed ({said}): {could}, and without"
        " the standby commits would hang"
    )
    away = [name for name in lacking if name not in group.witnesses or is_away(group.witnesses[name])]
    command = f"bring {' and '.join(away)} up" if away else playbook("init_segments")
    stopped = {name: unit for name in lacking if (unit := _ledger(group, name).get("stopped"))}
    if stopped:
        command = "; ".join(on(name, f"systemctl start {unit}") for name, unit in stopped.items())
    elif any(_is_promised(group, record) for name in lacking if (record := _record(group, name))):
        text = f"{text}. A failover was begun and not ended"
        command = playbook("switchover")
    return [finding("witness-missing", lacking[0] if len(lacking) == 1 else None, text, command)]


def _unheard(group: Group, there: list[str]) -> list[Finding]:
    """Return that witnesses do not get through to the master, which has never heard of one."""
    name = there[0]
    text = (
        f"{', '.join(there)} would bear witness, and do not get through to {group.master}: after the loss of its host a"
        " failover could not know whether anything is lost"
    )
    look = on(name, "journalctl -n 20 -u 'hawq-mirroring-witness-*'")
    return [
        finding("witness-missing", name if len(there) == 1 else None, text, f"{look}, then {playbook('init_segments')}")
    ]


def _there(group: Group) -> list[str]:
    """Return the witnesses of the list that have a record of this system."""
    return [name for name in group.witnesses if not _why(group, name)]


def _why(group: Group, name: str) -> str:
    """Return why a witness proves nothing; empty where it does."""
    seen = group.witnesses.get(name)
    if seen is None:
        return "the inventory has no such segment"
    if is_away(seen):
        return "it cannot be looked at"
    found, record = _ledger(group, name), _record(group, name)
    if not found.get("record"):
        return found.get("why") or "it has no record"
    if record is None:
        return "its record is damaged"
    if group.source and record.system != topology.system_identifier(group.source):
        return f"its record is of another system ({record.system})"
    if _is_promised(group, record):
        return f"it has promised timeline {record.promised.timeline} to {record.promised.candidate}"
    stopped = found.get("stopped")
    return f"its program does not run ({stopped})" if stopped else ""


def _ledger(group: Group, name: str) -> dict[str, t.Any]:
    seen = group.witnesses.get(name)
    found = seen.get("ledger") if seen and not is_away(seen) else None
    return dict(found) if found else {}


def _record(group: Group, name: str) -> ledger.Record | None:
    found = _ledger(group, name).get("record")
    return ledger.parse(json.dumps(found))[0] if found else None


def _is_promised(group: Group, record: ledger.Record) -> bool:
    """Whether a failover that did not come to its end has its promise: it grants the master nothing any more."""
    return bool(record.promised and group.source and record.promised.timeline > (topology.timeline(group.source) or 0))
