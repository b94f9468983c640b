# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether there is a second copy that is in step with the master. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ...engines import table
from ...values import conninfo, history, identity, lsn
from ...values.clusters import MASTERS
from ...values.command import Command, playbook
from ...values.command import group as named
from ...values.observation import Observation
from ...values.text import moment, size
from .. import newer, systems, timelines, topology
from . import programs
from .group import Finding, Group, finding, is_away, slot, systemctl

ACCEPTED = "accepted"
#: of what a slot may keep, so little is left that the standby will soon be cut off
SCARCE = 10


def findings(group: Group) -> list[Finding]:
    """Return what is wrong with the standbys as copies of the master."""
    found = [row for name in group.observations if name != group.master for row in _newer(group, name)]
    undecided = [row["host"] for row in found]  # of which nothing else is true before people have decided
    for name in group.standbys:
        if name not in undecided:
            found += _standby(group, name) if name in group.observations else _not_in_group(group, name)
    left = [row for name in group.reachable for row in _left_behind(group, name) if name not in undecided]
    return [*found, *left] if group.standbys or undecided else _no_standby(group)


def is_expected(group: Group) -> bool:
    """Whether the master ought to have a standby: as it is told, or because there was one.

    Segments know the master by the same name as standbys do: where there are any, the name alone says nothing. One that
    is registered as a standby itself was one, until it took over from a master that is to come back. Where nothing is
    registered any more, the other hosts tell.
    """
    said = group.options.get("state_expect_standby")
    if said is not None:
        return said
    server = group.source["server"]
    ours = any(row["name"].startswith("hawq_mirroring_") for row in server["slots"])
    segments = bool(server["segments"]) or group.source["blocks"]["segments"] is not None
    told = ours or bool(server["standbys"]) or (server["master_name"] is not None and not segments)
    return told or any(_was_one_of_a_pair(group, name) for name in group.observations if name != group.master)


def _was_one_of_a_pair(group: Group, name: str) -> bool:
    """Whether a host was one of a pair with the master: it has a copy, or may have lost one since the master took over.

    What was taken away on purpose is not missed.
    """
    seen = group.observations[name]
    if is_away(seen):
        return _took_over(group)
    if _is_removed(seen):
        return False
    if topology.kind(seen) == topology.EMPTY:
        return _took_over(group)
    return topology.system_identifier(seen) == topology.system_identifier(group.source)


def _is_removed(seen: Observation) -> bool:
    """Whether what a host had was taken away on purpose."""
    directory = seen["data_directory"]
    by_removal = identity.workflow(directory["fence_run"]) == "remove_standby"
    return directory["removed"] or directory["removed_on_purpose"] or by_removal


def _took_over(group: Group) -> bool:
    """Whether the master was a standby before."""
    return table.of(group.source).timelines and (timelines.timeline(group.source) or 0) > 1


def _no_standby(group: Group) -> list[Finding]:
    kept = [row["name"] for row in group.source["server"]["slots"] if row["name"].startswith("hawq_mirroring_")]
    words = f" (slot {kept[0]} keeps WAL for one)" if kept else ""
    name = min((each for each in group.observations if each != group.master), key=_rank(group), default=None)
    by = "resync_standby" if name and _comes_back(group, name) else "init_standby"
    command = playbook(by, standby_host=name if len(group.observations) > 2 else None)
    return [finding("no-standby", group.master, f"{group.master} has no standby{words}", command)]


def _rank(group: Group) -> t.Callable[[str], tuple[bool, ...]]:
    """Return who is the next to be the standby: who comes back, for whom WAL is kept, who can be looked at."""

    def rank(name: str) -> tuple[bool, ...]:
        seen = group.observations[name]
        removed = not is_away(seen) and _is_removed(seen)
        return removed, not _comes_back(group, name), slot(group, name) is None, is_away(seen)

    return rank


def _comes_back(group: Group, name: str) -> bool:
    """Whether a host has data of the same system, which is brought back; else a standby is made there.

    Of a host that cannot be looked at, the slot that the master keeps for it tells, or that the master took over.
    """
    seen = group.observations[name]
    if is_away(seen):
        return slot(group, name) is not None or _took_over(group)
    return topology.system_identifier(seen) == topology.system_identifier(group.source)


def _not_in_group(group: Group, name: str) -> list[Finding]:
    """A registered standby that the inventory does not have, under another name neither."""
    text = (
        f"standby {name} is not in the inventory's group {named(MASTERS)}: it is not looked at, and no failover can use"
        " it"
    )
    back = f"add it to the group {named(MASTERS)}, or take it away: {playbook('remove_standby', standby_host=name)}"
    mirroring, found = topology.mirroring(group.source, name), [finding("not-in-group", name, text, back)]
    if mirroring["summary_state"] == topology.SYNCHRONIZED:
        return found
    return [finding("not-synchronized", name, _state(group, name, mirroring), back), *found]


def _standby(group: Group, name: str) -> list[Finding]:
    seen, mirroring = group.observations[name], topology.mirroring(group.source, name)
    what, row = topology.kind(seen), slot(group, name)
    if not is_away(seen) and seen["server_damage"]:
        text = f"the data of {name} is damaged, as its server says: {seen['server_damage']}"
        return [finding("damaged", name, text, group.resync(name))]
    if row and row["lost"]:
        text = f"{group.master} has removed WAL that standby {name} needs (slot {row['name']} is lost)"
        return [finding("slot-lost", name, text, group.resync(name))]
    ahead = _ahead(group, name)
    if ahead or mirroring["summary_state"] != topology.SYNCHRONIZED:
        # while it runs and catches up there is nothing to do but to wait
        waits = mirroring["summary_state"] == topology.SYNCHRONIZING and what == topology.STANDBY
        command = f"wait, then look again: {playbook('state')}" if waits else back(group, name)
        return ahead or [finding("not-synchronized", name, _state(group, name, mirroring), command)]
    if what not in (topology.STANDBY, topology.UNREACHABLE):
        text = f"standby {topology.being(name, seen)}, which {group.master} has not noticed yet"
        return [finding("standby-down", name, text, back(group, name))]
    limit = group.source["server"]["settings"]["kept_wal_limit_bytes"]
    if row and limit and row["safe_bytes"] is not None and row["safe_bytes"] * SCARCE < limit:
        left = size(max(0, row["safe_bytes"]))
        text = f"{group.master} keeps WAL for {name} for {left} more only, of {size(limit)} (slot {row['name']})"
        return [finding("slot-near-limit", name, text, group.resync(name))]
    return []


def back(group: Group, name: str) -> str:
    """Return what brings a host back as a standby."""
    command, seen = group.resync(name), group.observations[name]
    return f"{topology.bring_up(name, seen, f'switch {name} on')}, then: {command}" if is_away(seen) else str(command)


def _state(group: Group, name: str, mirroring: dict[str, t.Any]) -> str:
    seen = topology.seen_at(group.observations, name)
    words = [mirroring["detail_state"] or mirroring["error_message"] or "no reason known"]
    if name in group.observations and is_away(seen):
        words.append(f"its host is {topology.describe(seen)}")
    elif not is_away(seen):
        login, server = seen["credentials"]["login"] or ACCEPTED, seen["server"]
        words += [] if topology.kind(seen) == topology.STANDBY else [topology.being(name, seen)]
        words += [] if login == ACCEPTED else [f"its login to the master is answered: {login}"]
        if server and server["last_commit_at"] and not topology.streams(group.source, conninfo.slot_name(name)):
            words.append(f"its last commit is of {moment(server['last_commit_at'])}")
    return f"standby {name} is {mirroring['summary_state']} ({'; '.join(words)})"


def have(seen: Observation) -> str | None:
    """Return the LSN up to which a host holds WAL, as far as that is known."""
    server, control = seen["server"], seen["control"]
    known = [server["have_lsn"]] if server else [seen["wal_end"]]
    if control and not server:
        known += [control["min_recovery_lsn"], control["checkpoint_lsn"]]
    return max((each for each in known if each), key=lsn.parse, default=None)


def _ahead(group: Group, name: str) -> list[Finding]:
    """A standby that holds more of the same timeline than its master: the master was set back.

    As long as both are within one WAL segment file the master sends to it all the same, from the beginning of that
    file on, and calls it Synchronized.
    """
    seen = group.observations[name]
    same = not is_away(seen) and topology.system_identifier(seen) == topology.system_identifier(group.source)
    if not same or topology.timeline(seen) != topology.timeline(group.source):
        return []
    slot, ends = conninfo.slot_name(name), (have(seen), group.source["server"]["current_lsn"])
    if topology.sender_of(group.source, slot):
        ends = newer.positions(seen, group.source, slot)
    more = lsn.distance(*ends) or 0
    if more <= 0:
        return []
    text = (
        f"{name} holds {size(more)} more WAL of timeline {topology.timeline(seen)} than {group.master} has written: was"
        f" {group.master} set back to an older copy?"
    )
    way = newer.keep(name, group.observations, [str(group.master)], "ahead-of-master")
    then = f"{way} ({newer.price(name, str(group.master), seen)})"
    return [finding("ahead", name, text, _decide(group, name, then))]


def _newer(group: Group, name: str) -> list[Finding]:
    """A host that was a master after this one: this one is the older, and only came back first."""
    seen = group.observations[name]
    if is_away(seen) or topology.system_identifier(seen) != topology.system_identifier(group.source):
        return []
    mine, its = timelines.timeline(seen) or 0, timelines.timeline(group.source) or 0
    if mine <= its or topology.kind(seen) in (topology.EMPTY, topology.OTHER) or seen["data_directory"]["unfinished"]:
        return []
    text = (
        f"{topology.being(name, seen)}, on timeline {mine}, and the master {group.master} is on timeline {its}:"
        f" it was a master after {group.master}, and {group.master} lacks what was committed there"
    )
    runs = topology.kind(seen) in topology.STANDBYS
    verb = "restart" if seen["process"]["running"] else "start"
    then = newer.take_over(name, seen) if runs else systemctl(verb, name, seen)
    return [finding("newer-timeline", name, text, _either(group, name, then))]


def _left_behind(group: Group, name: str) -> list[Finding]:
    """A former master beside the master's standbys that has what only it has, or may have it: nobody has fenced it."""
    seen = group.observations[name]
    if name in (group.master, *group.standbys):
        return []
    if seen["data_directory"]["fenced"]:
        return _with_work_of_its_own(group, name)
    if topology.is_standby(seen) or topology.kind(seen) not in (topology.STOPPED, *topology.BUSY):
        return []
    if topology.system_identifier(seen) != topology.system_identifier(group.source):
        return []
    text = f"{topology.being(name, seen)}, and may have commits that {group.master} lacks: nobody has looked"
    return [finding("left-behind", name, text, _bring_back(group, name))]


def _with_work_of_its_own(group: Group, name: str) -> list[Finding]:
    """A fenced master that has WAL from after the point where the master left its timeline."""
    seen, end = group.observations[name], group.observations[name]["wal_end"]
    mine, its = timelines.stretches(seen), timelines.stretches(group.source)
    fork = history.fork(mine, its) if mine and its and end else None
    more = lsn.distance(end, fork.lsn) if fork and fork.timeline == timelines.timeline(seen) else None
    if not more or more <= 0 or seen["data_directory"]["unfinished"]:
        return []
    text = (
        f"{name}, a former master, has {size(more)} of WAL from after {fork.lsn}, where {group.master} became the"
        f" master: what was committed there is missing on {group.master}"
    )
    return [finding("left-behind", name, text, f"{_bring_back(group, name)}, which keeps it aside")]


def _bring_back(group: Group, name: str) -> Command:
    beside = True if slot(group, name) is None else None
    return playbook("resync_standby", standby_host=name, additional_standby=beside)


def _either(group: Group, name: str, then: object) -> str:
    """Return both ways of two hosts that each may be right: only people know whose work is to stay."""
    stop = systemctl("stop", group.master, group.source)
    return _decide(group, name, f"{stop}, then {then}")


def _decide(group: Group, name: str, way: str) -> str:
    """Return both ways of two hosts that each may be right."""
    return (
        f"decide whose work is right. That of {name}: {way}. That of {group.master}:"
        f" {group.resync(name, accept_data_loss=True)}, which keeps aside what only {name} has"
    )


def notes(group: Group) -> list[Finding]:
    """Return what there is beside the registered standbys: hosts to come back, and standbys that nobody knows."""
    awaited = [
        finding("awaited", name, f"{group.master} keeps WAL for {name}, which is no standby now", back(group, name))
        for name in group.observations
        if group.standbys and name not in (group.master, *group.standbys, *programs.waited_for(group))
        if slot(group, name) is not None
    ]
    return (
        awaited
        + _renamed(group)
        + [_unregistered(group, name) for name, seen in group.reachable.items() if _is_unknown(group, name, seen)]
    )


def _renamed(group: Group) -> list[Finding]:
    """A standby that was made under another name is known all the same, by the slot that it follows with."""
    return [
        finding(
            "renamed",
            name,
            f"{name} was made a standby under the name {old}, by which {group.master} has it registered",
            f"register it under its name, which copies nothing: {playbook('init_standby', standby_host=name)}",
        )
        for name, old in (group.options.get("renamed") or {}).items()
        if name != group.master
    ]


def _is_unknown(group: Group, name: str, seen: Observation) -> bool:
    """Whether a host runs a standby that the master does not know, under another name neither."""
    if name in (group.master, *group.standbys) or not topology.may_take_over(seen) or not seen["server"]:
        return False
    strangers = [conninfo.slot_name(each) for each in group.standbys if each not in group.observations]
    return seen["follows_slot"] not in strangers


def _unregistered(group: Group, name: str) -> Finding:
    beside = True if group.standbys else None
    seen = group.observations[name]
    if topology.system_identifier(seen) != topology.system_identifier(group.source):
        text = f"{name} runs as a standby of another system than {group.master}'s ({systems.words(group.observations)})"
        way = systems.way(group.observations)
        return finding("unregistered", name, text, way[:1].lower() + way[1:])
    return finding(
        "unregistered",
        name,
        f"{name} runs as a standby that {group.master} does not know",
        f"take it away: {playbook('remove_standby', standby_host=name)}; or in:"
        f" {playbook('resync_standby', standby_host=name, additional_standby=beside)}",
    )
