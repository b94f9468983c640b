# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What segments remember of a master, and what of it would stand against a failover. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ...engines import table
from ...values.clusters import SEGMENTS
from ...values.command import group as named
from ...values.command import playbook
from ...values.observation import Observation
from .. import hypothetical, topology
from ..failover import candidates, evidence, memories
from .group import Finding, Group, finding, is_away


def findings(group: Group) -> list[Finding]:
    """Return what keeps segments from reporting, and what they remember that would stand against a failover."""
    return [*_shut_out(group), *_against(group)]


def _shut_out(group: Group) -> list[Finding]:
    """Return the segments that report in vain: their right to register holds for one database, which may be gone."""
    source = group.source
    told = source["blocks"]["segments"] if source else None
    if source is None or told is None:
        return []
    database, heard = table.asked_in(source), {row["hostname"] for row in source["server"]["segments"] or []}
    elsewhere = bool(told) and not any(_database(line) == database for line in told)
    why = f"its lines in {topology.access_file(source)} are for the database {_database(told[0])}" if elsewhere else ""
    return [
        finding(
            "segment-shut-out",
            name,
            f"segment {name} does not get through to {group.master}: {why or 'it has never registered there'}, and"
            f" {group.master} is asked in the database {database}. What {name} remembers of a master grows old",
            playbook("init_segments"),
        )
        for name, seen in group.witnesses.items()
        if _reports(seen) and (elsewhere or name not in heard)
    ]


def _called(group: Group, name: str) -> str:
    return "witness" if name in (group.options.get("only_witnesses") or []) else "segment"


def _reports(seen: Observation) -> bool:
    """Whether what reports to the master runs on a segment."""
    reporter = None if is_away(seen) else seen["programs"].get("segment")
    return bool(reporter and reporter["active"])


def _database(line: str) -> str:
    """Return the database that a line of ours in the access file is for."""
    return line.split()[1]


def _against(group: Group) -> list[Finding]:
    """Return the memories that a failover would be refused for, although the master knows better."""
    master, there = str(group.master), group.witnesses
    if not there:
        return []
    after = hypothetical.host_goes_silent(group.observations, group.hosts, master)
    new = candidates.choose(after, {**group.options, "standby_host": None, "accept_data_loss": False})[0]
    if new is None or new not in group.standbys:
        return []
    seen = hypothetical.seen_by_segments(there, group.observations, group.hosts, master, hypothetical.SILENT)
    believed = memories.believed(seen, topology.system_identifier(after[new]), [])
    return [
        finding(
            "memory-against",
            row["name"],
            f"{memories.says(row)}, which would stand against a failover to {new}",
            _refreshed(group, row["name"], master),
        )
        for row in evidence.speaking(master, new, after, believed)
    ]


def _refreshed(group: Group, name: str, master: str) -> str:
    """Return how a segment hears of the master again."""
    probe = group.witnesses[name]["probes"].get(master)
    if probe and not probe["answers"]:
        why = f" ({probe['error']})" if probe["error"] else ""
        return (
            f"mend the way from {name} to {probe['address']}:{probe['port']}{why}, and it hears of {master} by itself."
            f" One that is lost for good is taken out of the inventory's group {named(SEGMENTS)}; until then a failover"
            f" goes on without it with -e ignore_witness={name}"
        )
    server = group.source["server"] if group.source else None
    heard = server and any(row["hostname"] == name and row["status"] == "u" for row in server["segments"] or [])
    return f"wait, then look again: {playbook('state')}" if heard else str(playbook("init_segments"))


def notes(group: Group) -> list[Finding]:
    """Return the segments that could not be looked at, and the memories that nobody believes."""
    away = [
        finding(
            "segment-away",
            name,
            f"{_called(group, name)} {topology.being(name, seen)}: what it knows of a master is not known",
            f"{topology.bring_up(name, seen, 'bring it up')}, then look again: {playbook('state')}",
        )
        for name, seen in group.witnesses.items()
        if is_away(seen)
    ]
    there = {name: seen for name, seen in group.witnesses.items() if not is_away(seen)}
    system = topology.system_identifier(group.source) if group.source else None
    return [
        *away,
        *(
            finding("memory-not-believed", name, each, playbook("init_segments"))
            for name, seen in there.items()
            for each in memories.notes({name: seen}, system, [])
        ),
    ]


def facts(group: Group) -> list[dict[str, t.Any]]:
    """Return what each segment remembers."""
    return [{"name": name, **_remembered(seen)} for name, seen in group.witnesses.items()]


def _remembered(seen: Observation) -> dict[str, t.Any]:
    there = not is_away(seen)
    memory: t.Any = (seen["witness"] if there else None) or {}
    words = ("master", "timeline", "lsn", "summary_state", "at", "system_identifier")
    trouble = seen["witness_damage"] if there else topology.describe(seen)
    return {**{word: memory.get(word) for word in words}, "trouble": trouble}
