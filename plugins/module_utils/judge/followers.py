# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which standbys follow whom, and which must be told to follow another master. Pure."""

from __future__ import annotations

import re

from ..values import conninfo
from ..values.clusters import MASTERS
from ..values.command import group
from ..values.observation import Hosts, Observation, Observations
from . import topology


def left_behind(observations: Observations, hosts: Hosts, master: str) -> dict[str, str]:
    """Return the standbys that a killed run has not told to follow, each with its slot: they follow somebody else."""
    source = observations[master]
    return {
        name: conninfo.slot_name(name)
        for name, seen in observations.items()
        if name in topology.registered(master, source)
        and _is_running_standby(seen, source)
        and followed_by(seen, hosts, observations) not in (None, master)
        and (topology.timeline(seen) or 0) < (topology.timeline(source) or 0)
    }


def _is_running_standby(seen: Observation, like: Observation) -> bool:
    """Whether a host runs a standby of the same system as another one."""
    return (
        topology.kind(seen) == topology.STANDBY
        and not topology.is_fenced(seen)
        and topology.system_identifier(seen) == topology.system_identifier(like)
    )


def followers(observations: Observations, old: str, new: str) -> dict[str, str]:
    """Return the further standbys that can be told to follow the new master, each with its slot there."""
    return {
        name: conninfo.slot_name(name)
        for name, seen in observations.items()
        if name not in (old, new) and _is_running_standby(seen, observations[new])
    }


def standbys_after(seen: Observation, new: str, old: str, further: dict[str, str]) -> list[str]:
    """Return who is registered with the new master: those that follow, and those that could not be looked at."""
    known = seen["server"]["standbys"] if seen["server"] else []
    return sorted({*further, *known} - {old, new})


def untold(observations: Observations, standbys: list[str], further: dict[str, str]) -> dict[str, str]:
    """Return the registered standbys that cannot be told to follow now, each with what it is."""
    return {
        name: topology.describe(observations[name]) if name in observations else f"not in the group {group(MASTERS)}"
        for name in standbys
        if name not in further
    }


def told(seen: Observation) -> tuple[str | None, int]:
    """Return address and port that a standby is told to follow."""
    words, receiver = seen["follows"], seen["server"]["receiver"] if seen["server"] else None
    host = words["host"] or (receiver["host"] if receiver else None)
    return host, words["port"] or (receiver["port"] if receiver else None) or 5432


def followed_by(seen: Observation, hosts: Hosts, observations: Observations | None = None) -> str | None:
    """Return the host of the group that a standby is told to follow; None when it is none of them.

    An inventory may reach a host at another address than when the standby was made: then the host's name in the
    inventory, its own name for itself and its addresses are compared as well, and at last its name without a domain.
    """
    host, port = told(seen)
    same_port = {name: place["address"] for name, place in hosts.items() if int(place["port"]) == port}
    found = [name for name, address in same_port.items() if str(address) == host]
    found = found or [name for name in same_port if host in _names(name, observations or {})]
    found = found or [name for name in same_port if host and _first(name) == _first(host)]
    return found[0] if len(found) == 1 else None


def _first(name: str) -> str:
    """Return the first word of a host's name, whatever its domain is; of an address all of it."""
    return name if re.fullmatch(r"[\d.]+|.*:.*", name) else name.lower().split(".")[0]


def _names(name: str, observations: Observations) -> list[str]:
    """Return what a host may be called."""
    seen = topology.seen_at(observations, name)
    if topology.kind(seen) == topology.UNREACHABLE:
        return [name]
    return [name, seen["machine"]["hostname"], *seen["machine"]["addresses"]]
