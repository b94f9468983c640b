# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking a standby away: the decision table, what is left, and what commits wait for then."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.removal import released
from cases import EVERY_KIND, Hosts, master_of_the_other, removal
from observations import (
    ADDRESSES,
    DATA,
    FOREIGN,
    FORMER,
    OWN,
    REMOVED,
    SEGMENT,
    Observation,
    empty,
    frozen,
    master,
    mirrored,
    sender,
    shown,
    silent,
    slot,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

SIGNAL = {"data_directory.marked_standby": True}
DISCARD = {"existing_data": "discard"}
NAMED = {"standby_host": "smdw"}
GONE = {"standby_host": "gone"}
AFTER_FAILOVER = {"server.slots": [slot("hawq_mirroring_mdw", active=False, active_pid=None)]}
INTERLOCK = {"programs": {"interlock": {"settings": {"peers": [{"name": "smdw"}]}}}}
NEWER = {"histories": {"2": [[1, "0/3017F88"]]}, "control.timeline": 2}
REMOVE = "ansible-playbook hawq.mirroring.remove_standby"
ROLE, SLOT = ["slot", "registration", "role"], ["slot", "registration"]


def pair(other: Observation, source: Observation | None = None) -> Hosts:
    return {"mdw": source or mirrored(), "smdw": other}


def synchronous(names: str) -> Observation:
    return mirrored("mdw", {"server.settings.synchronous_standbys": names})


TOLD = {"master": "mdw", "standby": "smdw", "slot": "hawq_mirroring_smdw"}
STOP = {**TOLD, "stop": True, "was": "standby", "discard": False, "take": ROLE, "let_out": True, "left": []}
PLANS: dict[str, tuple[Hosts, dict[str, t.Any], dict[str, t.Any]]] = {
    "healthy pair": (pair(standby()), {}, {**STOP, "synchronous": None, "confirm": True, "endpoints": ["mdw"]}),
    "inventory's order does not matter": (dict(reversed(pair(standby()).items())), {}, STOP),
    "the choice of init_standby means to keep": (pair(standby()), {"existing_data": "keep"}, STOP),
    "discard": (pair(standby()), DISCARD, {**STOP, "discard": True, "system_identifier": OWN}),
    "named": (pair(standby()), NAMED, STOP),
    "what is newer than the master's is given up": (
        pair(standby("smdw", {**NEWER, "server.timeline": 2})),
        {**DISCARD, "accept_data_loss": True},
        {**STOP, "discard": True},
    ),
    "stopped standby": (pair(stopped_standby()), {}, STOP),
    "frozen standby": (pair(frozen(standby())), {}, STOP),
    "former master that follows by now": (pair(standby("smdw", FORMER)), DISCARD, {**STOP, "discard": True}),
    "a killed rewind": (
        pair(standby(), mirrored("mdw", {"server.rewind_roles": ["hawq_mirroring_rewind"]})),
        {},
        {**STOP, "rewind_roles": ["hawq_mirroring_rewind"]},
    ),
    "standby without sessions": (pair(silent("smdw", SIGNAL)), {}, STOP),
    "registered at the promoted standby, too": (
        pair(standby(), mirrored("mdw", {"server.standbys": ["mdw", "smdw"]})),
        {},
        {**STOP, "others": []},
    ),
    "its host is gone": (pair(unreachable()), {}, {**TOLD, "reachable": False, "stop": False, "take": ROLE}),
    "its host is gone, discard": (pair(unreachable()), DISCARD, {**TOLD, "discard": False}),
    "not in the inventory any more": (
        {"mdw": mirrored("mdw", {"server.standbys": ["gone"]})},
        {},
        {"standby": "gone", "slot": "hawq_mirroring_gone", "reachable": False, "stop": False, "take": ROLE},
    ),
    "not in the inventory any more, named beside another": (
        pair(standby(), mirrored("mdw", {"server.standbys": ["gone", "smdw"]})),
        GONE,
        {"standby": "gone", "others": ["smdw"], "take": SLOT, "let_out": False, "confirm": False, "source": True},
    ),
    "one of two": (
        {**pair(standby(), mirrored("mdw", {"server.standbys": ["sdw1", "smdw"]})), "sdw1": standby("sdw1")},
        NAMED,
        {
            **TOLD,
            "stop": True,
            "others": ["sdw1"],
            "take": SLOT,
            "endpoints": ["mdw", "sdw1"],
            "let_in": ["mdw", "sdw1"],
            "hba_lines": [f"host replication hawq_mirroring {ADDRESSES[n]}/32 scram-sha-256" for n in ("mdw", "sdw1")],
        },
    ),
    "one of three, another's host is off": (
        {
            **pair(standby(), mirrored("mdw", {"server.standbys": ["sdw1", "smdw"]})),
            "sdw1": {"reachable": False, "error": "timed out"},
        },
        NAMED,
        {**TOLD, "others": ["sdw1"], "endpoints": ["mdw"], "let_in": [], "let_out": False},
    ),
    "segments use the role": (
        pair(standby(), mirrored("mdw", {"server.segments": [SEGMENT]})),
        {},
        {**TOLD, "take": SLOT, "let_out": True, "confirm": True},
    ),
    "segments may use the role": (
        pair(standby(), mirrored("mdw", {"blocks.segments": ["host postgres …"]})),
        {},
        {**TOLD, "take": SLOT},
    ),
    "segments use the role, and go as well": (
        pair(standby(), mirrored("mdw", {"server.segments": [SEGMENT]})),
        {"all_goes": True},
        {**TOLD, "take": ROLE},
    ),
    "the interlock is told": (pair(standby(), mirrored("mdw", INTERLOCK)), {}, {**STOP, "interlock": True}),
    "no interlock": (pair(standby()), {}, {"interlock": False}),
    "the views are not there": (pair(standby(), mirrored("mdw", {"server.mirroring": None})), {}, {"confirm": False}),
    "killed before the mark": (pair(stopped_standby(), master()), {}, {**TOLD, "stop": True, "let_out": False}),
    "came back after its removal": (pair(standby(), master()), {}, {**TOLD, "stop": True, "was": "standby"}),
    "removed already": (pair(stopped_standby("smdw", REMOVED), master()), {}, {**TOLD, "stop": True, "was": "standby"}),
    "removed already, now discard": (
        pair(stopped_standby("smdw", REMOVED), master()),
        DISCARD,
        {**TOLD, "stop": True, "discard": True},
    ),
    "removed and started by somebody": (pair(standby("smdw", REMOVED), master()), {}, {**TOLD, "stop": True}),
    "discarded already": (pair(empty(), master()), DISCARD, {**TOLD, "stop": False, "discard": True}),
    "never had one": ({"mdw": master()}, {}, {"standby": None, "stop": False, "slot": "hawq_mirroring_mdw"}),
    "never had one, named": (pair(empty(), master()), GONE, {"standby": "gone", "left": []}),
    "never had one, which could be either": (
        {"mdw": master(), "smdw": empty(), "sdw1": empty("sdw1")},
        {},
        {"standby": None, "stop": False},
    ),
    "two hosts, one follows": (
        {"mdw": master(), "smdw": standby(), "sdw1": empty("sdw1")},
        {},
        {**TOLD, "stop": True},
    ),
    "named host is nobody's standby": (
        {**pair(standby()), "sdw1": empty("sdw1")},
        {"standby_host": "sdw1"},
        {"standby": "sdw1", "others": ["smdw"], "stop": False, "source": False, "let_out": False},
    ),
    "a slot waits for the old master": (
        {"mdw": stopped("mdw", FORMER), "smdw": master("smdw", AFTER_FAILOVER)},
        {},
        {"master": "smdw", "standby": "mdw", "slot": "hawq_mirroring_mdw", "stop": True, "was": "master"},
    ),
    "a slot waits for the old master, which is off": (
        {"mdw": unreachable(), "smdw": master("smdw", AFTER_FAILOVER)},
        {},
        {"standby": "mdw", "reachable": False, "stop": False, "source": True},
    ),
    "data of another system": (
        pair(stopped("smdw", {"control.system_identifier": FOREIGN})),
        DISCARD,
        {**TOLD, "stop": False, "discard": False, "take": ROLE},
    ),
    "standby of another system": (
        pair(standby("smdw", {"server.system_identifier": FOREIGN, "control.system_identifier": FOREIGN})),
        {},
        {**TOLD, "stop": False},
    ),
    "nobody knows whose data": (pair(stopped("smdw", {"control": None})), DISCARD, {"stop": False, "discard": False}),
    "commits wait for it": (pair(standby(), synchronous("smdw")), {}, {"synchronous": {"was": "smdw", "value": ""}}),
    "commits wait for another": (pair(standby(), synchronous("archive")), {}, {"synchronous": None}),
    "commits wait for anybody": (pair(unreachable(), synchronous("*")), {}, {"synchronous": {"was": "*", "value": ""}}),
    "commits wait for what it calls itself": (
        pair(
            standby(),
            mirrored(
                "mdw",
                {
                    "server.settings.synchronous_standbys": "east",
                    "server.senders": [sender(name="east")],
                },
            ),
        ),
        {},
        {"synchronous": {"was": "east", "value": ""}},
    ),
}
REFUSALS: dict[str, tuple[Hosts, dict[str, t.Any], list[tuple[str, str]]]] = {
    "no master": (
        {"mdw": stopped("mdw"), "smdw": standby()},
        {},
        [("no host accepts writes (mdw: the data of a master", "start it there")],
    ),
    "two masters": (pair(master("smdw")), {}, [("mdw and smdw both accept writes", "To keep mdw: systemctl stop")]),
    "named host is the master": (
        pair(standby()),
        {"standby_host": "mdw"},
        [("mdw is the master", "Name it: -e standby_host=smdw")],
    ),
    "named host is the master, which has none": (
        {"mdw": master()},
        {"standby_host": "mdw"},
        [("mdw is the master", "nothing to remove")],
    ),
    "two standbys": (
        {**pair(standby()), "sdw1": standby("sdw1")},
        {},
        [("there are 2 standbys (smdw, sdw1)", "-e standby_host=smdw or -e standby_host=sdw1")],
    ),
    "two registered, one of them gone": (
        pair(standby(), mirrored("mdw", {"server.standbys": ["gone", "smdw"]})),
        {},
        [("there are 2 standbys (gone, smdw)", "-e standby_host=gone or -e standby_host=smdw")],
    ),
    "misspelt": (
        pair(standby()),
        {"standby_host": "smwd"},
        [("smwd is no standby of mdw, which has smdw", "Correct the name, or leave it out: -e standby_host=")],
    ),
    "the master's own directory on shared storage": (
        pair(stopped("smdw", {"process.pidfile": mirrored()["process"]["pidfile"]})),
        {},
        [("has the postmaster.pid of the live master", "directory of its own")],
    ),
    "silent, and no standby": (
        pair(silent()),
        {},
        [("smdw has a server process that gives no session", "systemctl stop hawq-master.service")],
    ),
    "frozen, and no standby": (pair(frozen(master("smdw"))), {}, [("a frozen server process", "if it is not wanted")]),
    "discard a former master": (
        {"mdw": stopped("mdw", FORMER), "smdw": master("smdw", AFTER_FAILOVER)},
        DISCARD,
        [(f"{DATA} on mdw holds a former master's data", f"delete it there yourself, on mdw: rm -r {DATA}")],
    ),
    "A12: it has a newer timeline than the master": (
        pair(stopped("smdw", NEWER)),
        {},
        [
            (
                "smdw is on timeline 2, which left timeline 1 at 0/3017F88",
                f"To remove it all the same: {REMOVE} -e accept",
            )
        ],
    ),
    "A12: it has a newer timeline than the master, discard": (
        pair(standby("smdw", {**NEWER, "server.timeline": 2})),
        {**DISCARD, **NAMED},
        [
            (
                "smdw is on timeline 2",
                f"{REMOVE} -e standby_host=smdw -e existing_data=discard -e accept_data_loss=true",
            )
        ],
    ),
    "79: it has more than its master": (
        pair(
            stopped_standby("smdw", {"control.min_recovery_lsn": "0/9000000"}), mirrored("mdw", {"server.senders": []})
        ),
        DISCARD,
        [("smdw holds WAL of timeline 1 up to 0/9000000", "To keep what smdw has: systemctl stop")],
    ),
    "discard a mount point": (
        pair(standby("smdw", {"data_directory.mount_point": True})),
        DISCARD,
        [("is itself a mount point or a link", "without -e existing_data=")],
    ),
}


@pytest.mark.parametrize(("hosts", "options", "expected"), PLANS.values(), ids=PLANS)
def test_removal_goes_on(hosts: Hosts, options: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    verdict = removal(hosts, options)
    assert [refusal.sentence() for refusal in verdict.refusals] == []
    plan = {**verdict.plan, "endpoints": list(verdict.plan["endpoints"])}
    assert shown(plan, expected) == expected


@pytest.mark.parametrize(("hosts", "options", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_removal_refuses(hosts: Hosts, options: dict[str, t.Any], expected: list[tuple[str, str]]) -> None:
    refusals = removal(hosts, options).refusals
    assert len(refusals) == len(expected), [refusal.sentence() for refusal in refusals]
    for refusal, (found, command) in zip(refusals, expected):
        assert found in refusal.found
        assert command in refusal.command
        assert "a standby is made" not in refusal.why


EVERY = {**EVERY_KIND, "master": master_of_the_other, "removed": lambda name: stopped_standby(name, REMOVED)}


@pytest.mark.parametrize(("first", "second"), list(itertools.product(EVERY, EVERY)))
def test_only_a_standby_is_deleted_and_never_the_master_stopped(first: str, second: str) -> None:
    hosts = {"mdw": EVERY[first]("mdw"), "smdw": EVERY[second]("smdw")}
    for options in ({}, DISCARD, NAMED, {**NAMED, **DISCARD}):
        verdict = removal(hosts, options)
        if verdict.refusals:
            continue
        plan = verdict.plan
        assert [first, second].count("master") == 1
        assert plan["standby"] != plan["master"]
        if plan["stop"]:
            assert hosts[plan["standby"]]["server"] is None or hosts[plan["standby"]]["server"]["standby"]
        if plan["discard"]:
            assert {first, second} & {"standby", "mute standby", "stopped standby", "removed", "empty"}


LEFT = {
    "unreachable": (
        pair(unreachable()),
        {},
        ["smdw is not reachable by SSH", "never becomes a master by itself", "run again"],
    ),
    "unreachable, unregistered": (
        pair(unreachable(), master()),
        {},
        ["was not looked at", "When it is back, run again: ansible-playbook hawq"],
    ),
    "not in the inventory": (
        {"mdw": mirrored("mdw", {"server.standbys": ["gone"]})},
        {},
        ["gone is not in the group masters", "add it to the group and run again"],
    ),
    "foreign": (
        pair(stopped("smdw", {"control.system_identifier": FOREIGN})),
        {},
        ["not known to be a copy of this master", "left alone"],
    ),
}


@pytest.mark.parametrize(("hosts", "options", "words"), LEFT.values(), ids=LEFT)
def test_the_plan_says_what_is_left(hosts: Hosts, options: dict[str, t.Any], words: list[str]) -> None:
    (sentence,) = removal(hosts, options).plan["left"]
    assert [word for word in words if word not in sentence] == []


RELEASED = {
    "it alone": ("smdw", 0, ""),
    "it alone, in capitals": ("SMDW", 0, ""),
    "it alone, quoted": ('"smdw"', 0, ""),
    "first of it": ("FIRST 1 (smdw)", 0, ""),
    "it and another": ("smdw, archive", 1, 'FIRST 1 ("archive")'),
    "any of two": ("ANY 1 (smdw, archive)", 1, 'ANY 1 ("archive")'),
    "both": ("ANY 2 (smdw, archive)", 1, 'ANY 1 ("archive")'),
    "number alone": ("2 (archive, smdw, vault)", 2, 'FIRST 2 ("archive", "vault")'),
    "odd name": ('smdw, "a ""b"", c"', 1, 'FIRST 1 ("a ""b"", c")'),
    "anybody": ("*", 0, ""),
    "anybody, another is there": ("*", 1, "*"),
    "any two, one is left": ("ANY 2 (*)", 1, "ANY 1 (*)"),
    "it or anybody": ("smdw, *", 1, "FIRST 1 (*)"),
    "another": ("archive", 0, "archive"),
    "another, as it was written": ("any 2 (archive,vault)", 0, "any 2 (archive,vault)"),
    "nobody": ("", 0, ""),
}


@pytest.mark.parametrize(("names", "others", "after"), RELEASED.values(), ids=RELEASED)
def test_commits_wait_for_nobody_who_is_gone(names: str, others: int, after: str) -> None:
    assert released(names, {"smdw"}, others) == after
