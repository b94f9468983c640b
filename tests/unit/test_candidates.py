# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which standby takes over, and what the other hosts of the group say against it."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import candidates
from cases import QUIET, Hosts, Options, Refusals, assert_refused, segment
from observations import (
    CLOSED,
    FOLLOWED,
    FOREIGN,
    REMOVED,
    Observation,
    crashed,
    empty,
    frozen,
    mute,
    silent,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

OPTIONS: Options = {"standby_host": None, "accept_data_loss": False, "master_is_down": False}
FENCED = {"data_directory.fenced": True, "data_directory.fence_timeline": 1}
LOSS, DOWN = {"accept_data_loss": True}, {"master_is_down": True}
AHEAD = {"server.have_lsn": "0/4017F88"}


def standbys(smdw: Observation, sdw1: Observation) -> Hosts:
    return {"mdw": crashed(), "smdw": smdw, "sdw1": sdw1}


PLACES: dict[str, tuple[Observation, tuple[int, int]]] = {
    "running": (standby("smdw", AHEAD), (1, 0x4017F88)),
    "no session, its files tell": (mute("smdw", {"wal_end": "0/4017F88"}), (1, 0x4017F88)),
    "no session, its files cannot be read": (mute("smdw", {"wal_end": None}), (1, 0x3017F88)),
    "stopped": (stopped_standby("smdw", {"control.min_recovery_timeline": 2}), (2, 0x3017F88)),
    "not known": (stopped_standby("smdw", {"control": None}), (0, 0)),
}


@pytest.mark.parametrize(("seen", "place"), PLACES.values(), ids=PLACES)
def test_how_far_a_standby_is(seen: Observation, place: tuple[int, int]) -> None:
    assert candidates.place(seen) == place


CHOSEN: dict[str, tuple[Hosts, Options, str]] = {
    "the only one": ({"mdw": crashed(), "smdw": standby()}, {}, "smdw"),
    "the only one, stopped": ({"mdw": crashed(), "smdw": stopped_standby()}, {}, "smdw"),
    "the one that is ahead": (standbys(standby(), standby("sdw1", AHEAD)), {}, "sdw1"),
    "the one on the newer timeline, whatever the LSN": (
        standbys(standby("smdw", {"server.timeline": 2}), standby("sdw1", AHEAD)),
        {},
        "smdw",
    ),
    "of two that are equal the one that runs": (standbys(stopped_standby(), standby("sdw1")), {}, "sdw1"),
    "of two that are equal the one that is named": (
        standbys(standby(), standby("sdw1")),
        {"standby_host": "sdw1"},
        "sdw1",
    ),
    "the only one, which gives no session (55)": ({"mdw": crashed(), "smdw": mute()}, {}, "smdw"),
    "the one that is ahead, which gives no session": (
        standbys(standby(), mute("sdw1", {"wal_end": "0/4017F88"})),
        {},
        "sdw1",
    ),
    "of two that are equal the one that gives sessions": (standbys(mute(), standby("sdw1")), {}, "sdw1"),
    "one whose fence is obsolete (58)": ({"mdw": crashed(), "smdw": standby("smdw", FOLLOWED)}, {}, "smdw"),
    "the other one is left half-way": (
        standbys(stopped_standby("smdw", {"data_directory.unfinished": True}), standby("sdw1")),
        {},
        "sdw1",
    ),
    "the other one is fenced": (standbys(standby(), standby("sdw1", FENCED)), {}, "smdw"),
    "the named one of different systems": (
        standbys(standby(), standby("sdw1", {"server.system_identifier": FOREIGN})),
        {"standby_host": "smdw"},
        "smdw",
    ),
    "the named one, which is behind, and the loss is accepted": (
        standbys(standby(), standby("sdw1", AHEAD)),
        {"standby_host": "smdw", **LOSS},
        "smdw",
    ),
}


@pytest.mark.parametrize(("hosts", "options", "name"), CHOSEN.values(), ids=CHOSEN)
def test_a_standby_is_chosen(hosts: Hosts, options: Options, name: str) -> None:
    assert candidates.choose(hosts, {**OPTIONS, **options}) == (name, [])


NOBODY: dict[str, tuple[Hosts, Options, Refusals]] = {
    "the named one is in no inventory": (
        {"mdw": crashed(), "smdw": standby()},
        {"standby_host": "x"},
        [("not-a-standby", "Correct the name, or leave it out: -e standby_host=")],
    ),
    "the named one holds nothing": (
        standbys(standby(), empty("sdw1")),
        {"standby_host": "sdw1"},
        [("not-a-standby", "Correct the name, or leave it out: -e standby_host=")],
    ),
    "the named one cannot be looked at": (
        standbys(standby(), unreachable()),
        {"standby_host": "sdw1"},
        [("not-a-standby", "Bring it up, then run this again, or name another")],
    ),
    "there is none": ({"mdw": empty("mdw"), "smdw": empty()}, {}, [("no-standby", "Bring the standby's host up")]),
    "there is none, and the master is stopped": (
        {"mdw": crashed(), "smdw": empty()},
        {},
        [("no-standby", "Start the master again (systemctl start hawq-master.service on mdw; if")],
    ),
    "both are stopped, the standby's host was the master (A16)": (
        {"mdw": stopped("mdw"), "smdw": stopped("smdw", {"control.timeline": 2})},
        {},
        [
            (
                "no-standby",
                "Start the master again (systemctl start hawq-master.service on smdw, whose timeline 2 is the newest;",
            )
        ],
    ),
    "both are stopped, and the newest is fenced by a killed run": (
        {"mdw": stopped("mdw"), "smdw": stopped("smdw", {"control.timeline": 2, **FENCED})},
        {},
        [("no-standby", "certain that nobody took over, go back to smdw: rm /data/hawq/master/standby.signal")],
    ),
    "the only one is fenced, and the record does not say since when": (
        {"mdw": unreachable(), "smdw": mute("smdw", {"data_directory.fenced": True})},
        {},
        [("no-standby", "if smdw has followed the last master since it was fenced: rm /data/hawq/master/hawq")],
    ),
    "the only one is fenced, and is ahead of the stopped master, which was set back": (
        {
            "mdw": stopped("mdw"),
            "smdw": standby("smdw", {"data_directory.fenced": True, "server.receiver": None, **AHEAD}),
        },
        {},
        [("no-standby", "hawq_mirroring.fence on smdw, then run this again, or start the master again")],
    ),
    "the only one gives no session and may be a master": (
        {"mdw": empty("mdw"), "smdw": silent()},
        {},
        [("no-standby", "or restart it (systemctl restart hawq-master.service), then run this again")],
    ),
    "the only one is frozen": (
        {"mdw": empty("mdw"), "smdw": frozen(standby())},
        {},
        [("no-standby", "let it go on there (kill -CONT 104 $(pgrep -P 104))")],
    ),
    "the only one is frozen, and another host is off": (
        {"mdw": unreachable(), "smdw": frozen(standby())},
        {},
        [("no-standby", "Bring mdw up, then run this again")],
    ),
    "they are of different systems": (
        standbys(standby(), standby("sdw1", {"server.system_identifier": FOREIGN})),
        {},
        [("different-systems", "-e standby_host=")],
    ),
    "the named one is behind": (
        standbys(standby(), standby("sdw1", AHEAD)),
        {"standby_host": "smdw"},
        [("behind-another", "Name sdw1: -e standby_host=sdw1. Or accept the loss: -e accept_data_loss=true")],
    ),
}


@pytest.mark.parametrize(("hosts", "options", "expected"), NOBODY.values(), ids=NOBODY)
def test_no_standby_is_chosen(hosts: Hosts, options: Options, expected: Refusals) -> None:
    name, refusals = candidates.choose(hosts, {**OPTIONS, **options})
    assert name is None
    assert_refused(refusals, expected)


SUCCESSOR = {"data_directory.fenced": True, "data_directory.fence_reason": "sdw1 took over as master"}
SWAPPED = {**SUCCESSOR, "data_directory.fence_reason": "switchover to sdw1"}
STRANGER = {**SUCCESSOR, "data_directory.fence_reason": "sdw2 took over as master"}
ADDRESS = {"address": "10.9.0.100/24", "here": False, "taken": True}
NEWER = {"control.timeline": 2}
REGISTERED = {"server.standbys": ["sdw1", "smdw"]}
TOOK_OVER = [("another-took-over", "Bring it up, then run this again. If it is off")]
UNCOMPARED = [("not-compared", "the one that is ahead takes over. Or accept the loss: -e accept_data_loss=true")]


def beside(mdw: Observation, sdw1: Observation, smdw: Observation | None = None) -> Hosts:
    """A master that is lost, its standby that sees neither, and a third host."""
    return {"mdw": mdw, "smdw": smdw or standby("smdw", {**CLOSED, **QUIET}), "sdw1": sdw1}


AGAINST: dict[str, tuple[Hosts, Hosts, Options, Refusals]] = {
    "there is no third host": ({"mdw": crashed(), "smdw": standby()}, {}, {}, []),
    "the old master is a standby": (
        {"mdw": standby("mdw"), "smdw": standby()},
        {},
        {},
        [("follows-a-standby", "Bring the master's host up, then run this again")],
    ),
    "the old master is a standby, and the loss is accepted": (
        {"mdw": standby("mdw"), "smdw": standby()},
        {},
        LOSS,
        [],
    ),
    "the old master was fenced and booted": (
        {"mdw": standby("mdw", FENCED), "smdw": standby()},
        {},
        {},
        [],
    ),
    "a running standby": (beside(unreachable(), standby("sdw1")), {}, {}, []),
    "the old master's data was left half-way on its way to be another one's standby": (
        {"mdw": stopped_standby("mdw", {"data_directory.unfinished": True}), "smdw": standby()},
        {},
        {},
        [("follows-a-standby", "Bring the master's host up, then run this again")],
    ),
    "the old master has become a standby since it was fenced": (
        {"mdw": standby("mdw", FOLLOWED), "smdw": standby()},
        {},
        {},
        [("follows-a-standby", "Bring the master's host up, then run this again")],
    ),
    "a standby that gives no session, its files have no more": (beside(unreachable(), mute("sdw1")), {}, {}, []),
    "a standby that gives no session, its files have more": (
        beside(unreachable(), mute("sdw1", {"wal_end": "0/4017F88"})),
        {},
        {},
        UNCOMPARED,
    ),
    "a standby that gives no session, it has the history of a newer timeline": (
        beside(unreachable(), mute("sdw1", {"histories": {"2": [[1, "0/3017F88"]]}})),
        {},
        {},
        UNCOMPARED,
    ),
    "a standby that gives no session, its files cannot be read": (
        beside(unreachable(), mute("sdw1", {"wal_end": None})),
        {},
        {},
        UNCOMPARED,
    ),
    "a standby that gives no session is to take over, and a further one has no more": (
        beside(unreachable(), mute("sdw1"), mute("smdw", {**CLOSED, **QUIET})),
        {},
        {},
        [],
    ),
    "a running standby on a newer timeline": (
        beside(crashed(), standby("sdw1", {"server.timeline": 2})),
        {},
        {},
        [],
    ),
    "data of another system": (
        beside(unreachable(), stopped("sdw1", {**NEWER, "control.system_identifier": FOREIGN})),
        {},
        {},
        [],
    ),
    "a standby that was removed": (beside(unreachable(), stopped_standby("sdw1", REMOVED)), {}, {}, []),
    "a former master": (beside(unreachable(), stopped("sdw1")), {}, {}, []),
    "a master that has stopped on a newer timeline": (
        beside(crashed(), stopped("sdw1", NEWER)),
        {},
        {},
        [("newer-timeline", "Start it on sdw1 (systemctl start hawq-master.service")],
    ),
    "a master that has stopped on a newer timeline, and the loss is accepted": (
        beside(crashed(), stopped("sdw1", NEWER)),
        {},
        LOSS,
        [],
    ),
    "a stopped standby": (beside(unreachable(), stopped_standby("sdw1")), {}, {}, UNCOMPARED),
    "a frozen standby": (beside(unreachable(), frozen(standby("sdw1"))), {}, {}, UNCOMPARED),
    "a server without sessions": (beside(unreachable(), silent("sdw1")), {}, {}, UNCOMPARED),
    "a stopped standby, and the loss is accepted": (beside(unreachable(), stopped_standby("sdw1")), {}, LOSS, []),
    "a stopped standby that is fenced": (
        beside(unreachable(), stopped_standby("sdw1", FENCED)),
        {},
        {},
        [],
    ),
    "a stopped standby, and the old master's disk can be asked": (
        beside(crashed(), stopped_standby("sdw1")),
        {},
        {},
        [],
    ),
    "out of reach, nothing is known of it": (beside(crashed(), unreachable()), {}, {}, []),
    "out of reach, and its server answers the standby": (
        beside(crashed(), unreachable(), standby("smdw", CLOSED)),
        {},
        {},
        [("master-alive", "Mend the way from here to sdw1, or stop the server there")],
    ),
    "out of reach, and its server answers a segment": (
        beside(crashed(), unreachable()),
        {"sdw2": empty("sdw2")},
        {**DOWN, **LOSS},
        [("master-alive", "Mend the way from here to sdw1, or stop the server there")],
    ),
    "out of reach, and somebody has the address": (
        beside(crashed(), unreachable(), standby("smdw", {**QUIET, "virtual_ip": ADDRESS})),
        {},
        {},
        [("address-taken", "Switch sdw1 off, or mend the way to it")],
    ),
    "out of reach, and the old master still has the address": (
        beside(
            crashed({"virtual_ip": {**ADDRESS, "here": True, "taken": None}}),
            unreachable(),
            standby("smdw", {**QUIET, "virtual_ip": ADDRESS}),
        ),
        {},
        {},
        [],
    ),
    "out of reach, and the old master, which may have the address, too": (
        beside(unreachable(), unreachable(), standby("smdw", {**QUIET, "virtual_ip": ADDRESS})),
        {},
        {},
        [],
    ),
    "out of reach, and a fence says that it took over": (
        beside(crashed(SUCCESSOR), unreachable()),
        {},
        {},
        TOOK_OVER,
    ),
    "out of reach, and a fence says that the swap was to it": (
        beside(crashed(SWAPPED), unreachable()),
        {},
        {},
        TOOK_OVER,
    ),
    "out of reach, and a fence says that somebody else took over": (
        beside(crashed(STRANGER), unreachable()),
        {},
        {},
        [],
    ),
    "out of reach, and a segment has seen it as a later master": (
        beside(crashed(), unreachable()),
        segment("sdw2", master="sdw1", timeline=2)["witnesses"],
        {},
        TOOK_OVER,
    ),
    "out of reach, and a segment has seen it as an earlier master": (
        beside(crashed(), unreachable()),
        segment("sdw2", master="sdw1", timeline=1)["witnesses"],
        {},
        [],
    ),
    "out of reach, it took over, and only one word is given": (
        beside(crashed(SUCCESSOR), unreachable()),
        {},
        LOSS,
        TOOK_OVER,
    ),
    "out of reach, it took over, and both words are given": (
        beside(crashed(SUCCESSOR), unreachable()),
        {},
        {**DOWN, **LOSS},
        [],
    ),
    "a registered standby out of reach": (
        beside(unreachable(), unreachable(), standby("smdw", {**CLOSED, **QUIET, **REGISTERED})),
        {},
        {},
        UNCOMPARED,
    ),
    "a registered standby out of reach, and the old master's disk can be asked": (
        beside(crashed(), unreachable(), standby("smdw", {**QUIET, **REGISTERED})),
        {},
        {},
        [],
    ),
    "a registered standby out of reach, and the loss is accepted": (
        beside(unreachable(), unreachable(), standby("smdw", {**CLOSED, **QUIET, **REGISTERED})),
        {},
        LOSS,
        [],
    ),
    "out of reach, and the standby cannot say who is registered": (
        beside(unreachable(), unreachable(), stopped_standby("smdw", {**CLOSED, **QUIET})),
        {},
        {},
        UNCOMPARED,
    ),
    "out of reach, and registered nowhere": (beside(unreachable(), unreachable()), {}, {}, []),
}


@pytest.mark.parametrize(("hosts", "witnesses", "options", "expected"), AGAINST.values(), ids=AGAINST)
def test_what_third_hosts_say_against_it(hosts: Hosts, witnesses: Hosts, options: Options, expected: Refusals) -> None:
    onlookers = {"smdw": hosts["smdw"], **witnesses}
    assert_refused(candidates.against(hosts, onlookers, "mdw", "smdw", {**OPTIONS, **options}), expected)
