# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host is, by its processes and files, who serves whom, and the state of mirroring."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import topology
from observations import (
    FILES,
    FOLLOWED,
    FORMER,
    Observation,
    empty,
    ended,
    frozen,
    master,
    mirrored,
    mute,
    sender,
    silent,
    slot,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

KINDS: dict[str, tuple[Observation, str, str, str | None, int | None]] = {
    "master": (master(), "master", "a master that accepts writes", "own", 1),
    "standby": (standby(), "standby", "a running standby", "own", 1),
    "standby, receiver down": (
        standby("smdw", {"server.timeline": None, "server.checkpoint_timeline": 2}),
        "standby",
        "a running standby",
        "own",
        2,
    ),
    "mute standby": (mute(), "standby", "a running standby", "own", 1),
    "fenced": (
        standby("smdw", FORMER),
        "standby",
        "a running standby, fenced",
        "own",
        1,
    ),
    "fenced before it followed": (standby("smdw", FOLLOWED), "standby", "a running standby", "own", 1),
    "stopped standby": (
        stopped_standby(),
        "stopped standby",
        "a standby whose server is stopped (shut down in recovery, timeline 1)",
        "own",
        1,
    ),
    "stopped standby that had followed to timeline 2": (
        stopped_standby("smdw", {"control.min_recovery_timeline": 2}),
        "stopped standby",
        "a standby whose server is stopped (shut down in recovery, timeline 1)",
        "own",
        2,
    ),
    "stopped": (stopped(), "stopped", "the data of a master whose server is stopped (shut down, timeline 1)", "own", 1),
    "stopped, no control file": (
        stopped("smdw", {"control": None}),
        "stopped",
        "the data of a master whose server is stopped",
        None,
        None,
    ),
    "silent": (silent(), "silent", "a server process that gives no session (no session: too many clients)", "own", 1),
    "frozen": (frozen(master()), "frozen", "a frozen server process", "own", 1),
    "frozen although a session was had": (
        master("mdw", {"process.frozen": True}),
        "frozen",
        "a frozen server process",
        "own",
        1,
    ),
    "missing directory": (empty(), "empty", "without a data directory", None, None),
    "empty directory": (
        empty("smdw", {"data_directory.state": "empty"}),
        "empty",
        "without a data directory",
        None,
        None,
    ),
    "other": (empty("smdw", FILES), "other", "a directory with files that are not a server's", None, None),
    "unreachable": (unreachable("no route"), "unreachable", "not reachable by SSH (no route)", None, None),
    "unreachable, no reason": (unreachable(""), "unreachable", "not reachable by SSH (no answer)", None, None),
}


@pytest.mark.parametrize(("seen", "kind", "words", "identifier", "timeline"), KINDS.values(), ids=KINDS)
def test_kind(seen: Observation, kind: str, words: str, identifier: str | None, timeline: int | None) -> None:
    assert topology.kind(seen) == kind
    assert topology.describe(seen) == words
    assert (topology.system_identifier(seen) is None) == (identifier is None)
    assert topology.timeline(seen) == timeline


def test_every_kind_is_in_the_table() -> None:
    assert {row[1] for row in KINDS.values()} == set(topology._DESCRIPTIONS)


SENDERS: dict[str, tuple[dict[str, t.Any], int | None]] = {
    "its slot's": ({}, 4711),
    "other slot": ({"server.slots": [slot("other")]}, None),
    "inactive": ({"server.slots": [slot(active=False, active_pid=None)]}, None),
    "gone meanwhile": ({"server.senders": [sender(12)]}, None),
    "no slot": ({"server.slots": []}, None),
}


@pytest.mark.parametrize(("overrides", "pid"), SENDERS.values(), ids=SENDERS)
def test_sender_of(overrides: dict[str, t.Any], pid: int | None) -> None:
    found = topology.sender_of(mirrored("mdw", overrides), "hawq_mirroring_smdw")
    assert (found or {}).get("pid") == pid


MIRRORING: dict[str, tuple[Observation, str, str | None]] = {
    "not configured": (master(), "Not Configured", None),
    "as the view says": (mirrored(), "Synchronized", None),
    "no view": (mirrored("mdw", {"server.mirroring": None}), "Not Synchronized", "gp_master_mirroring is missing"),
}


@pytest.mark.parametrize(("seen", "summary", "message"), MIRRORING.values(), ids=MIRRORING)
def test_mirroring(seen: Observation, summary: str, message: str | None) -> None:
    row = topology.mirroring(seen)
    assert set(row) == {"summary_state", "detail_state", "since", "error_message"}
    assert row["summary_state"] == summary
    assert (message or "") in (row["error_message"] or "")
    assert (message is None) == (row["error_message"] is None)


@pytest.mark.parametrize("state", ["shut down", "in production"])
def test_a_former_master_with_standby_signal_is_no_standby(state: str) -> None:
    seen = stopped("smdw", {"data_directory.marked_standby": True, **ended(state)})
    assert topology.kind(seen) == "stopped"


COPY = {"data_directory.marked_standby": True, "data_directory.unstarted_copy": True}


def test_a_copy_that_was_never_started_is_a_standby() -> None:
    seen = stopped("smdw", {**COPY, **ended("in production")})
    assert topology.kind(seen) == "stopped standby"


#: the record does not say on which timeline the data was fenced
NO_TIMELINE = {"data_directory.fenced": True, "data_directory.fence_timeline": None}
CUT_OFF = {"server.receiver": None}
FENCED: dict[str, tuple[Observation, bool, bool]] = {
    "no record": (standby(), False, True),
    "a former master that was booted": (standby("smdw", FORMER), True, False),
    "it has followed since (58)": (standby("smdw", FOLLOWED), False, True),
    "it has followed since, its master is gone": (standby("smdw", {**FOLLOWED, **CUT_OFF}), False, True),
    "it has followed since, no session": (mute("smdw", FOLLOWED), False, True),
    "it has followed since, stopped": (stopped_standby("smdw", FOLLOWED), False, True),
    "stopped, and only its recovery point is on the new timeline": (
        stopped_standby("smdw", {**FORMER, "control.min_recovery_timeline": 2}),
        False,
        True,
    ),
    "a former master": (stopped("smdw", FOLLOWED), True, False),
    "a former master that was promoted again": (stopped("smdw", {**FORMER, "control.timeline": 2}), True, False),
    "a rewind, never started since": (
        stopped_standby("smdw", {**FOLLOWED, "data_directory.unstarted_copy": True}),
        True,
        False,
    ),
    "a rewind, left half-way": (stopped_standby("smdw", {**FOLLOWED, "data_directory.unfinished": True}), True, False),
    "removed": (stopped_standby("smdw", {**FOLLOWED, "data_directory.removed": True}), True, False),
    "frozen": (frozen(standby("smdw", FOLLOWED)), True, False),
    "no timeline, it streams": (standby("smdw", NO_TIMELINE), False, True),
    "no timeline, it does not stream": (standby("smdw", {**NO_TIMELINE, **CUT_OFF}), True, False),
    "no timeline, no session": (mute("smdw", NO_TIMELINE), True, False),
    "no timeline, stopped": (stopped_standby("smdw", NO_TIMELINE), True, False),
    "not fenced, and left half-way": (stopped_standby("smdw", {"data_directory.unfinished": True}), False, False),
}


@pytest.mark.parametrize(("seen", "fenced", "may_take_over"), FENCED.values(), ids=FENCED)
def test_a_fence_holds_until_the_data_has_followed(seen: Observation, fenced: bool, may_take_over: bool) -> None:
    assert topology.is_fenced(seen) is fenced
    assert topology.may_take_over(seen) is may_take_over


ON_2 = {"control.timeline": 2}
NEWEST: dict[str, tuple[dict[str, Observation], list[str]]] = {
    "both stopped, the standby's host was the master (A16)": (
        {"mdw": stopped("mdw"), "smdw": stopped("smdw", ON_2)},
        ["smdw", "mdw"],
    ),
    "both stopped, just promoted: only the history tells": (
        {"mdw": stopped("mdw"), "smdw": stopped("smdw", {"histories": {"2": [[1, "0/3017F88"]]}})},
        ["smdw", "mdw"],
    ),
    "one timeline, the LSN tells": (
        {"mdw": stopped("mdw"), "smdw": stopped("smdw", {"control.checkpoint_lsn": "0/4000000"})},
        ["smdw", "mdw"],
    ),
    "the timeline before the LSN": (
        {"mdw": stopped("mdw", {"control.checkpoint_lsn": "0/9000000"}), "smdw": stopped("smdw", ON_2)},
        ["smdw", "mdw"],
    ),
    "a standby that runs, with and without a session": (
        {"mdw": stopped("mdw"), "smdw": standby("smdw", {"server.have_lsn": "0/5000000"}), "sdw1": mute("sdw1")},
        ["smdw", "sdw1", "mdw"],
    ),
    "a master": ({"mdw": stopped("mdw"), "smdw": master("smdw", {"server.current_lsn": "0/5000000"})}, ["smdw", "mdw"]),
    "no control file": ({"mdw": stopped("mdw", {"control": None}), "smdw": stopped()}, ["smdw", "mdw"]),
    "those that are alike stay in their order": ({"mdw": stopped("mdw"), "smdw": stopped()}, ["mdw", "smdw"]),
    "nothing there, or not seen": ({"mdw": empty("mdw"), "smdw": unreachable(), "sdw1": empty("sdw1", FILES)}, []),
}


@pytest.mark.parametrize(("hosts", "names"), NEWEST.values(), ids=NEWEST)
def test_who_holds_the_newest_history(hosts: dict[str, Observation], names: list[str]) -> None:
    assert topology.newest(hosts) == names
