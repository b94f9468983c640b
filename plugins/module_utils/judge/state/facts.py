# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state document without a judgement: who is what, how far the standbys are, what is kept. Pure: no I/O, no clock.

LSNs as text, sizes in bytes, times in seconds.
"""

from __future__ import annotations

import typing as t

from ...values import conninfo, lsn
from ...values.observation import Segment
from .. import topology
from . import memories
from .group import Group
from .rewind import rewind

UNASKED = {"summary_state": "Unknown", "detail_state": None, "since": None, "error_message": "no single master to ask"}


def facts(group: Group) -> dict[str, t.Any]:
    """Return what there is."""
    observations, source, standbys = group.observations, group.source, group.standbys
    server = source["server"] if source else None
    slots = server["slots"] if server else []
    standby = standbys[0] if standbys else None if source else _only_standby(observations)
    mirrors = {name: {**topology.mirroring(source, name), **lag(source, name)} for name in standbys} if source else {}
    mirroring = topology.mirroring(source) if source else dict(UNASKED)
    if standbys:
        mirroring.update(lag(source, standbys[0]))
    passive = topology.kind(topology.seen_at(observations, standby)) == topology.STANDBY
    return {
        "master": group.master,
        "masters": group.masters,
        "master_state": _master_state(group),
        "standby": standby,
        "standbys": standbys,
        "standby_state": None if standby is None else "Standby host passive" if passive else "Unknown",
        "timeline": topology.timeline(source) if source else None,
        "mirroring": mirroring,
        "mirrors": mirrors,
        "slots": slots,
        "wal_retained_bytes": max((row["retained_bytes"] or 0 for row in slots), default=0),
        "hosts": {name: _host(seen) for name, seen in observations.items()},
        "rewind": [rewind(name, seen, source) for name, seen in observations.items() if name != group.master],
        "segments": {**_segments(server["segments"] if server else None), "memories": memories.facts(group)},
        "virtual_ip": virtual_ip(group),
    }


def _master_state(group: Group) -> str:
    if group.masters:
        return "Active"
    unknown = (topology.UNREACHABLE, topology.SILENT, topology.FROZEN)
    hidden = any(topology.kind(seen) in unknown or seen["elsewhere"] for seen in group.observations.values())
    return "Unknown" if hidden else "Down"


def _only_standby(observations: topology.Observations) -> str | None:
    """Without a master to ask: who follows one."""
    return next((name for name, seen in observations.items() if topology.may_take_over(seen)), None)


def lag(source: topology.Observation, standby: str) -> dict[str, t.Any]:
    """Return how far the standby's replay is behind its master."""
    sender = topology.sender_of(source, conninfo.slot_name(standby))
    if not sender:
        return {"lag_bytes": None, "lag_seconds": None}
    behind = lsn.distance(source["server"]["current_lsn"], sender["replay_lsn"])
    seconds = sender["replay_lag_seconds"]
    return {"lag_bytes": behind, "lag_seconds": 0.0 if seconds is None and behind == 0 else seconds}


def _host(seen: topology.Observation) -> dict[str, t.Any]:
    if topology.kind(seen) == topology.UNREACHABLE:
        return {"kind": topology.UNREACHABLE, "description": topology.describe(seen)}
    server = seen["server"]
    return {
        "kind": topology.kind(seen),
        "description": topology.describe(seen),
        "endpoint": seen["endpoint"],
        "system_identifier": topology.system_identifier(seen),
        "timeline": topology.timeline(seen),
        "service": {key: value for key, value in seen["service"].items() if key != "text"},
        "version": seen["binaries"]["version"],
        "lsn": (server["current_lsn"] or server["replay_lsn"]) if server else seen["wal_end"],
        "receiver": server["receiver"] if server else None,
        "replication_login": seen["credentials"]["login"],
        "replay_paused": server["replay_paused"] if server else None,
        "replay_blocked": server["replay_blocked"] if server else None,
        "last_commit_at": server["last_commit_at"] if server else None,
        "clients": server["clients"] if server else None,
        "data_directory": seen["data_directory"]["path"],
        "free_bytes": seen["data_directory"]["free_bytes"],
    }


def _segments(rows: list[Segment] | None) -> dict[str, t.Any]:
    if rows is None:
        return {"total": "Unknown", "valid": "Unknown", "failures": "Unknown", "rows": []}
    valid = sum(row["status"] == "u" for row in rows)
    return {"total": len(rows), "valid": valid, "failures": len(rows) - valid, "rows": rows}


def virtual_ip(group: Group) -> dict[str, t.Any] | None:
    """Return the address that follows the master, and who has it."""
    seen = {name: seen["virtual_ip"] for name, seen in group.reachable.items() if seen["virtual_ip"]}
    addresses = sorted({row["address"] for row in seen.values()})
    if not addresses:
        return None
    return {"address": ", ".join(addresses), "holders": [name for name, row in seen.items() if row["here"]]}
