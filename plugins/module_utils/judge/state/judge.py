# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state document: what there is, what is wrong with it, what would come of each fault. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ...values import findings as kinds
from ...values.command import playbook
from ...values.observation import Hosts, Observations
from ...values.text import MEBIBYTE, size
from .. import readiness, topology
from ..options import Options
from . import facts, group, machine, masters, mirrors, programs, replay
from .group import Finding, Group, finding

#: notes that stay when a run puts the standby in order
LASTING = ("disk-nearly-full", "kept-aside", "not-at-boot")
#: so much lag is accepted where nothing is said
LAG_MEGABYTES = 16


def document(
    observations: Observations, hosts: Hosts, options: Options, settled: str | None = None
) -> dict[str, t.Any]:
    """Return the whole state.

    ``settled`` is a standby that a run puts in order now, so that there is nothing to be said of it.
    """
    seen = group.of(observations, hosts, options)
    answers = _readiness(seen)
    found = _findings(seen, answers)
    if settled:
        found = [row for row in found if _lasts(row, settled, seen.master)]
    problems = [row for row in found if _is_problem(row, seen)]
    notes = [row for row in found if row not in problems]
    return {
        **facts.facts(seen),
        "readiness": answers,
        "problems": problems,
        "notes": notes,
        "healthy": not problems,
        "exit_code": kinds.exit_code(row["kind"] for row in problems),
    }


def _readiness(seen: Group) -> list[readiness.Answer]:
    """Ask what would come of each fault, where there is a master and a standby to take over."""
    there = seen.standbys or any(topology.may_take_over(each) for each in seen.observations.values())
    if not seen.master or not there:
        return []
    which = next((name for name in seen.standbys if name in seen.observations), None)
    mend = mirrors.back(seen, which) if which else str(seen.resync())
    return readiness.ask(seen.observations, seen.hosts, seen.options, seen.master, mend)


def _findings(seen: Group, answers: list[readiness.Answer]) -> list[Finding]:
    """Return all that is wrong or worth a word, the worst first."""
    found = masters.findings(seen)
    if seen.master:
        for subject in (mirrors, replay, programs, machine):
            found += subject.findings(seen)
        found += _of_answers(seen, answers, [row for row in found if _is_problem(row, seen)])
        found += _lag(seen, answers, found)
        found += [*mirrors.notes(seen), *programs.notes(seen)]
    return [*found, *machine.notes(seen)]


def _of_answers(seen: Group, answers: list[readiness.Answer], problems: list[Finding]) -> list[Finding]:
    """What would be refused is a problem, unless another one is mended by the same command."""
    found: list[Finding] = []
    if any(row["kind"] == "cannot-look" for row in problems):
        return []  # what would be refused is refused for that
    for answer in answers:
        mend = str(answer["mend"])
        if answer["outcome"] != readiness.REFUSED or any(mend in row["command"] for row in [*problems, *found]):
            continue
        switch = answer["case"] == readiness.SWITCHOVER
        when = readiness.LABELS[answer["case"]].format(seen.master)
        text = f"{'a switchover' if switch else f'{when}, a failover'} would be refused: {answer['words']}"
        kind = "switchover-refused" if switch else "failover-refused"
        found.append(finding(kind, seen.master, text[0].lower() + text[1:], mend))
    return found


def _lag(seen: Group, answers: list[readiness.Answer], before: list[Finding]) -> list[Finding]:
    """What would be lost with the master's host is a problem when it is more than is accepted."""
    limit = seen.options.get("state_lag_megabytes", LAG_MEGABYTES) * MEBIBYTE
    if any(kinds.KINDS[row["kind"]].exit_code == kinds.NOT_REDUNDANT for row in before):
        return []
    return [
        finding(
            "lagging",
            answer["new"],
            f"{answer['new']} lacks {size(answer['lost_bytes'])} of WAL that {seen.master} has confirmed, and"
            f" {size(limit)} are accepted",
            f"wait, then look again: {playbook('state')}",
        )
        for answer in answers
        if (answer["lost_bytes"] or 0) > limit
    ]


def _is_problem(row: Finding, seen: Group) -> bool:
    kind = row["kind"]
    if kind == "no-standby" and not mirrors.is_expected(seen):
        return False
    accepted = kind in kinds.ACCEPTABLE and kind in (seen.options.get("state_accept") or [])
    return kinds.KINDS[kind].exit_code != kinds.WELL and not accepted


def _lasts(row: Finding, settled: str, master: str | None) -> bool:
    """Whether a finding is still true when the standby has been put in order."""
    return row["kind"] in LASTING or row["host"] not in (None, settled, master)
