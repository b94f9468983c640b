# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The real judges, called as ``plugins/action/verdict.py`` calls them."""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.judge import (
    init_standby,
    inventory,
    removal,
    rollback,
    switchover,
    takeover,
    topology,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import judge as failover
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Verdict
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync import judge as resync
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.state import judge as state
from ansible_collections.hawq.mirroring.plugins.module_utils.report import sources
from ansible_collections.hawq.mirroring.plugins.module_utils.values import options as declared

Seen = dict[str, t.Any]
JUDGES: dict[str, t.Callable[..., Verdict]] = {
    "init_standby": init_standby.judge,
    "resync_standby": resync.judge,
    "switchover": switchover.judge,
    "failover": failover.judge,
    "remove_standby": removal.judge,
}
#: the collection's own programs, each with its digest
PROGRAMS = {name: f"{name}, as the controller has it" for name in ("interlock", "peer")}
#: defaults of the variables of roles that judgement asks for
ROLES: dict[str, t.Any] = {
    "binaries_method": "packages",
    "ssh_keys_restrict": True,
    "replication_user": "hawq_mirroring",
    "segment_user": "hawq_mirroring_segment",
    "view_databases": [],
    "wal_keep_megabytes": 10240,
    "tablespace_mapping": {},
    "check": False,
    "programs": PROGRAMS,
}
DEFAULTS: dict[str, t.Any] = {
    **{name: spec.get("default") for name, spec in declared.PLAY_OPTIONS.items()},
    **ROLES,
}
#: what a task that has taken a way in place registers, by the way
IN_PLACE = {"rewind": "standby_rewound", "delta": "standby_compared"}


def endpoints(observations: dict[str, Seen]) -> dict[str, t.Any]:
    """Return address and port of each host."""
    return {name: {"address": name, "port": 5432} for name in observations}


def verdict(workflow: str, observations: dict[str, Seen], options: dict[str, t.Any]) -> Verdict:
    """Return the plan of a workflow, or its refusals."""
    return inventory.judged(JUDGES[workflow], observations, endpoints(observations), options)  # type: ignore[arg-type]


def document(
    observations: dict[str, Seen], options: dict[str, t.Any], witnesses: dict[str, Seen] | None = None
) -> dict[str, t.Any]:
    """Return the state document."""
    options = {**options, "witnesses": witnesses or {}}
    return state.document(observations, endpoints(observations), options)  # type: ignore[arg-type]


def salvage(plan: dict[str, t.Any], read: sources.Read, accept: bool) -> Verdict:
    """Judge, when the old master stands still, what the standby lacks."""
    new = plan["new"]
    started, again = read(new, "standby_observed_started"), read(new, "standby_observed_again")
    seen = next((each for each in (started, again, read(new, "server_observed")) if "observation" in each), {})
    last = again if plan.get("again") else seen
    observation = last.get("observation")
    found = takeover.Found(
        standby=observation,
        trouble=str(last.get("msg") or (topology.describe(observation) if observation else "")),
        started="observation" in started,
        offered=sources.offered(plan, read),
        unfetched="msg" in read(new, "standby_fetched"),
        port=22,
        unit="hawq-master.service",
    )
    return takeover.salvage(plan, found, {"check": False, "accept_data_loss": accept})


def rolled_back(plan: t.Any, observations: t.Any) -> Verdict:
    """Judge whether the master that a switchover has stopped may serve again."""
    return rollback.judge(plan, observations)


__all__ = ["DEFAULTS", "PROGRAMS", "document", "rolled_back", "salvage", "verdict"]
