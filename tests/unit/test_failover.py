# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may take over, and from whom: the decision table of a failover."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import topology
from cases import EVERY_KIND, QUIET, Hosts, failover, master_of_the_other, segment
from observations import (
    CLOSED,
    DATA,
    FOLLOWED,
    FOREIGN,
    FORMER,
    REMOVED,
    Observation,
    crashed,
    empty,
    ended,
    frozen,
    master,
    mirrored,
    mute,
    shown,
    silent,
    slot,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

DOWN, COMMAND, LOSS = {"master_is_down": True}, {"fence_command": "power off"}, {"accept_data_loss": True}


def pair(old: Observation, new: Observation | None = None) -> Hosts:
    return {"mdw": old, "smdw": new or standby("smdw", CLOSED)}


def activated(overrides: dict[str, t.Any] | None = None) -> Observation:
    """The former standby after its activation."""
    return master("smdw", {"server.timeline": 2, "server.checkpoint_timeline": 2, **(overrides or {})})


#: somebody else answers for the address of the master
TAKEN = {"address": "10.0.0.100/24", "here": False, "taken": True}
FENCED = {"data_directory.fenced": True, "data_directory.fence_reason": "sdw1 took over as master"}
NEWER = {"server.timeline": 2, "follows.host": "sdw1"}
AHEAD = {"server.have_lsn": "0/4017F88"}
BEHIND = {"server.receiver.latest_end_lsn": "0/4017F88"}
#: what a standby has that has all, and of one whose master had more connections than it
STANDING = {"have": "0/3017F88", "timeline": 1, "known": "0/3017F88", "known_from": ""}
RAISED = {"control.at_least": {"max_connections": 200, "max_worker_processes": 8}}
#: it has received nothing for more than a minute
CUT_OFF: dict[str, t.Any] = {
    **CLOSED,
    "server.receiver": None,
    "server.last_commit_at": 1795600800.0,
    "server.replay_age_seconds": 80.0,
    "wal_age_seconds": 75.0,
}
TOLD = {"activate": True, "old": "mdw", "new": "smdw"}
NOBODY: dict[str, t.Any] = {"follows.host": None, "server.receiver": None}
PLANS: dict[str, tuple[Hosts, dict[str, t.Any], dict[str, t.Any]]] = {
    "crashed server, host alive": (pair(crashed()), {}, {**TOLD, "fence": "module", "salvage": True, "start": False}),
    "server stopped cleanly": (pair(stopped("mdw")), {}, {**TOLD, "fence": "module", "salvage": True}),
    "inventory's order does not matter": (dict(reversed(pair(crashed()).items())), {}, TOLD),
    "frozen server": (pair(frozen(master())), {}, {**TOLD, "fence": "module"}),
    "fenced by a killed run": (
        pair(crashed({"data_directory.fenced": True, "data_directory.marked_standby": True})),
        {},
        {**TOLD, "fence": "module"},
    ),
    "fenced by a killed run, then booted": (
        pair(standby("mdw", FORMER)),
        {},
        {**TOLD, "fence": "module", "salvage": True},
    ),
    "standby stopped": (pair(crashed(), stopped_standby()), {}, {**TOLD, "start": True}),
    "replay paused": (pair(crashed(), standby("smdw", {"server.replay_paused": True})), {}, TOLD),
    "standby without a session (55)": (
        pair(crashed(), mute()),
        {},
        {
            **TOLD,
            "start": False,
            "salvage": True,
            "standing": {**STANDING, "after": "0/3017F88", "known": None},
            "settings": [],
        },
    ),
    "standby without a session, host dead": (
        pair(unreachable(), mute("smdw", CLOSED)),
        DOWN,
        {**TOLD, "start": False, "salvage": False},
    ),
    "standby without a session, its files cannot be read": (
        pair(crashed(), mute("smdw", {"wal_end": None})),
        {},
        {**TOLD, "salvage": True, "standing": {**STANDING, "after": "0/3017F88", "known": None}},
    ),
    "hot_standby is off (55)": (
        pair(crashed(), mute("smdw", {"server_error": "no session: the database system is not accepting connections"})),
        {},
        {**TOLD, "start": False},
    ),
    "its snapshot is pending (55)": (
        pair(crashed(), mute("smdw", {"server_error": "no session: the database system is not yet accepting"})),
        {},
        {**TOLD, "start": False},
    ),
    "its settings are below the master's (54)": (
        pair(crashed(), standby("smdw", {**RAISED, "server.replay_paused": True})),
        {},
        {**TOLD, "recovery_settings": {"max_connections": "200"}, "settings": ["smdw"], "standing": None},
    ),
    "its settings are below the master's, no session (54, 55)": (
        pair(crashed(), mute("smdw", {**RAISED, "configuration.at_least": {"max_connections": "100"}})),
        {},
        {**TOLD, "recovery_settings": {"max_connections": "200"}, "settings": ["smdw"], "standing": None},
    ),
    "its settings are below the master's, and the WAL of that is on the old master's disk only": (
        pair(crashed(RAISED)),
        {},
        {**TOLD, "recovery_settings": {"max_connections": "200"}, "settings": ["smdw"]},
    ),
    "a query holds replay up (57)": (
        pair(crashed(), standby("smdw", {"server.replay_blocked": True, "server.replay_lsn": "0/3000000"})),
        {},
        {**TOLD, "standing": {**STANDING, "after": "0/3000000"}},
    ),
    "a fence record that it has outlived (58)": (pair(crashed(), standby("smdw", FOLLOWED)), {}, TOLD),
    "a fence record that it has outlived, host dead (58)": (
        pair(unreachable(), standby("smdw", {**FOLLOWED, **CLOSED})),
        DOWN,
        TOLD,
    ),
    "cut off long before, the loss is accepted (56)": (
        pair(unreachable(), standby("smdw", CUT_OFF)),
        {**DOWN, **LOSS},
        TOLD,
    ),
    "cut off long before, host alive": (pair(crashed(), standby("smdw", CUT_OFF)), {}, {**TOLD, "salvage": True}),
    "the inventory has another address by now (A15)": (
        pair(unreachable(), standby("smdw", {**CLOSED, "probes.mdw.address": "192.0.2.7"})),
        DOWN,
        TOLD,
    ),
    "host dead, the operator's word": (
        pair(unreachable()),
        DOWN,
        {**TOLD, "fence": "operator's word", "salvage": False},
    ),
    "host dead, fence command": (pair(unreachable()), COMMAND, {**TOLD, "fence": "command", "salvage": False}),
    "host frozen, fence command": (
        pair(unreachable(), standby("smdw", {"probes.mdw.answers": False})),
        COMMAND,
        {**TOLD, "fence": "command"},
    ),
    "host dead, word before command": (pair(unreachable()), {**DOWN, **COMMAND}, {"fence": "operator's word"}),
    "host dead, standby behind, loss accepted": (
        pair(unreachable(), standby("smdw", {**CLOSED, **BEHIND})),
        {**DOWN, **LOSS},
        TOLD,
    ),
    "host dead, standby not connected": (
        pair(unreachable(), standby("smdw", {**CLOSED, "server.receiver": None})),
        DOWN,
        TOLD,
    ),
    "old master's data gone, the operator's word": (pair(empty("mdw")), {**DOWN, **LOSS}, {**TOLD, "salvage": False}),
    "one of two standbys": (
        {**pair(crashed()), "sdw1": standby("sdw1")},
        {"standby_host": "sdw1"},
        {
            **TOLD,
            "new": "sdw1",
            "followers": {"smdw": "hawq_mirroring_smdw"},
            "slots": ["hawq_mirroring_mdw", "hawq_mirroring_smdw"],
            "standbys": ["smdw"],
        },
    ),
    "the standby that is ahead": (
        {**pair(crashed()), "sdw1": standby("sdw1", AHEAD)},
        {},
        {**TOLD, "new": "sdw1", "followers": {"smdw": "hawq_mirroring_smdw"}},
    ),
    "a straggler on an older timeline has a higher LSN": (
        {
            "mdw": crashed({"control.timeline": 2}),
            "smdw": standby("smdw", {"server.timeline": 2}),
            "sdw1": standby("sdw1", AHEAD),
        },
        {},
        {**TOLD, "new": "smdw"},
    ),
    "a third host has taken over, and both words are given": (
        {**pair(crashed(FENCED), standby("smdw", QUIET)), "sdw1": unreachable()},
        {**DOWN, **LOSS},
        TOLD,
    ),
    "old master's disk is there, a further standby is frozen": (
        {**pair(crashed()), "sdw1": frozen(standby("sdw1"))},
        {},
        {**TOLD, "salvage": True, "followers": {}},
    ),
    "two that are equal, one stopped": (
        {**pair(crashed(), stopped_standby()), "sdw1": standby("sdw1")},
        {},
        {**TOLD, "new": "sdw1", "followers": {}, "standbys": []},
    ),
    "one that is behind, loss accepted": (
        {**pair(crashed()), "sdw1": standby("sdw1", AHEAD)},
        {"standby_host": "smdw", **LOSS},
        {**TOLD, "followers": {"sdw1": "hawq_mirroring_sdw1"}},
    ),
    "a registered standby's host is off": (
        {**pair(crashed(), standby("smdw", {"server.standbys": ["sdw1", "smdw"], **QUIET})), "sdw1": unreachable()},
        {},
        {
            **TOLD,
            "untold": {"sdw1": "not reachable by SSH (Connection timed out)"},
            "followers": {},
            "slots": ["hawq_mirroring_mdw", "hawq_mirroring_sdw1"],
            "standbys": ["sdw1"],
        },
    ),
    "killed before the further standby was told": (
        {"mdw": unreachable(), "smdw": activated({"server.standbys": ["sdw1"]}), "sdw1": standby("sdw1")},
        {},
        {"activate": False, "old": None, "new": "smdw", "followers": {"sdw1": "hawq_mirroring_sdw1"}},
    ),
    "again, the old master's host is off, the further standby follows": (
        {
            "mdw": unreachable(),
            "smdw": activated({"server.standbys": ["sdw1"], "server.slots": [slot("hawq_mirroring_mdw")]}),
            "sdw1": standby("sdw1", {"server.timeline": 2, "follows.host": "smdw"}),
        },
        {},
        {"activate": False, "old": None, "away": ["mdw"], "followers": {}, "fence": "none"},
    ),
    "again, the further standby follows, the old master is back": (
        {
            "mdw": crashed({"data_directory.fenced": True}),
            "smdw": activated({"server.standbys": ["sdw1"]}),
            "sdw1": standby("sdw1", {"server.timeline": 2, "follows.host": "smdw"}),
        },
        {},
        {"activate": False, "old": "mdw", "new": "smdw", "followers": {}, "standbys": ["sdw1"]},
    ),
    "segments saw it synchronized": (pair(unreachable()), {**DOWN, **segment(at=1.0)}, {**TOLD, "segments": ["sdw1"]}),
    "a segment remembers another master": (
        pair(unreachable()),
        {**DOWN, **segment(master="smdw", summary_state="Not Synchronized")},
        TOLD,
    ),
    "not synchronized when a segment last saw it, host alive": (
        pair(crashed()),
        segment(summary_state="Not Synchronized", lsn="0/4017F88"),
        TOLD,
    ),
    "a segment's memory is ignored": (
        pair(unreachable()),
        {**DOWN, **segment(lsn="FFFFFFFF/0"), "ignore_witness": ["sdw1"]},
        TOLD,
    ),
    "segments are dead": (pair(crashed()), {"witnesses": {"sdw1": unreachable()}}, {**TOLD, "segments": []}),
    "activated already": (
        pair(crashed(), activated()),
        {},
        {"activate": False, "old": "mdw", "new": "smdw", "fence": "module", "salvage": False},
    ),
    "activated already, the fenced one was booted": (
        pair(standby("mdw", FORMER), activated()),
        {},
        {"activate": False, "old": "mdw", "fence": "module"},
    ),
    "activated already, the fenced one was booted and follows": (
        pair(standby("mdw", FOLLOWED), activated()),
        {},
        {"activate": False, "old": "mdw", "fence": "module"},
    ),
    "activated already, host dead": (
        pair(unreachable(), activated()),
        {},
        {"activate": False, "old": None, "fence": "none"},
    ),
    "activated already, itself registered": (
        pair(crashed(), activated({"server.standbys": ["smdw"]})),
        {},
        {"activate": False},
    ),
    "the standby is told to follow nobody, and the loss is accepted": (
        pair(unreachable(), standby("smdw", {**NOBODY, **CLOSED})),
        {**DOWN, "accept_data_loss": True},
        {"activate": True, "old": "mdw", "new": "smdw", "fence": "operator's word"},
    ),
}
REFUSALS: dict[str, tuple[Hosts, dict[str, t.Any], list[tuple[str, str]]]] = {
    "master alive": (
        pair(mirrored(), standby()),
        DOWN,
        [("mdw is the master, is alive and accepts writes", "hawq.mirroring.switchover")],
    ),
    "master alive, its standby was a master and a killed run has left its record": (
        {
            "mdw": standby("mdw", {**FOLLOWED, "follows.host": "smdw"}),
            "smdw": activated({"server.standbys": ["mdw"]}),
        },
        DOWN,
        [("smdw is the master, is alive and accepts writes (mdw is its standby)", "hawq.mirroring.switchover")],
    ),
    "master alive, standby down": (
        pair(mirrored(), unreachable()),
        DOWN,
        [("mdw is the master, is alive", "hawq.mirroring.switchover")],
    ),
    "cut off long before the host went down (56)": (
        pair(unreachable(), standby("smdw", CUT_OFF)),
        DOWN,
        [
            (
                "smdw last received WAL 75 seconds ago; its last commit is of 2026-11-25 10:00:00 UTC, 80 seconds ago,"
                " and mdw is not reachable by SSH",
                "-e accept_data_loss=true",
            )
        ],
    ),
    "both stopped, the standby's host was the master (A16)": (
        pair(stopped("mdw"), stopped("smdw", {"control.timeline": 2})),
        {},
        [("no host is a standby that could be activated", "on smdw, whose timeline 2 is the newest")],
    ),
    "the standby is told to follow nobody": (
        pair(crashed(), standby("smdw", NOBODY)),
        {},
        [("smdw is told to follow nobody, and mdw has the data of a master", "failover -e accept_data_loss=true")],
    ),
    "the old master is on a newer timeline": (
        pair(stopped("mdw", {"control.timeline": 2})),
        {},
        [("on a newer timeline (2) than smdw (1)", "Start it on mdw (systemctl start")],
    ),
    "its data is damaged": (
        pair(crashed(), standby("smdw", {"server_damage": "invalid page in block 3 of relation base/5/1255"})),
        {},
        [("the data of smdw is damaged (invalid page in block 3", "bring its server up instead")],
    ),
    "its file system is read-only": (
        pair(crashed(), standby("smdw", {"data_directory.read_only": "/data/hawq/master"})),
        {},
        [
            (
                "the file system of /data/hawq/master on smdw is mounted read-only",
                "remount,rw $(findmnt -nT /data/hawq/master",
            )
        ],
    ),
    "its WAL's disk is full": (
        pair(crashed(), standby("smdw", {"data_directory.wal_free_bytes": 0})),
        {},
        [("smdw has 0 B free for WAL", "Make room there")],
    ),
    "alive, fenced records are of before (58)": (
        pair(
            standby("mdw", {**FORMER, "server.timeline": 2, "follows.host": "smdw"}),
            activated({"server.standbys": ["mdw"]}),
        ),
        {},
        [("smdw is the master, is alive and accepts writes", "hawq.mirroring.switchover")],
    ),
    "two writers": (pair(master(), activated()), DOWN, [("mdw and smdw both accept writes", "systemctl stop")]),
    "alive, only cut off from here": (
        pair(unreachable(), standby()),
        {**DOWN, **COMMAND},
        [("but its server answers smdw at mdw:5432", "Mend the way from here to mdw")],
    ),
    "host frozen, the operator's word": (
        pair(unreachable(), standby("smdw", {"probes.mdw.answers": False})),
        DOWN,
        [("and smdw can open its port, where none answers", "fence_command='COMMAND'")],
    ),
    "host dead, not proven": (
        pair(unreachable()),
        {},
        [("it is not proven that mdw is dead (mdw: not reachable by SSH", "-e master_is_down=true")],
    ),
    "old master's data gone": (
        pair(empty("mdw")),
        DOWN,
        [(f"mdw answers, and has no data in {DATA}", "Mount it, then run this again")],
    ),
    "old master's data gone, not proven dead": (
        pair(empty("mdw")),
        LOSS,
        [("it is not proven that mdw is dead", "fence_command=")],
    ),
    "host dead, its address lives": (
        pair(
            unreachable(),
            standby("smdw", {**CLOSED, "virtual_ip": {"address": "10.9.0.9/24", "here": False, "taken": True}}),
        ),
        DOWN,
        [("somebody answers for 10.9.0.9/24 as seen from smdw", "fence_command=")],
    ),
    "alive, as a segment sees": (
        pair(unreachable()),
        {**DOWN, "witnesses": {"sdw1": empty("sdw1")}},
        [("but its server answers sdw1 at mdw:5432", "Mend the way")],
    ),
    "not synchronized when a segment last saw it": (
        pair(unreachable()),
        {**DOWN, **segment(summary_state="Not Synchronized")},
        [
            (
                "smdw lacks an unknown amount of WAL that mdw had, and was Not Synchronized when sdw1 last saw mdw",
                "-e accept_data_loss=true",
            )
        ],
    ),
    "a segment knows of more WAL": (
        pair(unreachable()),
        {**DOWN, **segment(lsn="0/4017F88")},
        [("smdw lacks at least 16 MB of WAL (0/3017F88 of 0/4017F88) that mdw had", "-e accept_data_loss=true")],
    ),
    "server gives no session": (
        pair(silent("mdw")),
        DOWN,
        [("a server process runs on mdw and gives no session here (no session: too many", "systemctl stop")],
    ),
    "host dead, standby behind": (
        pair(unreachable(), standby("smdw", {**CLOSED, **BEHIND})),
        DOWN,
        [("smdw lacks at least 16 MB of WAL (0/3017F88 of 0/4017F88) that mdw had", "-e accept_data_loss=true")],
    ),
    "no standby": (
        pair(crashed(), empty("smdw")),
        {},
        [("no host is a standby that could be activated", "Start the master")],
    ),
    "standby unreachable": (
        pair(crashed(), unreachable()),
        {},
        [("no host is a standby", "Bring smdw up, then run this again")],
    ),
    "standby frozen": (
        pair(crashed(), frozen(standby())),
        {},
        [("smdw: a frozen server process", "On smdw, let it go on there (kill -CONT")],
    ),
    "named host is behind the other standby": (
        {**pair(crashed()), "sdw1": standby("sdw1", AHEAD)},
        {"standby_host": "smdw"},
        [("smdw has WAL up to 0/3017F88 on timeline 1, and sdw1 up to 0/4017F88 on", "Name sdw1")],
    ),
    "a third host has taken over, and cannot be looked at": (
        {**pair(crashed(FENCED), standby("smdw", QUIET)), "sdw1": unreachable()},
        {},
        [
            (
                "sdw1 has taken over as master since, and is not reachable",
                "-e master_is_down=true -e accept_data_loss=true",
            )
        ],
    ),
    "a third host has taken over, one word is not enough": (
        {**pair(crashed(FENCED), standby("smdw", QUIET)), "sdw1": unreachable()},
        DOWN,
        [("sdw1 has taken over as master since", "Bring it up")],
    ),
    "a segment has seen that a third host took over": (
        {**pair(crashed(), standby("smdw", QUIET)), "sdw1": unreachable()},
        segment("sdw2", master="sdw1", timeline=2),
        [("sdw1 has taken over as master since", "Bring it up")],
    ),
    "a third host answers, and cannot be looked at": (
        {**pair(crashed()), "sdw1": unreachable()},
        {},
        [("sdw1 is not reachable by SSH (Connection timed out), and its server answers smdw", "Mend the way")],
    ),
    "a third host cannot be looked at, and somebody has the address": (
        {**pair(crashed(), standby("smdw", {**QUIET, "virtual_ip": TAKEN})), "sdw1": unreachable()},
        {},
        [("somebody answers for 10.0.0.100/24", "Switch sdw1 off")],
    ),
    "host dead, a further standby is frozen": (
        {**pair(unreachable()), "sdw1": frozen(standby("sdw1", CLOSED))},
        DOWN,
        [("sdw1 is a frozen server process, and may hold WAL that smdw lacks", "On sdw1, let it go on there (kill")],
    ),
    "host dead, a further standby is stopped": (
        {**pair(unreachable()), "sdw1": stopped_standby("sdw1", CLOSED)},
        DOWN,
        [("sdw1 is a standby whose server is stopped", "Bring it up as a running standby")],
    ),
    "host dead, a further standby is stopped, its control file is old": (
        {
            "mdw": unreachable(),
            "smdw": standby("smdw", {**CLOSED, "server.timeline": 2}),
            "sdw1": stopped_standby("sdw1", CLOSED),
        },
        DOWN,
        [("sdw1 is a standby whose server is stopped", "Bring it up as a running standby")],
    ),
    "host dead, a further standby's host is off": (
        {
            **pair(unreachable(), standby("smdw", {**CLOSED, **QUIET, "server.standbys": ["sdw1", "smdw"]})),
            "sdw1": unreachable(),
        },
        DOWN,
        [("sdw1 is not reachable by SSH (Connection timed out), and may hold WAL", "Bring it up")],
    ),
    "a third host stopped on a newer timeline": (
        {**pair(crashed()), "sdw1": stopped("sdw1", {"control.timeline": 2, **ended("in production")})},
        {},
        [("on a newer timeline (2) than smdw (1)", "Start it on sdw1 (systemctl start")],
    ),
    "the standby follows a standby": (
        {
            "mdw": unreachable(),
            "smdw": standby("smdw", {**NEWER, **CLOSED}),
            "sdw1": standby("sdw1", {**CLOSED, "server.timeline": 2}),
        },
        {"standby_host": "smdw", **DOWN},
        [("smdw follows sdw1, which is itself a running standby", "Bring the master's host up")],
    ),
    "standbys of different systems": (
        {**pair(crashed()), "sdw1": standby("sdw1", {"server.system_identifier": FOREIGN})},
        {},
        [("smdw and sdw1 are standbys of different systems", "-e standby_host=")],
    ),
    "host dead, its server answers a further standby": (
        {**pair(unreachable()), "sdw1": standby("sdw1")},
        DOWN,
        [("its server answers sdw1 at", "Mend the way")],
    ),
    "named host is no standby": (
        {**pair(crashed()), "sdw1": empty("sdw1")},
        {"standby_host": "sdw1"},
        [("sdw1 is without a data directory", "Correct the name, or leave it out: -e standby_host=")],
    ),
    "named host is unknown": (pair(crashed()), {"standby_host": "x"}, [("x is not in the group masters", "Correct")]),
    "follows somebody else": (
        pair(crashed(), standby("smdw", {"follows": {"host": "10.1.1.1", "port": 5432, "user": None}})),
        {},
        [("smdw follows 10.1.1.1:5432, which no host of the group masters is", "server_address")],
    ),
    "follows another port": (
        pair(crashed(), standby("smdw", {"follows": {"host": "mdw", "port": 5433, "user": None}})),
        {},
        [("smdw follows mdw:5433", "server_address")],
    ),
    "another system": (
        pair(crashed({"control.system_identifier": FOREIGN})),
        {},
        [("smdw is a standby of another system (identifier", "hawq.mirroring.state")],
    ),
}


@pytest.mark.parametrize(("hosts", "options", "expected"), PLANS.values(), ids=PLANS)
def test_failover_goes_on(hosts: Hosts, options: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    verdict = failover(hosts, options)
    assert [refusal.sentence() for refusal in verdict.refusals] == []
    assert shown(verdict.plan, expected) == expected


@pytest.mark.parametrize(("hosts", "options", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_failover_refuses(hosts: Hosts, options: dict[str, t.Any], expected: list[tuple[str, str]]) -> None:
    refusals = failover(hosts, options).refusals
    assert len(refusals) == len(expected), [refusal.sentence() for refusal in refusals]
    for refusal, (found, command) in zip(refusals, expected):
        assert found in refusal.found
        assert command in refusal.command
        assert refusal.why


EVERY = {**EVERY_KIND, "master": master_of_the_other}


@pytest.mark.parametrize(("first", "second"), list(itertools.product(EVERY, EVERY)))
def test_nothing_is_activated_beside_what_may_write(first: str, second: str) -> None:
    """Whatever the operator says: a living, silent or reachable-by-its-standby master is never overtaken."""
    hosts = {"mdw": EVERY[first]("mdw"), "smdw": EVERY[second]("smdw")}
    for options in ({}, DOWN, COMMAND, {**DOWN, **COMMAND, **LOSS}):
        verdict = failover(hosts, options)
        if verdict.refusals or not verdict.plan["activate"]:
            continue
        old, new = hosts[verdict.plan["old"]], hosts[verdict.plan["new"]]
        assert [first, second].count("master") == 0
        assert "silent" not in (first, second)
        assert topology.kind(new) in ("standby", "stopped standby")
        if topology.kind(old) == "unreachable":
            assert not new["probes"][verdict.plan["old"]]["answers"]
        if verdict.plan["fence"] == "operator's word":
            assert not new["probes"][verdict.plan["old"]]["open"]
            assert options["master_is_down"]
        else:
            assert verdict.plan["fence"] == "command" or topology.kind(old) != "unreachable"


def test_a_removed_standby_is_nobodys_former_master() -> None:
    """It neither takes over nor is fenced."""
    removed = stopped_standby("smdw", REMOVED)
    alive = failover({"mdw": master(), "smdw": removed}, {**DOWN, **LOSS})
    assert (alive.plan["activate"], alive.plan["old"]) == (False, None)
    lost = failover({"mdw": unreachable(), "smdw": removed}, {**DOWN, **LOSS})
    assert "removed by remove_standby" in lost.refusals[0].found


def test_the_evidence_tells_what_the_activation_will_end() -> None:
    blocker = {"pid": 4801, "user": "report", "name": "psql", "open_seconds": 180.0}
    blocked = {"server.replay_blocked": True, "server.blockers": [blocker]}
    told = failover(pair(crashed(), standby("smdw", blocked)), {}).plan["evidence"]
    assert any("the activation ends them: process 4801 (report, psql, open for 3 minutes)" in line for line in told)


@pytest.mark.parametrize("first", EVERY)
def test_three_hosts_of_any_kinds_are_judged(first: str) -> None:
    """No mixture makes the judgement stumble, and no refusal is without a command."""
    for second, third in itertools.product(EVERY, repeat=2):
        hosts = {"mdw": EVERY[first]("mdw"), "smdw": EVERY[second]("smdw"), "sdw1": EVERY[third]("sdw1")}
        for options in ({}, {**DOWN, **LOSS}, {"standby_host": "sdw1"}):
            verdict = failover(hosts, options)
            assert verdict.plan or verdict.refusals, (second, third, options)
            assert all(each.found and each.why and each.command for each in verdict.refusals)


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("/data/hawq/master/pg_hba.conf", False),
        ("/data/hawq/master/postgresql.conf", False),
        ("/data/hawq", False),
        ("/data/hawq/master", True),
        ("/data/hawq/master/standby.signal", True),
        ("/data/hawq/master/postgresql.auto.conf", True),
    ],
)
def test_a_takeover_is_refused_for_what_its_server_has_to_change(path: str, refused: bool) -> None:
    new = standby("smdw", {**CLOSED, "data_directory.unchangeable": path})
    verdict = failover(pair(unreachable("mdw"), new), DOWN)
    assert [row.kind for row in verdict.refusals] == (["read-only"] if refused else [])
