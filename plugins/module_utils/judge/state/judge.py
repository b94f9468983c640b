# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state document: what there is, what is wrong with it, what would come of each fault. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ...values import findings as kinds
from ...values.command import playbook
from ...values.observation import Hosts, Observations
from .. import inventory, readiness
from ..options import Options
from . import (
    answers,
    facts,
    group,
    guards,
    machine,
    masters,
    memories,
    mirrors,
    named,
    needs,
    others,
    programs,
    replay,
    spaces,
)
from .group import Finding, Group, finding

#: notes that stay when a run puts the standby in order
LASTING = (
    "collation-difference",
    "collation-outdated",
    "disk-nearly-full",
    "kept-aside",
    "library-missing",
    "locale-missing",
    "named-place",
    "not-at-boot",
    "unlogged-tables",
)


def document(
    observations: Observations, hosts: Hosts, options: Options, settled: str | None = None
) -> dict[str, t.Any]:
    """Return the whole state.

    ``settled`` is a standby that a run puts in order now, so that there is nothing to be said of it.
    """
    seen = group.of(observations, hosts, options)
    wrong = inventory.faults(observations, hosts)
    found, told = _misled(seen, wrong) if wrong else _findings(seen)
    if settled:
        found = [row for row in found if _lasts(row, settled, seen.master)]
    problems = [row for row in found if answers.is_problem(row, seen)]
    notes = [row for row in found if row not in problems]
    return {
        **facts.facts(seen),
        "readiness": told,
        "problems": problems,
        "notes": notes,
        "healthy": not problems,
        "exit_code": kinds.exit_code(row["kind"] for row in problems),
    }


def _findings(seen: Group) -> tuple[list[Finding], list[readiness.Answer]]:
    """Return all that is wrong or worth a word, the worst first, and what would come of each fault."""
    found, told = masters.findings(seen), []
    if seen.master:
        for subject in (mirrors, replay, guards, programs, machine, named, needs, spaces, memories, others):
            found += subject.findings(seen)
        told = answers.ask(seen, found)
        found += answers.findings(seen, told, found)
        found += [*mirrors.notes(seen), *guards.notes(seen), *programs.notes(seen), *others.notes(seen)]
    return [*found, *machine.notes(seen), *memories.notes(seen)], told


def _misled(seen: Group, wrong: list[inventory.Fault]) -> tuple[list[Finding], list[readiness.Answer]]:
    """Return what is wrong in the inventory, and what is wrong all the same: of the rest much only follows from that.

    No command is named that would be refused as long as the inventory is not right.
    """
    look = f"then look again: {playbook('state')}"
    found = [
        finding(row.kind, row.host, f"{row.found}: {inventory.WHY[row.kind]}", f"{row.mend}, {look}") for row in wrong
    ]
    if len(seen.masters) > 1:
        return [*masters.findings(seen), *found], []
    if not seen.master or not all(row.kind == "inventory-port" for row in wrong):
        return found, []
    first = f"correct the inventory first, {look}"
    rows = [{**row, "command": first} for row in mirrors.findings(seen) if _is_certain(row)]
    return [*found, *t.cast("list[Finding]", rows)], readiness.refused(
        inventory.refusals(seen.observations, seen.hosts), seen.observations, seen.master
    )


def _is_certain(row: Finding) -> bool:
    """Whether the servers themselves say it, by whatever port they are reached."""
    return kinds.KINDS[row["kind"]].exit_code == kinds.NOT_REDUNDANT


def _lasts(row: Finding, settled: str, master: str | None) -> bool:
    """Whether a finding is still true when the standby has been put in order."""
    return row["kind"] in LASTING or row["host"] not in (None, settled, master)
