# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which standbys follow whom, and which must be told to follow another master. Pure."""

from __future__ import annotations

from ..values import conninfo
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
        and followed_by(seen, hosts) not in (None, master)
        and (topology.timeline(seen) or 0) < (topology.timeline(source) or 0)
    }


def _is_running_standby(seen: Observation, like: Observation) -> bool:
    """Whether a host runs a standby of the same system as another one."""
    return (
        topology.kind(seen) == topology.STANDBY
        and not seen["data_directory"]["fenced"]
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
        name: topology.describe(observations[name]) if name in observations else "not in the group masters"
        for name in standbys
        if name not in further
    }


def told(seen: Observation) -> tuple[str | None, int]:
    """Return address and port that a standby is told to follow."""
    words, receiver = seen["follows"], seen["server"]["receiver"] if seen["server"] else None
    host = words["host"] or (receiver["host"] if receiver else None)
    return host, words["port"] or (receiver["port"] if receiver else None) or 5432


def followed_by(seen: Observation, hosts: Hosts) -> str | None:
    """Return the host of the group that a standby is told to follow; None when it is none of them."""
    place = told(seen)
    return next((name for name, host in hosts.items() if (str(host["address"]), int(host["port"])) == place), None)
