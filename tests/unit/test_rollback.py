# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the master that a switchover has stopped may serve again, as a table; and what people are told of it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import rollback, switchover
from ansible_collections.hawq.mirroring.plugins.module_utils.report import failure, sources
from observations import (
    HOSTS,
    Observation,
    change,
    empty,
    frozen,
    master,
    mirrored,
    silent,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)
from test_switchover import OPTIONS, TWO

PLAN: t.Any = {"old": "mdw", "new": "smdw", "workflow": "switchover"}
MUTE = change(
    standby(),
    {"server": None, "server_error": "too many clients", "control.as_master": False, "control.ended": "crashed"},
)
#: what was seen of the other hosts: who is the master then, and whether the old one may start without asking
LOOKS: dict[str, tuple[dict[str, Observation], str, bool]] = {
    "the standby runs": ({"smdw": standby()}, "mdw", True),
    "it gives no session": ({"smdw": MUTE}, "mdw", True),
    "its server is stopped": ({"smdw": stopped_standby()}, "mdw", True),
    "another run has made it the master": ({"smdw": master("smdw")}, "smdw", False),
    "its host does not answer": ({"smdw": unreachable()}, "mdw", False),
    "it is frozen": ({"smdw": frozen(standby())}, "mdw", False),
    "its server gives no session and is no standby": ({"smdw": silent()}, "mdw", False),
    "it was a master, and is stopped": ({"smdw": stopped()}, "mdw", False),
    "its data is not there": ({"smdw": empty()}, "mdw", False),
    "a further standby has been made the master": ({"smdw": standby(), "sdw1": master("sdw1")}, "sdw1", True),
    "a further standby does not answer": ({"smdw": standby(), "sdw1": unreachable()}, "mdw", False),
    "both are standbys": ({"smdw": standby(), "sdw1": standby("sdw1")}, "mdw", True),
}


@pytest.mark.parametrize(("looks", "who", "unasked"), LOOKS.values(), ids=LOOKS)
def test_who_is_the_master_then(looks: dict[str, Observation], who: str, unasked: bool) -> None:
    verdict = rollback.judge(PLAN, looks)
    assert verdict.refusals == []
    assert verdict.plan["master"] == who
    assert verdict.plan["steps"] == {"undo": ["mdw"] if who == "mdw" else []}
    if who == "mdw":
        assert verdict.plan["unasked"] is unasked
        assert (verdict.plan["doubtful"] == []) is unasked


def test_every_host_that_could_be_the_master_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchover, "preflight", lambda *_: [])  # nothing of it is in order here
    hosts = {"mdw": mirrored("mdw"), "smdw": standby(), "sdw1": empty("sdw1")}
    plan = switchover.judge(hosts, HOSTS, {**OPTIONS}).plan
    assert plan["steps"]["rollback_look"] == ["smdw"]
    hosts = {"mdw": mirrored("mdw", TWO), "smdw": standby(), "sdw1": standby("sdw1")}
    plan = switchover.judge(hosts, HOSTS, {**OPTIONS, "master_host": "smdw"}).plan
    assert plan["steps"]["rollback_look"] == ["smdw", "sdw1"]


def told(looks: dict[str, Observation] | None, undone: dict[str, t.Any], back: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what a report reads of the hosts: without looks nothing was to be given back."""
    judged = {"plan": rollback.judge(PLAN, looks).plan} if looks else {}
    registered = {
        ("smdw", "server_rollback"): judged,
        ("mdw", "server_unfenced"): undone,
        ("mdw", "server_back"): back,
        ("mdw", "server_observed"): {"observation": mirrored("mdw")},
    }
    return sources.rollback(PLAN, lambda host, name: registered.get((host or "", name), {}))


STARTED, SESSION = {"changed": True, "record": {}}, {"mirroring": {"summary_state": None}}
OUTCOMES: dict[str, tuple[dict[str, t.Any], str, str]] = {
    "the old master serves": (
        told({"smdw": standby()}, STARTED, SESSION),
        "The switchover was given up before this run had activated smdw, and mdw is the master again: mdw: why.",
        "when that is mended, type the same again",
    ),
    "another run has made the standby the master": (
        told({"smdw": master("smdw")}, {}, {}),
        "mdw stays fenced: mdw: why. smdw is a master that accepts writes: another run has made it the master",
        "let mdw follow: ansible-playbook hawq.mirroring.resync_standby -e standby_host=mdw",
    ),
    "another run has fenced it": (
        told({"smdw": unreachable()}, {"msg": "the server here is fenced by the run failover-1."}, {}),
        "mdw was not started again: mdw: why. mdw: the server here is fenced by the run failover-1.",
        "look who is the master now: ansible-playbook hawq.mirroring.state",
    ),
    "it does not answer": (
        told({"smdw": standby()}, {}, {}),
        "mdw was not started again: mdw: why. mdw: no answer.",
        "look who is the master now: ansible-playbook hawq.mirroring.state",
    ),
    "it waits for the other one": (
        told({"smdw": unreachable()}, STARTED, {"msg": "no session", "mirroring": {}}),
        "nobody is the master yet: mdw: why. mdw was told to start, and does so when smdw answers that it is no master",
        "touch /run/hawq-mirroring-hawq-master.start && systemctl start hawq-master.service",
    ),
    "it does not start": (
        told({"smdw": standby()}, STARTED, {"msg": "the server has stopped: disk full.", "mirroring": {}}),
        "mdw was told to start and does not serve yet (the server has stopped: disk full): mdw: why.",
        "look who is the master now: ansible-playbook hawq.mirroring.state",
    ),
    "nothing was to be given back": (
        told(None, {}, {}),
        "and nobody is the master: run this again: mdw: why.",
        "when that is mended, type the same again",
    ),
}


@pytest.mark.parametrize(("found", "words", "command"), OUTCOMES.values(), ids=OUTCOMES)
def test_people_are_told_who_is_the_master_now(found: dict[str, t.Any], words: str, command: str) -> None:
    back = failure.Back(**found)
    why = " ".join(failure.given_up(PLAN, {"mdw": "mdw: why."}, back))
    assert words in why
    assert ("is the master again" in why) == ("is the master again" in words)
    assert command in str(failure.after_that(PLAN, back)[-1])
