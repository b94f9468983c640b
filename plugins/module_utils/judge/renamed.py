# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts that the inventory calls by another name than when they were made standbys. Pure.

A standby is known by the slot that it follows with, whatever the inventory calls its host. What a master has registered
is read with the names that the hosts have now; init_standby.yml and resync_standby.yml register these, without a copy.
"""

from __future__ import annotations

import typing as t

from ..values import conninfo
from ..values.command import playbook
from . import topology
from .refusal import Refusal

OURS = "hawq_mirroring_"


def names(observations: topology.Observations) -> dict[str, str]:
    """Return the hosts that have another name now: the registered name of each, by the one of the inventory."""
    known = {
        name
        for seen in observations.values()
        if topology.kind(seen) != topology.UNREACHABLE and seen["server"]
        for name in seen["server"]["standbys"]
        if name not in observations
    }
    found = {}
    for old in sorted(known):
        hosts = [name for name, seen in observations.items() if _follows_as(seen, name, old)]
        if len(hosts) == 1 and hosts[0] not in found:
            found[hosts[0]] = old
    return found


def _follows_as(seen: topology.Observation, name: str, old: str) -> bool:
    """Whether a host has the slot of that name, and none of its own name."""
    if topology.kind(seen) == topology.UNREACHABLE or not seen["follows_slot"]:
        return False
    return conninfo.slot_name(name) != seen["follows_slot"] == conninfo.slot_name(old)


def translated(observations: topology.Observations) -> tuple[topology.Observations, dict[str, str]]:
    """Return the observations with the names that the hosts have now, and these by ``names``."""
    found = names(observations)
    now = {old: new for new, old in found.items()}
    slots = {conninfo.slot_name(old): conninfo.slot_name(new) for old, new in now.items()}
    return {name: _translated(seen, now, slots) for name, seen in observations.items()} if now else observations, found


def _translated(seen: topology.Observation, now: dict[str, str], slots: dict[str, str]) -> topology.Observation:
    if topology.kind(seen) == topology.UNREACHABLE:
        return seen
    changed: dict[str, t.Any] = {"follows_slot": slots.get(seen["follows_slot"], seen["follows_slot"])}
    server = seen["server"]
    if server:
        changed["server"] = {
            **server,
            "standbys": sorted({now.get(name, name) for name in server["standbys"]}),
            "mirrors": [{**row, "standby": now.get(row["standby"] or "", row["standby"])} for row in server["mirrors"]],
            "slots": [{**row, "name": slots.get(row["name"], row["name"])} for row in server["slots"]],
            "receiver": _receiver(server["receiver"], slots),
            "senders": [{**row, "name": now.get(row["name"], row["name"])} for row in server["senders"]],
        }
    return t.cast("topology.Observation", {**seen, **changed})


def _receiver(row: t.Any, slots: dict[str, str]) -> t.Any:
    return {**row, "slot": slots.get(row["slot"], row["slot"])} if row else row


def spare_slots(
    observations: topology.Observations, master: str, renames: t.Mapping[str, str], inventory: t.Iterable[str] = ()
) -> list[str]:
    """Return the slots of names that no host has any more: they would keep WAL for nobody.

    A host that is in the inventory and not in this group may have been taken out of it for a while.
    """
    source = observations[master]
    wanted = {*observations, *inventory, *topology.registered(master, source), *renames.values()}
    used = {conninfo.slot_name(name) for name in wanted}
    used |= {seen["follows_slot"] for seen in observations.values() if topology.kind(seen) != topology.UNREACHABLE}
    idle = [
        row["name"]
        for row in source["server"]["slots"]
        if row["name"].startswith(OURS) and not row["active"] and row["name"] not in used
    ]
    return sorted({conninfo.slot_name(old) for old in renames.values()} | set(idle))


def refusals(renames: t.Mapping[str, str], standby: str | None) -> list[Refusal]:
    """What a removal would take away under the new name is not what was made under the old one."""
    if standby not in renames:
        return []
    return [
        Refusal(
            "renamed",
            f"{standby} was made a standby under the name {renames[standby]}, and has that name on its master still",
            "what is kept for it there bears that name",
            f"Register it under its name first, which copies nothing: {playbook('init_standby', standby_host=standby)}",
        )
    ]
