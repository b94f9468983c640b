# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a standby can still get from its old master, judged again when that one stands still."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import takeover
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Verdict
from cases import Hosts, assert_refused, failover
from observations import Observation, crashed, mute, shown, standby, stopped, stopped_standby, unreachable

MISSING = {"offer": {"missing_bytes": 96, "files": [{"name": "000000010000000000000003", "size": 3}]}}
NOTHING = {"offer": {"missing_bytes": 0, "files": []}}
RAISED = {"control.at_least": {"max_connections": 200}}
LOSS = {"accept_data_loss": True}
DARK = {"wal_end": None, "control.min_recovery_lsn": None}
ASKED = {"after": "0/3017F88", "have": "0/3017F88", "timeline": 1}
UNKNOWN = {"after": None, "have": None, "timeline": None}


def judged(
    smdw: Observation,
    seen: Observation | None = None,
    offered: dict[str, t.Any] | None = None,
    options: dict[str, t.Any] | None = None,
    **plan: t.Any,
) -> Verdict:
    """Judge the salvage of a failover to smdw, which was seen last as it is given."""
    hosts: Hosts = {"mdw": crashed(), "smdw": smdw}
    found = takeover.Found(
        standby=t.cast(t.Any, seen or smdw),
        trouble="no session: too many clients",
        started=seen is not None,
        offered=offered or {},
        unfetched=False,
        port=22,
        unit="hawq-master.service",
    )
    return takeover.salvage({**failover(hosts, {}).plan, **plan}, found, t.cast(t.Any, options or {}))


#: the standby when the takeover was judged, how it was seen after a start, what is offered: the steps
SALVAGES: dict[str, tuple[Observation, Observation | None, dict[str, t.Any], dict[str, t.Any]]] = {
    "it has all": (standby(), None, NOTHING, {"look": False, "offer": [], "fetch": [], **ASKED}),
    "it lacks something": (
        standby(),
        None,
        MISSING,
        {"look": ["mdw", "smdw"], "start": [], "offer": [], "fetch": ["smdw"], **ASKED},
    ),
    "no session, it lacks something (55)": (
        mute(),
        None,
        MISSING,
        {"start": [], "offer": [], "fetch": ["smdw"], **ASKED},
    ),
    "no session, its files tell": (
        mute("smdw", {"wal_end": "0/4000000"}),
        None,
        MISSING,
        {"after": "0/4000000", "have": "0/4000000", "timeline": 1},
    ),
    "its settings were raised, and it was not observed since (54)": (
        standby("smdw", RAISED),
        None,
        {},
        {"look": True, "start": ["smdw"], "offer": ["mdw"]},
    ),
    "its settings were raised (54)": (
        standby("smdw", RAISED),
        standby("smdw", {"server.replay_lsn": "0/3000000"}),
        {},
        {"look": True, "start": [], "offer": ["mdw"], **ASKED, "after": "0/3000000"},
    ),
    "its settings were raised, and it gives no session": (
        standby("smdw", RAISED),
        mute(),
        {},
        {"start": [], "offer": ["mdw"], **ASKED},
    ),
    "it is stopped": (stopped_standby(), None, {}, {"start": ["smdw"], "offer": ["mdw"], **UNKNOWN}),
    "it was started": (stopped_standby(), standby(), {}, {"start": [], "offer": ["mdw"], **ASKED}),
    "it was started, and gives no session": (stopped_standby(), mute(), {}, {"start": [], "offer": ["mdw"], **ASKED}),
}


@pytest.mark.parametrize(("smdw", "seen", "offered", "expected"), SALVAGES.values(), ids=SALVAGES)
def test_what_is_brought_over(
    smdw: Observation, seen: Observation | None, offered: dict[str, t.Any], expected: dict[str, t.Any]
) -> None:
    plan, refusals = judged(smdw, seen, offered)
    assert refusals == []
    # a step and a value of the plan are both called offer
    assert shown({**plan["steps"], **{name: plan[name] for name in ASKED}, "steps": {}}, expected) == expected


def test_a_check_starts_nothing_and_asks_nobody_yet() -> None:
    for smdw in (stopped_standby(), standby("smdw", RAISED)):
        plan, _refusals = judged(smdw, options={"check": True})
        assert (plan["steps"]["start"], plan["steps"]["offer"]) == (["smdw"], [])


def test_a_standby_that_did_not_come_up_takes_nothing_over() -> None:
    for seen in (stopped_standby(), stopped(), unreachable()):
        assert_refused(judged(stopped_standby(), seen).refusals, [("not-a-running-standby", "Look at it")])
    assert "journalctl -u hawq-master.service there" in judged(stopped_standby(), stopped()).refusals[0].command
    gone = judged(standby(), stopped_standby(), again=True, standing=None)
    assert_refused(gone.refusals, [("not-a-running-standby", "Look at it")])


def test_what_cannot_be_compared_is_not_passed_over_in_silence() -> None:
    verdict = judged(mute("smdw", DARK))
    assert_refused(verdict.refusals, [("not-compared", "Or accept the loss: -e accept_data_loss=true")])
    plan, refusals = judged(mute("smdw", DARK), options=LOSS)
    assert (refusals, plan["steps"]["offer"]) == ([], [])
