# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What would be refused or lost, as problems, and what mends it now. Pure: no I/O, no clock."""

from __future__ import annotations

from ...values import findings as kinds
from ...values.command import playbook
from ...values.text import MEBIBYTE, size
from .. import needs, readiness, topology
from . import mirrors
from .group import Finding, Group, finding

#: so much lag is accepted where nothing is said
LAG_MEGABYTES = 16
#: findings that are the same as a refusal under another name; those of the same name are it, too
SAME: dict[str, tuple[str, ...]] = {
    "ahead-of-master": ("ahead",),
    "data-damaged": ("damaged",),
    "data-missing": ("memory-against",),
    "no-standby": ("fenced", "not-in-group", "not-synchronized", "slot-lost", "standby-down"),
    "not-a-running-standby": ("not-synchronized", "standby-down"),
    "no-such-standby": ("not-in-group",),
    "other-slots": ("slot-not-synchronised",),
    "programs-missing": ("address-program",),
    "standby-stale": ("not-synchronized", "receiver-silent"),
    "unknown-master": ("data-closed", "follows-elsewhere"),
    "wal-disk-too-small": ("disk-nearly-full",),
}


def is_problem(row: Finding, seen: Group) -> bool:
    """Whether a finding is a problem, and no note."""
    kind = row["kind"]
    if kind == "no-standby" and not mirrors.is_expected(seen):
        return False
    accepted = kind in kinds.ACCEPTABLE and kind in (seen.options.get("state_accept") or [])
    return kinds.KINDS[kind].exit_code != kinds.WELL and not accepted and not needs.is_accepted(kind, seen.options)


def ask(seen: Group, found: list[Finding]) -> list[readiness.Answer]:
    """Return what would come of each fault, where there is a standby to take over."""
    there = seen.standbys or any(topology.may_take_over(each) for each in seen.observations.values())
    if not there:
        return []
    which = next((name for name in seen.standbys if name in seen.observations), None)
    mend = mirrors.back(seen, which) if which else str(seen.resync())
    rows = readiness.ask(seen.observations, seen.hosts, seen.options, seen.master, mend)
    for row in rows:
        reason = _reason(row, found)
        if reason:
            row["mend"] = reason["command"]
    return rows


def _reason(answer: readiness.Answer, found: list[Finding]) -> Finding | None:
    """Return the finding that is the reason of a refusal."""
    names = {name for kind in answer["kinds"] for name in (kind, *SAME.get(kind, ()))}
    return next((row for row in found if row["kind"] in names), None)


def findings(seen: Group, rows: list[readiness.Answer], before: list[Finding]) -> list[Finding]:
    """What would be refused or lost is a problem, unless that is what another one says already."""
    problems = [row for row in before if is_problem(row, seen)]
    if any(row["kind"] == "cannot-look" for row in problems):
        return []  # what would be refused is refused for that
    found = _lag(seen, rows, before)
    for row in rows:
        switch = row["case"] == readiness.SWITCHOVER
        # what is accepted explains a refused switchover, too, but never a refused failover
        told = [*(before if switch else problems), *found]
        same = any(str(row["mend"]) in each["command"] for each in told)
        if row["outcome"] == readiness.REFUSED and not same:
            when = readiness.LABELS[row["case"]].format(seen.master)
            what = "a switchover" if switch else f"{when[0].lower()}{when[1:]}, a failover"
            kind = "switchover-refused" if switch else "failover-refused"
            found.append(finding(kind, seen.master, f"{what} would be refused: {row['words']}", row["mend"]))
    return found


def _lag(seen: Group, rows: list[readiness.Answer], before: list[Finding]) -> list[Finding]:
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
        for answer in rows
        if (answer["lost_bytes"] or 0) > limit
    ]
