# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host looks like to ``instance_info``: the model as an observation, in the shape of ``values.observation``.

It begins with the observations of the unit tests, so that a new field has the same neutral value here and there. What
the model does not touch is shared between all observations; judgement is pure and changes none.
"""

from __future__ import annotations

import functools
import typing as t

import observations as fixtures
from ansible_collections.hawq.mirroring.plugins.module_utils.values import lsn, places

from . import life, postgresql
from .judging import PROGRAMS
from .wal import BEGIN
from .world import CONNECTIONS, CONTROLLER, Data, Host, World

Seen = dict[str, t.Any]
USER = "hawq_mirroring"
NO_ANSWER = {"reachable": False, "error": "Connection timed out"}


@functools.cache
def _template(name: str, masters: tuple[str, ...]) -> Seen:
    """Return a host of a prepared pair without anything in its data directory."""
    base = fixtures.empty(name, fixtures.PREPARED if name in masters else None)
    base["credentials"]["servers"] = [[each, "5432"] for each in masters]
    return base


@functools.cache
def _server(connections: int) -> Seen:
    found = fixtures.master("mdw", fixtures.set_to(max_connections=str(connections)))["server"]
    found["settings"]["kept_wal_limit_bytes"] = postgresql.KEPT
    return t.cast(Seen, found)


@functools.cache
def _control() -> Seen:
    return fixtures.control("in production")


def lines(masters: t.Iterable[str]) -> tuple[str, ...]:
    """Return the lines that let these hosts replicate from each other."""
    addresses = sorted(fixtures.ADDRESSES[each] for each in masters)
    return tuple(f"host replication {USER} {address}/32 scram-sha-256" for address in addresses)


def observe(world: World, name: str) -> Seen:
    """Return the observation of a host; one that the controller does not reach is one as well."""
    if name in world.segments:
        return _segment(world, name)
    host, masters = world.hosts[name], tuple(world.hosts)
    if not world.reaches(CONTROLLER, name):
        return NO_ANSWER
    base, data = _template(name, masters), host.data
    seen = {
        **base,
        "data_directory": _directory(base["data_directory"], host),
        "blocks": {**base["blocks"], "access": list(data.access) if data and data.access is not None else None},
        "control": _control_of(host, data) if data else None,
        "histories": _histories(data) if data else {},
        "process": _process(base, host),
        "service": _service(base["service"], host),
        "follows": {**base["follows"], "host": data.follows, "port": 5432, "user": USER}
        if data and data.follows
        else base["follows"],
        "follows_slot": data.slot if data else "",
        "credentials": {**base["credentials"], **_logins(world, host)},
        "configuration": {**base["configuration"], "exists": data is not None, "at_least": _asked_for(data)},
        "programs": _programs(host, masters),
        "clock": world.now,
        "wal_age_seconds": world.now - host.written_at if data else None,
        "listening": host.server is not None,
        "probes": {peer: _probe(world, name, peer) for peer in masters if peer != name},
        "asks": {peer: _ask(world, name, peer) for peer in masters if peer != name},
    }
    if host.snapshot:
        seen["snapshot"] = _snapshot(base["snapshot"], host)
    mute = not host.server or host.server.crowded or host.server.frozen
    if data and data.signal and (data.as_master is False or data.fence) and mute:
        seen["wal_end"] = lsn.render(data.end.lsn)  # read from its files (``wal_held.end``)
    if host.server and data:
        _with_server(seen, world, host, data)
    return seen


def _asked_for(data: Data | None) -> Seen:
    """What the configuration asks for, where no session tells what the server has."""
    if data is None:
        return {}
    asked = {name: str(value) for name, value in _control()["at_least"].items()}
    return {**asked, "max_connections": str(data.connections)}


def _programs(host: Host, masters: tuple[str, ...]) -> Seen:
    """The collection's own programs."""
    peers = [
        {"name": name, "address": name, "port": 5432, "unit": places.UNIT} for name in masters if name != host.name
    ]
    there = {"settings": None, "unit": None, "stale": False, "enabled": False, "active": False, "state": "", "says": ""}
    told = {"data_directory": fixtures.DATA, "peers": peers}
    interlock = {**there, "program": PROGRAMS["interlock"], "unit": "drop-in", "settings": told}
    return {
        "interlock": interlock if host.interlock else {**there, "program": None},
        "peer": {**there, "program": PROGRAMS["peer"]},
        "virtual-ip": {**there, "program": None},
    }


def _directory(base: Seen, host: Host) -> Seen:
    data = host.data
    if data is None:
        missing = {
            "parent_exists": host.mounted or host.data is not None,
            "removed_on_purpose": host.removed_on_purpose,
            "unmounted": None if host.mounted else "/data",
        }
        return {**base, **missing}
    fence = data.fence
    return {
        **base,
        "state": "data",
        "entries": ["PG_VERSION", "base", "global", "pg_commit_ts", "pg_dynshmem"],
        "marked_standby": data.signal,
        "unstarted_copy": data.unstarted,
        "fenced": fence is not None,
        "fence_reason": fence.reason if fence else None,
        "fence_run": (fence.run or None) if fence else None,
        "fence_timeline": fence.timeline if fence else None,
        "removed": fence is not None and fence.was == "standby",
        "unfinished": data.unfinished,
        "slots": list(data.slots),
        "reclaimable_bytes": 2 * fixtures.GIGABYTE,
    }


def _control_of(host: Host, data: Data) -> Seen:
    """What ``pg_controldata`` tells ("pg_controldata"; "WAL Configuration", restartpoints).

    Just after a promotion it has the old timeline as that of the last checkpoint, and the new one as the least that a
    recovery must reach. A standby that has crashed knows its last restartpoint only.
    """
    least = data.checkpoint if data.as_master or not data.clean else data.replayed
    return {
        **_control(),
        "ended": "clean" if data.clean and not host.server else "crashed",
        "as_master": data.as_master,
        "timeline": data.checkpoint.timeline,
        "checkpoint_lsn": lsn.render(data.checkpoint.lsn),
        "redo_lsn": lsn.render(postgresql.redo(data)),
        "min_recovery_lsn": "0/0" if data.as_master else lsn.render(least.lsn),
        "min_recovery_timeline": _least_timeline(data, least.timeline),
        "at_least": {**_control()["at_least"], "max_connections": data.needs},
    }


def _least_timeline(data: Data, least: int) -> int:
    if not data.as_master:
        return least
    return data.end.timeline if data.end.timeline > data.checkpoint.timeline else 0


def _histories(data: Data) -> dict[str, list[list[t.Any]]]:
    return {str(number): [[old, lsn.render(end)] for old, end in lines] for number, lines in data.histories.items()}


def _process(base: Seen, host: Host) -> Seen:
    if host.server is None:
        return t.cast(Seen, base["process"])
    pid = 1000 * (1 + list(fixtures.ADDRESSES).index(host.name)) + int(host.server.started) % 1000
    return {
        "running": True,
        "pid": pid,
        "frozen": host.server.frozen,
        "stopped": {},
        "pidfile": {"pid": pid, "started": int(host.server.started), "data_directory": fixtures.DATA, "port": 5432},
    }


def _service(base: Seen, host: Host) -> Seen:
    unit = host.unit
    sub = {"active": "running", "activating": "start-pre", "failed": "failed"}.get(unit.active, "dead")
    enabled = "enabled" if unit.enabled else "disabled"
    return {**base, "active": unit.active, "sub": sub, "enabled": enabled, "waits_for": unit.waits}


def _logins(world: World, host: Host) -> Seen:
    """Whether the replication password works: a master takes its own; a standby tries the server that it follows."""
    server, data = host.server, host.data
    if server is None or data is None or server.frozen or server.crowded:
        return {"accepted": None, "login": None}
    if not server.standby:
        return {"accepted": True, "login": None}
    source = world.hosts.get(data.follows or "")
    there = source is not None and world.reaches(host.name, source.name) and source.server and not source.server.frozen
    return {"accepted": None, "login": "accepted" if there else "connection failed"}


def _probe(world: World, here: str, there: str) -> Seen:
    """What comes back from a port: a frozen server's is open, since the kernel takes connections for it."""
    peer = world.hosts[there]
    reached = world.reaches(here, there)
    runs = reached and peer.server is not None
    return {
        "address": there,
        "port": 5432,
        "open": runs,
        "answers": bool(runs and peer.server and not peer.server.frozen),
        "sources": [fixtures.ADDRESSES[here]],
        "error": None if runs else "Connection refused" if reached else "timed out",
    }


def _ask(world: World, here: str, there: str) -> Seen:
    reached = world.reaches(here, there)
    server = world.hosts[there].server
    return {
        "server": ("accepted" if not server.frozen else "timeout expired") if reached and server else None,
        "host": "answered" if reached else "Connection timed out",
    }


def _snapshot(base: Seen, host: Host) -> Seen:
    job = host.snapshot
    assert job
    return {
        **base,
        "phase": job.phase,
        "exists": True,
        "copied": True,
        "verified": job.phase == "done",
        "request": {"system_identifier": fixtures.OWN},
    }


def _with_server(seen: Seen, world: World, host: Host, data: Data) -> None:
    """Add what a session tells, or why there is none."""
    server = host.server
    assert server
    if server.frozen:
        seen["server_error"] = "no session: timeout expired"
        return
    if server.crowded:
        seen["server_error"] = "no session: FATAL: sorry, too many clients already"
        return
    seen["server_error"] = None
    seen["configuration"] = {**seen["configuration"], "at_least": {}}
    seen["server"] = _standby(world, host, data) if server.standby else _master(world, host, data)


def _common(host: Host, data: Data) -> Seen:
    server = host.server
    assert server
    catalog = data.replayed.catalog
    return {
        **_server(server.connections),
        "started": server.started,
        "checkpoint_timeline": data.checkpoint.timeline,
        "oldest_wal": lsn.render(data.floor or BEGIN),
        "standbys": list(catalog.standbys),
        "master_name": catalog.master,
        "pending_restart": ["max_connections"] if data.connections != server.connections else [],
        "sessions_free": max(0, server.connections - 3),
    }


def _master(world: World, host: Host, data: Data) -> Seen:
    links = {
        life.slot_name(link.standby): (4000 + number, link)
        for number, link in enumerate(world.links)
        if link.master == host.name
    }
    mirrors = []
    for name in data.replayed.catalog.standbys:
        state, detail = life.mirroring(world, host.name, name)
        mirrors.append(
            {
                "standby": name,
                "summary_state": state,
                "detail_state": detail,
                "since": world.now,
                "error_message": detail,
            }
        )
    order = (life.NOT_SYNCHRONIZED, life.SYNCHRONIZING, life.SYNCHRONIZED)
    worst = min(mirrors, key=lambda row: order.index(str(row["summary_state"])), default=None)
    none = {"summary_state": life.NOT_CONFIGURED, "detail_state": None, "since": None, "error_message": None}
    return {
        **_common(host, data),
        "current_lsn": lsn.render(data.end.lsn),
        "timeline": data.end.timeline,
        "sizes": [{"name": "pg_default", "bytes": 2 * fixtures.GIGABYTE, "location": ""}],
        "senders": [_sender(world, pid, link) for pid, link in links.values()],
        "slots": [
            fixtures.slot(
                name,
                active=name in links,
                active_pid=links[name][0] if name in links else None,
                keeps_from=lsn.render(row.keeps),
                lost=row.lost,
                wal="lost" if row.lost else "reserved",
                safe_bytes=None if row.lost else postgresql.KEPT - (data.end.lsn - row.keeps),
                retained_bytes=data.end.lsn - row.keeps,
            )
            for name, row in data.slots.items()
        ],
        "mirroring": {key: value for key, value in worst.items() if key != "standby"} if worst else none,
        "mirrors": mirrors,
        "segments": [fixtures.SEGMENT for _segment in world.segments],
        "wal_since_checkpoint": data.end.lsn - data.checkpoint.lsn,
    }


def _sender(world: World, pid: int, link: t.Any) -> Seen:
    there = world.hosts[link.standby].data
    replayed, flushed = (there.replayed.lsn, there.end.lsn) if there else (BEGIN, BEGIN)
    flushed = link.told if link.set_back else flushed
    return fixtures.sender(
        pid,
        link.standby,
        address=fixtures.ADDRESSES[link.standby],
        sent_lsn=lsn.render(flushed),
        flushed_lsn=lsn.render(flushed),
        replay_lsn=lsn.render(replayed),
    )


def _standby(world: World, host: Host, data: Data) -> Seen:
    link, server = world.link_of(host.name), host.server
    assert server
    last = data.replayed.rows.bit_length() - 1
    committed = world.rows[last].at if 0 <= last < len(world.rows) else world.now
    receiver = link and {
        "status": "streaming",
        "host": link.master,
        "port": 5432,
        "slot": data.slot,
        "flushed_lsn": lsn.render(link.told if link.set_back else data.end.lsn),
        "latest_end_lsn": lsn.render(link.told if link.set_back else max(link.told, data.end.lsn)),
        "timeline": data.end.timeline,
        "silent_seconds": 0.1 if link.silent_since is None else world.now - link.silent_since,
    }
    return {
        **_common(host, data),
        "standby": True,
        "current_lsn": None,
        "timeline": data.end.timeline,
        "have_lsn": lsn.render(data.end.lsn),
        "replay_lsn": lsn.render(data.replayed.lsn),
        "replay_paused": server.paused or server.short,
        "replay_age_seconds": world.now - committed,
        "last_commit_at": committed,
        "replay_blocked": server.blocked and data.end is not data.replayed,
        "blockers": [{"pid": 5000, "user": "report", "name": "report", "open_seconds": 900.0}]
        if server.blocked
        else [],
        "receiver": receiver,
        "slots": [fixtures.slot(name, active=False, active_pid=None) for name in data.slots],
        "mirroring": {
            "summary_state": life.SYNCHRONIZED if receiver else life.NOT_SYNCHRONIZED,
            "detail_state": None if receiver else "Connection error",
            "since": world.now,
            "error_message": "seen from the standby",
        },
    }


def _segment(world: World, name: str) -> Seen:
    """Return a segment: what it remembers, and which ports it can open."""
    if not world.reaches(CONTROLLER, name):
        return NO_ANSWER
    memory = world.memories.get(name)
    return {
        **_template(name, tuple(world.hosts)),
        "probes": {peer: _probe(world, name, peer) for peer in world.hosts},
        "witness": {
            "master": memory.master,
            "timeline": memory.timeline,
            "lsn": lsn.render(memory.lsn),
            "summary_state": memory.state,
            "at": memory.at,
            "age_seconds": world.now - memory.at,
            "system_identifier": fixtures.OWN,
        }
        if memory
        else None,
    }


__all__ = ["CONNECTIONS", "Seen", "observe"]
