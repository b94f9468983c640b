# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state document: what there is now, for people and programs. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values import conninfo, lsn
from ..values.command import playbook
from ..values.observation import Segment, Server, Slot
from . import identify, rewinding, topology

ACCEPTED = "accepted"


def rewind(name: str, seen: topology.Observation, source: topology.Observation | None) -> dict[str, t.Any]:
    """Whether a rewind could make this host a standby now, and why not."""
    answer = {"host": name, "needed": False, "possible": False, "reason": "", "wal_lasts_seconds": None}
    what = topology.kind(seen)
    if source is None:
        return {**answer, "reason": "there is no master to rewind to"}
    if what == topology.UNREACHABLE:
        return {**answer, "reason": "the host is not reachable"}
    never = rewinding.why_not(seen, source)
    if never:
        return {**answer, "reason": never}
    if what in topology.STANDBYS and topology.timeline(seen) == topology.timeline(source):
        return {**answer, "possible": True, "reason": "not needed: it is on the master's timeline"}
    if what in (topology.STANDBY, topology.SILENT, topology.FROZEN, topology.MASTER):
        return {**answer, "needed": True, "reason": "its server must be stopped first"}
    row = topology.slot_of(source, conninfo.slot_name(name))
    if row is None or row["lost"]:
        return {**answer, "needed": True, "reason": "the master keeps no WAL for it"}
    lasts = _lasts(source["server"], row)
    how_long = f", for some {_duration(lasts)} at the present rate of WAL" if lasts is not None else ""
    reason = f"the master keeps the WAL that it needs{how_long}"
    return {**answer, "needed": True, "possible": True, "reason": reason, "wal_lasts_seconds": lasts}


def _lasts(server: Server, slot: Slot) -> float | None:
    """Return for how many seconds a slot will keep its WAL, if as much is written as since the last checkpoint."""
    written, seconds = server["wal_since_checkpoint"], server["checkpoint_age_seconds"]
    if slot["safe_bytes"] is None or not written or not seconds or seconds <= 0:
        return None
    return round(max(0, slot["safe_bytes"]) / (written / seconds), 1)


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _lag(source: topology.Observation, standby: str) -> dict[str, t.Any]:
    sender = topology.sender_of(source, conninfo.slot_name(standby))
    if not sender:
        return {"lag_bytes": None, "lag_seconds": None}
    lag = lsn.distance(source["server"]["current_lsn"], sender["replay_lsn"])
    seconds = sender["replay_lag_seconds"]
    return {"lag_bytes": lag, "lag_seconds": 0.0 if seconds is None and lag == 0 else seconds}


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
        "lsn": (server["current_lsn"] or server["replay_lsn"]) if server else None,
        "receiver": server["receiver"] if server else None,
        "replication_login": seen["credentials"]["login"],
        "replay_paused": server["replay_paused"] if server else None,
        "data_directory": seen["data_directory"]["path"],
        "free_bytes": seen["data_directory"]["free_bytes"],
    }


def problems(document: dict[str, t.Any]) -> list[str]:
    """Return why the state is not healthy: no master, two masters, a standby that is not Synchronized."""
    found = []
    if not document["masters"]:
        found.append("no host accepts writes")
    if len(document["masters"]) > 1:
        found.append(f"{' and '.join(document['masters'])} both accept writes")
    address = document["virtual_ip"]
    if address and document["master"] and address["holders"] != [document["master"]]:
        where = " and ".join(address["holders"]) or "no host"
        wanted = f"and should be on the master {document['master']}"
        mend = f": {playbook('init_standby')} mends it" if document["standbys"] else ""
        found.append(f"{address['address']} is on {where}, {wanted}{mend}")
    for standby in document["standbys"]:
        mirroring = document["mirrors"].get(standby, document["mirroring"])
        if mirroring["summary_state"] != topology.SYNCHRONIZED:
            reason = mirroring["detail_state"] or mirroring["error_message"] or "no reason known"
            login = document["hosts"].get(standby, {}).get("replication_login") or ACCEPTED
            answer = "" if login == ACCEPTED else f"; its login to the master is answered: {login}"
            found.append(f"standby {standby} is {mirroring['summary_state']} ({reason}{answer})")
        elif (host := document["hosts"].get(standby)) and host["kind"] != topology.STANDBY:
            found.append(f"standby {standby} is {host['description']}, which the master has not noticed yet")
    return found


def _only_standby(observations: topology.Observations) -> str | None:
    """Without a master to ask: who follows one."""
    return next((name for name, seen in observations.items() if topology.may_take_over(seen)), None)


def _segments(rows: list[Segment] | None) -> dict[str, t.Any]:
    if rows is None:
        return {"total": "Unknown", "valid": "Unknown", "failures": "Unknown", "rows": []}
    valid = sum(row["status"] == "u" for row in rows)
    return {"total": len(rows), "valid": valid, "failures": len(rows) - valid, "rows": rows}


def _virtual_ip(observations: topology.Observations) -> dict[str, t.Any] | None:
    seen = {name: seen["virtual_ip"] for name, seen in observations.items() if seen.get("virtual_ip")}
    addresses = sorted({row["address"] for row in seen.values()})
    if not addresses:
        return None
    return {"address": ", ".join(addresses), "holders": [name for name, row in seen.items() if row["here"]]}


def notes(document: dict[str, t.Any], observations: topology.Observations) -> list[str]:
    """Return what is no failure now and would be one at a failover, and the command that goes on."""
    found, master = [], document["master"]
    standbys = [name for name, seen in observations.items() if topology.may_take_over(seen)]
    if not document["masters"] and standbys:
        found += _without_master(standbys[0], observations)
    elif not document["masters"]:
        found.append(identify.master_of(observations)[1][0].command)
    wrong = [name for name, row in document["mirrors"].items() if row["summary_state"] == topology.NOT_SYNCHRONIZED]
    found += [_bring_back(name, observations) for name in wrong]
    if master and document["standbys"]:
        found += [_bring_back(name, observations) for name in _awaited(master, observations)]
    if master and not document["standbys"]:
        slots = [row["name"] for row in document["slots"] if row["name"].startswith("hawq_mirroring_")]
        kept = f" (slot {slots[0]} keeps WAL for one)" if slots else ""
        command = playbook(_standby_by(master, observations), standby_host=_which(master, observations))
        found.append(f"{master} has no standby{kept}: {command}")
    for name, seen in observations.items():
        found += _of_host(name, seen)
    for name in standbys:
        server = observations[name]["server"]
        if master and server and name not in document["standbys"]:
            beside = True if document["standbys"] else None
            found.append(
                f"{name} runs as a standby that {master} does not know. Take it away:"
                f" {playbook('remove_standby', standby_host=name)}; or in:"
                f" {playbook('resync_standby', standby_host=name, additional_standby=beside)}"
            )
            continue
        if server and server["replay_paused"]:
            found.append(f"replay on {name} is paused: {playbook('resync_standby')} lets it go on")
        if master and server and server["access_rules"] != observations[master]["server"]["access_rules"]:
            found.append(
                f"{table.of(observations[name]).words.access_file} on {name} has other rules than on {master}: after a"
                " failover clients may be locked out. Make them alike"
            )
    return found


def _without_master(standby: str, observations: topology.Observations) -> list[str]:
    """Return what to do when nobody accepts writes: start the master again, or give it up."""
    failover = f"make {standby} the master: {playbook('failover')}"
    declared = f"make {standby} the master: {playbook('failover', master_is_down=True)}"
    kinds = {name: topology.kind(seen) for name, seen in observations.items()}
    stopped = [name for name in kinds if kinds[name] == topology.STOPPED and not _is_fenced(observations[name])]
    away = [name for name in kinds if kinds[name] == topology.UNREACHABLE]
    found = [
        f"start {name} again (there: systemctl start {observations[name]['service']['unit']}), or {failover}"
        for name in stopped
    ]
    if not stopped:
        found = [f"if {name} is off for certain, {declared}" for name in away]
    return found or [f"if the master is lost, {failover}"]


def _is_fenced(seen: topology.Observation) -> bool:
    return bool(seen["data_directory"]["fenced"])


def _of_host(name: str, seen: topology.Observation) -> list[str]:
    if topology.kind(seen) == topology.UNREACHABLE:
        return []
    found, service, kept = [], seen["service"], seen["data_directory"]["kept"]
    runs = topology.kind(seen) in (topology.MASTER, topology.STANDBY)
    if runs and service["load"] == "loaded" and service["enabled"] == "disabled":
        unit = service["unit"]
        found.append(f"{unit} on {name} would not start at boot (there: systemctl enable {unit})")
    if kept:
        found.append(f"kept aside on {name}, to be deleted when nobody needs it: {', '.join(kept)}")
    return found


def _which(master: str, observations: topology.Observations) -> str | None:
    """Return the host to name, where there are several to choose from."""
    if len(observations) <= 2:
        return None
    source = observations[master]
    known = [name for name in observations if topology.slot_of(source, conninfo.slot_name(name)) is not None]
    return known[0] if len(known) == 1 else "HOST"


def _bring_back(name: str, observations: topology.Observations) -> str:
    which = name if len(observations) > 2 else None
    away = name in observations and topology.kind(observations[name]) == topology.UNREACHABLE
    first = f"switch {name} on, then " if away else ""
    return f"{first}bring {name} back: {playbook('resync_standby', standby_host=which)}"


def _awaited(master: str, observations: topology.Observations) -> list[str]:
    """Return the hosts that are not registered, and that the master keeps WAL for: former masters to come back."""
    source = observations[master]
    return [
        name
        for name in observations
        if name not in (master, *source["server"]["standbys"])
        and topology.slot_of(source, conninfo.slot_name(name)) is not None
    ]


def _standby_by(master: str, observations: topology.Observations) -> str:
    """Return the playbook that gives the master a standby: data of the same system is brought back, else it is made.

    Of a host that cannot be looked at, the slot that the master keeps for it tells.
    """
    source = observations[master]
    own = topology.system_identifier(source)
    comes_back = any(
        topology.system_identifier(seen) == own
        if topology.kind(seen) != topology.UNREACHABLE
        else topology.slot_of(source, conninfo.slot_name(name)) is not None
        for name, seen in observations.items()
        if name != master
    )
    return "resync_standby" if comes_back else "init_standby"


def document(observations: topology.Observations, settled: str | None = None) -> dict[str, t.Any]:
    """Return the whole state; LSNs as text, sizes in bytes, times in seconds.

    ``settled`` is a standby that a run puts in order now, so that there is nothing to be noted of it.
    """
    masters = topology.masters(observations)
    master = masters[0] if len(masters) == 1 else None
    source = observations[master] if master else None
    server = source["server"] if source else None
    standbys = server["standbys"] if server else []
    unknown = any(
        topology.kind(seen) in (topology.UNREACHABLE, topology.SILENT, topology.FROZEN)
        for seen in observations.values()
    )
    found: dict[str, t.Any] = {
        "master": master,
        "masters": masters,
        "master_state": "Active" if masters else "Unknown" if unknown else "Down",
        "standby": standbys[0] if standbys else None if source else _only_standby(observations),
        "standbys": standbys,
        "standby_state": None,
        "timeline": topology.timeline(source) if source else None,
        "mirroring": topology.mirroring(source)
        if source
        else {
            "summary_state": "Unknown",
            "detail_state": None,
            "since": None,
            "error_message": "no single master to ask",
        },
        "mirrors": {name: {**topology.mirroring(source, name), **_lag(source, name)} for name in standbys}
        if source
        else {},
        "slots": server["slots"] if server else [],
        "wal_retained_bytes": max(
            [row["retained_bytes"] or 0 for row in (server["slots"] if server else [])], default=0
        ),
        "hosts": {name: _host(seen) for name, seen in observations.items()},
        "rewind": [rewind(name, seen, source) for name, seen in observations.items() if name != master],
        "segments": _segments(server["segments"] if server else None),
    }
    if found["standby"]:
        passive = topology.kind(topology.seen_at(observations, found["standby"])) == topology.STANDBY
        found["standby_state"] = "Standby host passive" if passive else "Unknown"
    if source and standbys:
        found["mirroring"].update(_lag(source, standbys[0]))
    found["virtual_ip"] = _virtual_ip(observations)
    found["problems"] = problems(found)
    mirrors = {name: row for name, row in found["mirrors"].items() if name != settled}
    order = {"standbys": sorted({*standbys, settled}), "mirrors": mirrors} if settled else {}
    found["notes"] = notes({**found, **order}, observations)
    found["healthy"] = not found["problems"]
    return found
