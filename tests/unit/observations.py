# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Observations as instance_info returns them. Overrides name their place with dots: ``{"server.timeline": 2}``."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    observe,
    server_info,
)

#: loose, so that a test may make one of what it likes
Observation = dict[str, t.Any]

OWN = "7711308009646152291"
#: the directory of a tablespace's files in its place
VERSION = "PG_15_202209061"
FOREIGN = "7711308232729292413"
GIGABYTE = 1 << 30
#: hardware addresses
MACS = {name: f"02:00:00:00:00:0{number}" for number, name in enumerate(("mdw", "smdw", "sdw1", "sdw2"))}
DATA = "/data/hawq/master"
SLOT = "hawq_mirroring_smdw"
ADDRESSES = {"mdw": "10.9.0.2", "smdw": "10.9.0.3", "sdw1": "10.9.0.4", "sdw2": "192.0.2.14"}
HOSTS = {name: {"address": name, "port": 5432} for name in ADDRESSES}

#: what lies in a data directory that somebody else's files are in
FILES = {"data_directory.state": "other", "data_directory.entries": ["thesis.tex"]}
#: marks of a former master that was fenced, and of a standby that was removed
FORMER = {"data_directory.fenced": True, "data_directory.marked_standby": True, "data_directory.fence_timeline": 1}
#: the mark of one that has followed another master since
FOLLOWED = {**FORMER, "data_directory.fence_timeline": 0}
REMOVED = {"data_directory.fenced": True, "data_directory.removed": True}
#: mdw cannot be seen from a host
CLOSED = {"probes.mdw.open": False, "probes.mdw.answers": False, "probes.mdw.error": "timed out"}
#: one that has registered with a master
SEGMENT = {"hostname": "sdw1", "port": 40000, "status": "u", "description": ""}

#: as the server has them
SETTINGS = {
    "data_checksums": "on",
    "hba_file": f"{DATA}/pg_hba.conf",
    "listen_addresses": "*",
    "max_connections": "100",
    "max_locks_per_transaction": "64",
    "max_prepared_transactions": "0",
    "max_replication_slots": "10",
    "max_slot_wal_keep_size": "-1",
    "max_wal_senders": "10",
    "max_worker_processes": "8",
    "port": "5432",
    "server_version_num": "150016",
    "synchronous_standby_names": "",
    "wal_level": "replica",
    "wal_log_hints": "off",
    "wal_segment_size": "16777216",
}


def set_to(**changed: str) -> dict[str, t.Any]:
    """Return what the module makes of a server's settings, to be put over those of a fixture."""
    return {"server.settings": server_info.neutral_settings({**SETTINGS, **changed})}


#: what a pair that this collection has made holds on either host
PREPARED = {
    "blocks.access": [
        f"host replication hawq_mirroring {ADDRESSES[name]}/32 scram-sha-256" for name in ("mdw", "smdw")
    ],
    "credentials.private": True,
    "credentials.servers": [["mdw", "5432"], ["smdw", "5432"]],
    "credentials.consistent": True,
}


def change(base: Observation, overrides: dict[str, t.Any] | None) -> Observation:
    """Return a deep copy with the overrides in it; a place that is not there yet is a mistake in the test."""
    seen = copy.deepcopy(base)
    for place, value in (overrides or {}).items():
        *parents, last = place.split(".")
        inner = seen
        for key in parents:
            inner = inner[key]
        assert last in inner, f"no such place in an observation: {place}"
        inner[last] = copy.deepcopy(value)
    return seen


def slot(name: str = SLOT, **overrides: t.Any) -> dict[str, t.Any]:
    """Return a slot that a standby uses."""
    row = {
        "name": name,
        "physical": True,
        "temporary": False,
        "active": True,
        "active_pid": 4711,
        "keeps_from": "0/3000000",
        "lost": False,
        "wal": "reserved",
        "safe_bytes": None,
        "retained_bytes": 1024,
        "plugin": None,
        "database": None,
        "confirmed_lsn": None,
        "two_phase": False,
        "failover": False,
        "synced": False,
    }
    assert set(overrides) <= set(row)
    return {**row, **overrides}


def sender(pid: int = 4711, name: str = "smdw", **overrides: t.Any) -> dict[str, t.Any]:
    """Return a connection that a master sends WAL over."""
    row = {
        "pid": pid,
        "user": "hawq_mirroring",
        "name": name,
        "address": "10.9.0.3",
        "streaming": True,
        "copying": False,
        "sent_lsn": "0/3017F88",
        "flushed_lsn": "0/3017F88",
        "replay_lsn": "0/3017F88",
        "since": 1795428856.0,
        "replay_lag_seconds": None,
    }
    assert set(overrides) <= set(row)
    return {**row, **overrides}


def probe(here: str, there: str, **overrides: t.Any) -> dict[str, t.Any]:
    """Return the answer of a host that looked at a peer's port."""
    answer = {
        "address": there,
        "port": 5432,
        "open": True,
        "answers": True,
        "sources": [ADDRESSES[here]],
        "error": None,
    }
    assert set(overrides) <= set(answer)
    return {**answer, **overrides}


def control(state: str, **overrides: t.Any) -> dict[str, t.Any]:
    """Return what the module makes of the fields of a control file."""
    found = {
        "system_identifier": OWN,
        "state": state,
        "checkpoint_lsn": "0/3017F10",
        "redo_lsn": "0/3017ED8",
        "min_recovery_lsn": "0/0",
        "timeline": 1,
        "min_recovery_timeline": 0,
        "wal_level": "replica",
        "wal_log_hints": "off",
        "checksum_version": 1,
        "wal_segment_bytes": 16 << 20,
        "max_connections": 100,
        "max_worker_processes": 8,
        "max_wal_senders": 10,
        "max_prepared_transactions": 0,
        "max_locks_per_transaction": 64,
        "catalog_version": 202209061,
    }
    assert set(overrides) <= set(found)
    return {**(observe.neutral_control({**found, **overrides}, "15") or {})}


def ended(state: str) -> dict[str, t.Any]:
    """Return how a server ended, to be put over a control file of a fixture."""
    word, as_master = observe.ENDINGS[state]
    return {"control.ended": word, "control.as_master": as_master}


def directory(path: str, *entries: str, **overrides: t.Any) -> dict[str, t.Any]:
    """Return a directory that a tablespace would need."""
    foreign = any(not name.startswith("PG_") for name in entries)
    found = {
        "path": path,
        "there": "directory",
        "unmounted": None,
        "entries": list(entries),
        "foreign": foreign,
        "versions": [name for name in entries if name.startswith("PG_")],
        "used_by": [],
        "trouble": None,
        "closed": None,
        "only_named": False,
        "free_bytes": 1,
        "device": 1,
    }
    assert set(overrides) <= set(found)
    return {**found, **overrides}


def space(path: str, oid: str = "16385", **overrides: t.Any) -> dict[str, t.Any]:
    """Return the place of a tablespace that a host's data has."""
    found = {**directory(path, VERSION), "oid": oid, "linked": True, "total_bytes": 1 << 40, "free_bytes": 1 << 39}
    assert set(overrides) <= set(found)
    return {**found, **overrides}


def to_come(path: str, oid: str = "16385", **overrides: t.Any) -> dict[str, t.Any]:
    """Return the place of one that is made by WAL which is yet to be replayed, and is missing."""
    nothing = {"linked": False, "there": "nothing", "entries": [], "versions": []}
    return space(path, oid, **{**nothing, **overrides})


def empty(name: str = "smdw", overrides: dict[str, t.Any] | None = None) -> Observation:
    """Return a reachable host of the group with programs, SSH keys and nothing in its data directory."""
    others = [other for other in ADDRESSES if other != name]
    return change(
        {
            "reachable": True,
            "engine": "postgresql",
            "endpoint": HOSTS[name],
            "machine": {
                "hostname": name,
                "machine_id": f"{name}-id",
                "addresses": [ADDRESSES[name]],
                "architecture": "x86_64",
            },
            "user": {"name": "gpadmin", "exists": True, "home": "/home/gpadmin", "memory_removed": False},
            "blocks": {"limits": None, "profile": None, "access": None, "segments": None, "unchangeable": None},
            "ssh": {
                "public_key": f"{name}-key",
                "authorized": [f"{other}-key" for other in others],
                "restricted": [f"{other}-key" for other in others],
                "known": [f"{other}-host-key" for other in others],
                "host_keys": [f"{name}-host-key"],
                "unchangeable": None,
            },
            "binaries": {
                "directory": "/usr/lib/postgresql/15/bin",
                "missing": [],
                "version": "15.16",
                "major": 15,
                "client_library": True,
                "other_python": None,
                "named": False,
                "wanted": 15,
                "places": {str(major): f"/usr/lib/postgresql/{major}/bin" for major in (15, 16, 17, 18)},
                "installed": [15],
                "offered": None,
            },
            "data_directory": {
                "path": DATA,
                "real_path": DATA,
                "linked_files": [],
                "fenced": False,
                "fence_reason": None,
                "fence_run": None,
                "fence_timeline": None,
                "removed_on_purpose": False,
                "unfinished": False,
                "slots": [],
                "kept": [],
                "mount_point": False,
                "quota": False,
                "mounted_inside": [],
                "clusters_inside": [],
                "unmounted": None,
                "read_only": None,
                "unchangeable": None,
                "closed": None,
                "link": False,
                "removed": False,
                "state": "missing",
                "entries": [],
                "owner": None,
                "marked_standby": False,
                "marked_recovery": False,
                "unstarted_copy": False,
                "wal_link": None,
                "free_bytes": 50 * GIGABYTE,
                "used_bytes": 10 * GIGABYTE,
                "total_bytes": 60 * GIGABYTE,
                "wal_free_bytes": 50 * GIGABYTE,
                "wal_free_files": 3_000_000,
                "parent_exists": True,
                "device": 1,
                "no_room": None,
                "reclaimable_bytes": 0,
            },
            "control": None,
            "histories": {},
            "process": {"running": False, "pid": None, "frozen": False, "stopped": {}, "pidfile": {}},
            "service": {
                "unit": "hawq-master.service",
                "load": "loaded",
                "active": "inactive",
                "sub": "dead",
                "type": "exec",
                "enabled": "enabled",
                "stale": False,
                "before": "{ path=/usr/bin/python3 ; argv[]=/usr/bin/python3 -I hawq-mirroring-interlock }",
                "text": None,
                "waits_for": None,
                "says": None,
            },
            "run_by": None,
            "rivals": [],
            "elsewhere": None,
            "follows": {"host": None, "port": None, "user": None, "database": None},
            "follows_slot": "",
            "credentials": {
                "path": "/home/gpadmin/.pgpass",
                "private": False,
                "servers": [],
                "consistent": False,
                "accepted": None,
                "login": None,
            },
            "configuration": {
                "path": DATA,
                "outside": False,
                "no_room": None,
                "exists": False,
                "at_least": {},
                "asks_for": {},
                "harmful": {},
            },
            "snapshot": {
                "phase": "none",
                "result": "",
                "staging": f"{DATA}.hawq-snapshot",
                "exists": False,
                "copied": False,
                "reclaimable_bytes": 0,
                "verified": False,
                "request": {},
            },
            "programs": {},
            "earlier": [],
            "views": {"files": {}, "databases": []},
            "listening": False,
            "bound": [],
            "probes": {other: probe(name, other) for other in others},
            "asks": {},
            "virtual_ip": None,
            "witness": None,
            "witness_damage": None,
            "ledger": None,
            "guard": None,
            "directories": [],
            "named": [],
            "offers": {
                "directory": None,
                "libraries": None,
                "paths": {},
                "broken": {},
                "locales": None,
                "versions": {},
            },
            "trial": None,
            "tablespaces": [],
            "slot_files": [],
            "server": None,
            "server_error": "the server is not running",
            "server_damage": None,
            "wal_end": None,
            "clock": 1000.0,
            "wal_age_seconds": None,
        },
        overrides,
    )


def place(host: str = "mdw", **overrides: t.Any) -> dict[str, t.Any]:
    """Return what a host sees of the address that follows the master: all well, and nobody else has it."""
    return {
        "address": "192.0.2.10/24",
        "here": False,
        "taken": None,
        "interface": "eth0",
        "link": "up",
        "on": [],
        "networks": ["192.0.2.0/24"],
        "macs": {"lo": "00:00:00:00:00:00", "eth0": MACS[host]},
        "others": [],
        "named_in": [],
        **overrides,
    }


def stopped(name: str = "smdw", overrides: dict[str, t.Any] | None = None) -> Observation:
    """Return a host with the data of a master whose server is stopped."""
    base = empty(
        name,
        {
            "data_directory.state": "data",
            "data_directory.entries": ["PG_VERSION", "base", "global", "pg_commit_ts", "pg_dynshmem"],
            "data_directory.reclaimable_bytes": 2 * GIGABYTE,
            "control": control("shut down"),
            "configuration.exists": True,
            "wal_age_seconds": 20.0,
        },
    )
    return change(base, overrides)


def crashed(overrides: dict[str, t.Any] | None = None) -> Observation:
    """Return the host mdw whose server, a master, has crashed."""
    return stopped("mdw", {"control": control("in production"), **(overrides or {})})


def stopped_standby(name: str = "smdw", overrides: dict[str, t.Any] | None = None) -> Observation:
    """Return a host with a standby made by this collection whose server is stopped."""
    base = stopped(
        name,
        {
            "data_directory.marked_standby": True,
            "control": control("shut down in recovery", min_recovery_timeline=1, min_recovery_lsn="0/3017F88"),
            "follows_slot": f"hawq_mirroring_{name}",
            "follows": {"host": "mdw", "port": 5432, "user": "hawq_mirroring", "database": None},
        },
    )
    return change(base, overrides)


def _running(base: Observation, name: str, server: dict[str, t.Any]) -> Observation:
    pidfile = {"pid": 100 + len(name), "started": 1795428856, "data_directory": DATA, "port": 5432}
    return change(
        base,
        {
            "process": {"running": True, "pid": pidfile["pid"], "frozen": False, "stopped": {}, "pidfile": pidfile},
            "service.active": "active",
            "service.sub": "running",
            "run_by": "hawq-master.service",
            "listening": True,
            "bound": ["0.0.0.0", "::"],
            "server": {
                "standby": False,
                "database": "postgres",
                "system_identifier": OWN,
                "checkpoint_timeline": 1,
                "started": 1795428856.0,
                "current_lsn": None,
                "timeline": 1,
                "have_lsn": None,
                "replay_lsn": None,
                "replay_paused": False,
                "access_stale": False,
                "configured": {},
                "configuration_errors": [],
                "archiver": {
                    "mode": "off",
                    "told_how": False,
                    "archived_at": None,
                    "failed_at": None,
                    "failed_wal": None,
                    "waiting": None,
                    "waiting_seconds": None,
                },
                "kept_wal_mark": None,
                "database_names": {"5": "postgres", "1": "template1", "16384": "app"},
                "replay_age_seconds": None,
                "last_commit_at": None,
                "replay_blocked": False,
                "blockers": [],
                "sessions_free": 97,
                "clients": 0,
                "settings": set_to()["server.settings"],
                "senders": [],
                "slots": [],
                "receiver": None,
                "wal_bytes": 64 << 20,
                "wal_since_checkpoint": 1 << 20,
                "checkpoint_age_seconds": 100.0,
                "oldest_wal": "0/1000000",
                "rewind_roles": [],
                "tablespaces": [],
                "sizes": None,
                "standbys": [],
                "master_name": None,
                "access_rules": "d41d8cd9",
                "lets_clients_in": True,
                "segments": [],
                "pending_restart": [],
                "databases": ["postgres", "template1", "app"],
                "mirroring": None,
                "mirrors": [],
                "needs": None,
                **server,
            },
            "server_error": None,
        },
    )


def master(name: str = "mdw", overrides: dict[str, t.Any] | None = None) -> Observation:
    """Return a healthy master of 2 GB without a standby."""
    sizes = [
        {"name": "pg_default", "bytes": 2 * GIGABYTE, "location": ""},
        {"name": "pg_global", "bytes": 600000, "location": ""},
    ]
    base = change(stopped(name), {"control": control("in production")})
    return change(_running(base, name, {"current_lsn": "0/3017F88", "sizes": sizes}), overrides)


def mirrored(name: str = "mdw", overrides: dict[str, t.Any] | None = None) -> Observation:
    """Return a healthy master with the synchronised standby smdw."""
    base = master(
        name,
        {
            "server.senders": [sender()],
            **PREPARED,
            "credentials.accepted": True,
            "server.slots": [slot()],
            "server.standbys": ["smdw"],
            "server.master_name": name,
            "server.settings.kept_wal_limit_bytes": 10240 << 20,
            "server.mirroring": {
                "summary_state": "Synchronized",
                "detail_state": None,
                "since": 1795428856.0,
                "error_message": None,
            },
        },
    )
    return change(base, overrides)


def standby(name: str = "smdw", overrides: dict[str, t.Any] | None = None) -> Observation:
    """Return a healthy running standby made by this collection."""
    prepared = {**PREPARED, "credentials.login": "accepted"}
    base = change(stopped_standby(name), {**ended("in archive recovery"), **prepared})
    receiver = {
        "status": "streaming",
        "host": "mdw",
        "port": 5432,
        "slot": f"hawq_mirroring_{name}",
        "flushed_lsn": "0/3017F88",
        "latest_end_lsn": "0/3017F88",
        "timeline": 1,
        "silent_seconds": 0.1,
    }
    server = {"standby": True, "replay_lsn": "0/3017F88", "have_lsn": "0/3017F88", "receiver": receiver}
    return change(_running(base, name, server), overrides)


def mute(name: str = "smdw", overrides: dict[str, t.Any] | None = None) -> Observation:
    """Return a running standby that gives no session, whose files show how much WAL it has."""
    nothing = {"server": None, "server_error": "no session: too many clients", "wal_end": "0/3017F88"}
    return change(change(standby(name), nothing), overrides)


def silent(name: str = "smdw", overrides: dict[str, t.Any] | None = None) -> Observation:
    """Return a host whose server runs and gives no session."""
    return change(change(master(name), {"server": None, "server_error": "no session: too many clients"}), overrides)


def frozen(base: Observation) -> Observation:
    """Return the same host with its server process stopped by a signal, which then gives no session either."""
    return change(base, {"process.frozen": True, "server": None, "server_error": "no session: timeout expired"})


def unreachable(error: str = "Connection timed out") -> Observation:
    """Return a host that could not be looked at."""
    return {"reachable": False, "error": error}


def shown(plan: dict[str, t.Any], expected: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what a plan has for each of these names; of a step, who does it, or whether anybody does."""
    found = {}
    for name, value in expected.items():
        found[name] = plan[name] if name in plan else plan["steps"][name]
        if isinstance(value, bool):
            found[name] = bool(found[name])
    return found
