# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What would hold a standby up that is in step: fences, replay, sessions, its way to the master. Pure.

Source: PostgreSQL manual, "Hot Standby" (what pauses or delays replay, and what a promotion waits for).
"""

from __future__ import annotations

from ...engines import table
from ...values.observation import Observation, Server
from .. import followers, hypothetical, identify, settings, topology
from .group import Finding, Group, finding, on, systemctl
from .mirrors import ACCEPTED

#: a receiver asks its master for a sign of life after half a minute
SILENT_SECONDS = 60


def findings(group: Group) -> list[Finding]:
    """Return what would hold up, or forbid, that a running standby takes over."""
    found = []
    for name in group.standbys:
        seen = topology.seen_at(group.observations, name)
        if topology.kind(seen) in topology.STANDBYS:
            found += [*_fence(group, name, seen), *_follows(group, name, seen)]
        if topology.kind(seen) == topology.STANDBY and not seen["server_damage"]:
            found += [*_mark(group, name, seen), *_settings(group, name, seen)]
            found += _server(group, name, seen["server"], bool(found)) if seen["server"] else _mute(group, name, seen)
            found += _login(group, name, seen)
    return found


def _fence(group: Group, name: str, seen: Observation) -> list[Finding]:
    directory = seen["data_directory"]
    if not directory["fenced"]:
        return []
    by = f", made by {directory['fence_run']}" if directory["fence_run"] else ""
    what = f"the record of a fence is left on standby {name} ({directory['fence_reason'] or 'no reason given'}{by})"
    # a receiver that runs may be all that shows that it has followed: it would be gone then
    alone = hypothetical.server_dies(group.observations, group.hosts, group.master)[name]
    if topology.may_take_over(alone):
        text = f"{what}; it has followed its master since, so that it forbids nothing"
        return [finding("fence-left", name, text, group.resync(name))]
    mute = topology.kind(seen) == topology.STANDBY and seen["server"] is None and table.of(seen).queries_on_standby
    # a resynchronisation waits for a session
    first = f"{systemctl('restart', name, seen)}, then: " if mute else ""
    return [finding("fenced", name, f"{what}: a failover would not take it", f"{first}{group.resync(name)}")]


def _mark(group: Group, name: str, seen: Observation) -> list[Finding]:
    if not topology.lacks_mark(seen):
        return []
    mark = f"{seen['data_directory']['path']}/{table.of(seen).words.standby_marker}"
    text = f"{mark} is gone from {name}, a running standby: after its next restart it would accept writes as well"
    return [finding("mark-missing", name, text, group.resync(name))]


def _follows(group: Group, name: str, seen: Observation) -> list[Finding]:
    if followers.followed_by(seen, group.hosts) in (group.master, *group.standbys):
        return []
    host, port = followers.told(seen)
    own = group.hosts[group.master]
    text = (
        f"{name} is told to follow {f'{host}:{port}' if host else 'nobody'}, and the inventory has {group.master} at"
        f" {own['address']}:{own['port']}: a failover may not know its master"
    )
    return [finding("follows-elsewhere", name, text, group.resync(name))]


def _settings(group: Group, name: str, seen: Observation) -> list[Finding]:
    archive = settings.archive_of(group.options)
    harmful, wanted = settings.harmful(seen, archive), settings.recovery_wanted(seen, group.source)
    found = []
    if harmful:
        text = (
            f"{', '.join(harmful)} of {name} delays its recovery, or would end or mislead it: after a restart {name}"
            " would not be in step, or not follow its master at all"
        )
        found.append(finding("settings-harmful", name, text, group.resync(name)))
    if not wanted:
        return found
    less = " and ".join(f"{setting} (its master has {value})" for setting, value in wanted.items())
    text = f"{name} has a lower {less}, and cannot replay until that is raised: a failover would restart it for that"
    return [*found, finding("settings-too-small", name, text, group.resync(name))]


def _server(group: Group, name: str, server: Server, explained: bool) -> list[Finding]:
    found, seen = [], group.observations[name]
    if server["replay_paused"] and not explained:
        text = f"replay on {name} is paused: what it receives is not applied, and a switchover would be refused"
        found.append(finding("replay-paused", name, text, group.resync(name)))
    if server["replay_blocked"]:
        found.append(_blocked(name, seen, server))
    if server["sessions_free"] <= 0:
        text = f"{name} has no session left: as the master it would turn its clients away"
        found.append(finding("no-free-sessions", name, text, f"end some there, or {systemctl('restart', name, seen)}"))
    receiver = server["receiver"]
    if receiver and (receiver["silent_seconds"] or 0) > SILENT_SECONDS:
        text = f"{name} has not heard of its master for {receiver['silent_seconds']:.0f} s, though it is connected"
        found.append(finding("receiver-silent", name, text, group.resync(name)))
    return found


def _blocked(name: str, seen: Observation, server: Server) -> Finding:
    words = table.of(seen).words
    who = ", ".join(
        f"process {row['pid']} of {row['user'] or 'nobody'}"
        + (f", open for {row['open_seconds']:.0f} s" if row["open_seconds"] is not None else "")
        for row in server["blockers"]
    )
    text = f"sessions on {name} hold its replay up ({who or 'it cannot be said which'}): a failover would end them"
    if not server["blockers"]:
        return finding("replay-blocked", name, text, systemctl("restart", name, seen))
    ends = (words.end_session.format(pid=row["pid"]) for row in server["blockers"])
    return finding("replay-blocked", name, text, on(name, table.typed(seen, ends)))


def _mute(group: Group, name: str, seen: Observation) -> list[Finding]:
    if not table.of(seen).queries_on_standby:
        return []
    text = (
        f"{name} runs as a standby and gives no session ({seen['server_error']}): what it replays cannot be seen, and a"
        " switchover would be refused"
    )
    if settings.harmful(seen):  # a restart alone would not change that
        return [finding("no-session", name, text, group.resync(name))]
    if topology.is_mute(seen):
        return [finding("no-session", name, text, identify.library(name, seen))]
    return [finding("no-session", name, text, f"mend what that says, or {systemctl('restart', name, seen)}")]


#: its host lacks what asks, which is told of the server itself
NOT_ASKED = "not asked"


def _login(group: Group, name: str, seen: Observation) -> list[Finding]:
    login = seen["credentials"]["login"] or ACCEPTED
    if (
        login == ACCEPTED
        or login.startswith(NOT_ASKED)
        or topology.mirroring(group.source, name)["summary_state"] != topology.SYNCHRONIZED
    ):
        return []
    text = f"{name} could not connect to its master again: its login is answered: {login}"
    return [finding("login-refused", name, text, group.resync(name))]
