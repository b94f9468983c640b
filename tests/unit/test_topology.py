# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host is, by its processes and files, who serves whom, and the state of mirroring."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import topology
from observations import (
    FILES,
    Observation,
    empty,
    ended,
    frozen,
    master,
    mirrored,
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
    "missing directory": (empty(), "empty", "no data directory", None, None),
    "empty directory": (empty("smdw", {"data_directory.state": "empty"}), "empty", "no data directory", None, None),
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
