# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a report reads: which variable that a task registered, on which host of the plan, and what of it. Pure."""

from __future__ import annotations

import typing as t


class Read(t.Protocol):
    """What reads a variable that a task has registered on a host."""

    def __call__(self, host: str | None, register: str, /) -> dict[str, t.Any]:
        """Return the variable, or nothing."""


class Source(t.NamedTuple):
    """A registered variable of the host that the plan calls so, and the keys that are told."""

    host: str
    register: str
    keys: tuple[str, ...]
    #: of a loop each result is told
    each: bool = False


FENCED = Source("old", "server_fenced", ("changed", "stopped", "cut_off", "record", "offer", "msg"))
OFFER = Source("old", "standby_offer", ("offer", "msg"))
SEGMENTS = ("segments", "registered", "missing", "waited")
ACTIVATED = (
    "changed",
    "promoted",
    "activation_lsn",
    "timeline",
    "seconds",
    "released_from",
    "address_trouble",
    "ended_sessions",
    "last_commit_at",
    "promoted_at",
)
SNAPSHOT = ("changed", "phase", "kept", "mark", "goes_on", "log", "slot_lost")
MIRRORING = Source("master", "master_mirroring", ("mirroring", "waited"))
TAKEOVER = {
    "fenced": FENCED,
    "asked": OFFER,
    "salvaged": Source("new", "standby_salvaged", ("changed", "replay_lsn")),
    "activation": Source("new", "master_activated", ACTIVATED),
    "followed": Source("new", "standby_followed", ("item", "msg", "mirroring", "waited"), each=True),
    "registered": Source("new", "master_segments", SEGMENTS),
    "commits": Source("new", "master_commits", ("held", "waits_for", "consented", "reason", "waited")),
    "other_slots": Source("new", "master_other_slots", ("made", "trouble", "begin")),
}
COPY = {
    "mirrored": MIRRORING,
    "waits": Source("master", "master_waits", ("names", "waited")),
    "started": Source("standby", "standby_started", SNAPSHOT),
    "finished": Source("standby", "standby_finished", SNAPSHOT),
    "deployed": Source("standby", "standby_deployed", SNAPSHOT),
    "left_out": Source("master", "standby_configuration", ("skipped",)),
}
REWOUND = ("changed", "rewound", "reason", "fetched", "copied_bytes", "seconds")
COMPARED = ("changed", "copied", "reason", "compared_bytes", "received_bytes", "seconds")

SOURCES: dict[str, dict[str, Source]] = {
    "init_master": {},
    "init_standby": COPY,
    "resync_standby": {
        **COPY,
        "rewound": Source("standby", "standby_rewound", REWOUND),
        "compared": Source("standby", "standby_compared", COMPARED),
        "lost": Source("standby", "standby_lost", ("changed", "directory")),
        "named": Source("master", "standby_relations", ("names",)),
    },
    "init_segments": {"registered": Source("master", "master_segments", SEGMENTS)},
    "failover": TAKEOVER,
    "switchover": TAKEOVER,
    "remove_standby": {
        "copy": Source("standby", "standby_undone", ("changed", "phase")),
        "server": Source("standby", "standby_stopped", ("changed", "stopped")),
        "unit": Source("standby", "standby_disabled", ("changed",)),
        "standby password": Source("standby", "standby_password", ("changed",)),
        "hba": Source("master", "master_hba", ("changed",)),
        "source": Source("master", "master_source", ("changed", "removed", "role_stays")),
        "settings": Source("master", "master_late_settings", ("changed",)),
        "password": Source("master", "master_password", ("changed",)),
        "discarded": Source("standby", "standby_discarded", ("changed", "deleted")),
        "cleared": Source("standby", "standby_cleared", ("changed", "done")),
        "forgotten": Source("standby", "standby_forgotten", ("changed",)),
        "mirroring": MIRRORING,
    },
    "uninstall": {},
}

UNDONE = {
    "standby": Source("standby", "standby_undone", ("changed", "phase", "goes_on", "msg")),
    "master": Source("master", "master_undone", ("changed", "goes_on", "used_by", "slot_lost", "msg")),
}

#: of a switchover that is given up: what is told of the master before
ROLLBACK = {
    "undone": Source("old", "server_unfenced", ("changed", "record", "msg")),
    "back": Source("old", "server_back", ("mirroring", "msg")),
    "seen": Source("old", "server_observed", ("observation",)),
}

#: of tasks that put a pair in order: whether any of them has changed anything
ORDER = (
    "environment_profile",
    "gpadmin_user_limits_set",
    "guard_installed",
    "guard_told",
    "master_hba",
    "master_password",
    "master_segment_password",
    "master_segment_password_kept",
    "master_segment_role",
    "master_segments_hba",
    "master_settings",
    "master_source",
    "master_views",
    "master_waits_again",
    "segment_installed",
    "segment_old_password",
    "segment_password",
    "server_interlock_installed",
    "server_started",
    "server_unit",
    "standby_further_hba",
    "standby_hba",
    "standby_replication",
    "virtual_ip_installed",
    "virtual_ip_moved",
    "virtual_ip_removed",
    "witness_begun",
    "witness_installed",
    "witness_started",
)


#: of tasks that take the collection away
UNINSTALLED = (
    "environment_profile",
    "master_segment_lines_dropped",
    "master_segment_role_dropped",
    "master_source",
    "master_views_dropped",
    "server_cleared",
    "server_keys_forgotten",
    "server_passwords_forgotten",
    "standby_cleared",
    "standby_stopped",
    "uninstall_guard",
    "uninstall_let_go",
    "uninstall_segment",
    "uninstall_views",
    "uninstall_witness",
)


def changed(hosts: t.Iterable[str], read: Read, registers: t.Iterable[str] = ORDER) -> bool:
    """Whether a task that puts a pair in order has changed anything on any of these hosts."""
    return any(read(host, register).get("changed") for host in hosts for register in registers)


def part(source: Source, plan: t.Mapping[str, t.Any], read: Read) -> t.Any:
    """Return what one task has told."""
    found = read(plan.get(source.host), source.register)
    if source.each:
        return [_allowed(row, source.keys) for row in found.get("results") or [] if "skipped" not in row]
    return _allowed(found, source.keys)


def parts(workflow: str, plan: t.Mapping[str, t.Any], read: Read) -> dict[str, t.Any]:
    """Return what every task that the report of this workflow tells of has told."""
    return {name: part(source, plan, read) for name, source in SOURCES[workflow].items()}


def rollback(plan: t.Mapping[str, t.Any], read: Read) -> dict[str, t.Any]:
    """Return what has come of giving the old master its service back: plan, undone, session, unit."""
    found = {name: part(source, plan, read) for name, source in ROLLBACK.items()}
    service = found["seen"].get("observation", {}).get("service", {})
    # a host that was lost on the way has not been told of it
    judged = [read(plan[who], "server_rollback").get("plan") for who in ("old", "new")]
    return {
        "plan": next(filter(None, judged), {}),
        "undone": {**found["undone"], "trouble": found["back"].get("msg", "")},
        "session": bool(found["back"].get("mirroring")),
        "unit": service.get("unit", ""),
    }


def offered(plan: t.Mapping[str, t.Any], read: Read) -> dict[str, t.Any]:
    """Return what the old master's host offers: as it was asked, or else as the fence has found."""
    asked = part(OFFER, plan, read)
    fenced: dict[str, t.Any] = part(FENCED, plan, read)
    return asked if asked else {key: value for key, value in fenced.items() if key in OFFER.keys}


def _allowed(found: t.Mapping[str, t.Any], keys: tuple[str, ...]) -> dict[str, t.Any]:
    return {key: found[key] for key in keys if key in found}
