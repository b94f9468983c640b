# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a standby may have been cut off long before its master's host went down."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import staleness
from cases import Hosts, Options, Refusals, assert_refused, segment
from observations import CLOSED, Observation, crashed, empty, mute, standby, stopped_standby, unreachable

#: 2026-11-25 10:00:00 UTC
COMMIT = 1795600800.0
STALE = [
    ("standby-stale", "Bring the host of mdw up without its server, then: ansible-playbook hawq.mirroring.failover")
]


def parted(silent: float | None, commit: float | None = COMMIT, age: float | None = None) -> Observation:
    """Return a standby whose connection to its master has ended so many seconds ago, as far as its files tell."""
    return standby(
        "smdw",
        {
            **CLOSED,
            "server.receiver": None,
            "server.last_commit_at": commit,
            "server.replay_age_seconds": age,
            "wal_age_seconds": silent,
        },
    )


def said(age: float | None, **words: t.Any) -> Hosts:
    """Return a segment that has last heard of the master so many seconds ago, by its own clock."""
    return segment(age_seconds=age, **words)["witnesses"]


NOT_SYNCHRONIZED = {"summary_state": "Not Synchronized"}
TABLE: dict[str, tuple[Observation, Observation, Hosts, Options, Refusals]] = {
    "streams until now": (unreachable(), standby("smdw", CLOSED), {}, {}, []),
    "the host has just gone": (unreachable(), parted(20.0), {}, {}, []),
    "the link was cut a minute before, rows were written, power off (56)": (unreachable(), parted(75.0), {}, {}, STALE),
    "cut off for days": (unreachable(), parted(259200.0), {}, {}, STALE),
    "still connected, and silent": (
        unreachable(),
        standby("smdw", {**CLOSED, "server.receiver.silent_seconds": 90.0, "wal_age_seconds": 5.0}),
        {},
        {},
        STALE,
    ),
    "an idle master has just gone: WAL is old, the connection is not": (
        unreachable(),
        standby("smdw", {**CLOSED, "wal_age_seconds": 7200.0}),
        {},
        {},
        [],
    ),
    "nobody knows since when": (unreachable(), parted(None), {}, {}, STALE),
    "its host's clock was set back since": (unreachable(), parted(-1800.0), {}, {}, STALE),
    "its host's clock was set back while it was connected": (
        unreachable(),
        standby("smdw", {**CLOSED, "server.receiver.silent_seconds": -1800.0, "wal_age_seconds": 5.0}),
        {},
        {},
        STALE,
    ),
    "the operator reacts later": (unreachable(), parted(600.0), {}, {"stale_seconds": 900}, []),
    "the operator is sure at once": (unreachable(), parted(20.0), {}, {"stale_seconds": 10}, STALE),
    "its disk can be asked": (crashed(), parted(3600.0), {}, {}, []),
    "its data is gone": (empty("mdw"), parted(3600.0), {}, {}, STALE),
    "no session, its files are new": (unreachable(), mute("smdw", {"wal_age_seconds": 5.0}), {}, {}, []),
    "no session, its files are old": (unreachable(), mute("smdw", {"wal_age_seconds": 500.0}), {}, {}, STALE),
    "stopped for long": (unreachable(), stopped_standby("smdw", {"wal_age_seconds": 500.0}), {}, {}, STALE),
    "a segment reached the master until the end, and it had its standby in step": (
        unreachable(),
        parted(3600.0),
        said(3650.0),
        {},
        [],
    ),
    "a segment reached an idle master long after its last commit": (
        unreachable(),
        parted(7200.0),
        said(200.0),
        {},
        [],
    ),
    "a segment was cut off itself long before": (unreachable(), parted(3600.0), said(4200.0), {}, STALE),
    "it was cut off long before, and its clock is hours ahead": (
        unreachable(),
        parted(3600.0),
        said(4200.0, at=COMMIT + 14400),
        {},
        STALE,
    ),
    "it reached the master until the end, and its clock is hours behind": (
        unreachable(),
        parted(3600.0),
        said(3500.0, at=COMMIT - 14400),
        {},
        [],
    ),
    "its clock was set back since": (unreachable(), parted(3600.0), said(-5000.0), {}, STALE),
    "nobody knows how old its memory is": (unreachable(), parted(3600.0), said(None), {}, STALE),
    "a segment saw it without its standby": (
        unreachable(),
        parted(3600.0),
        said(3500.0, **NOT_SYNCHRONIZED),
        {},
        STALE,
    ),
    "a segment saw more WAL": (unreachable(), parted(3600.0), said(3500.0, lsn="0/4017F88"), {}, STALE),
    "a segment saw another master": (unreachable(), parted(3600.0), said(3500.0, master="sdw1"), {}, STALE),
    "a segment saw it, and nobody knows since when the standby has heard nothing": (
        unreachable(),
        parted(None),
        said(10.0),
        {},
        STALE,
    ),
}


@pytest.mark.parametrize(("mdw", "smdw", "witnesses", "options", "expected"), TABLE.values(), ids=TABLE)
def test_a_standby_is_believed_for_a_short_time_only(
    mdw: Observation, smdw: Observation, witnesses: Hosts, options: Options, expected: Refusals
) -> None:
    hosts = {"mdw": mdw, "smdw": smdw}
    refusals = staleness.refusals("mdw", "smdw", hosts, witnesses, t.cast(t.Any, options))
    assert_refused(refusals, expected)
    assert all("-e accept_data_loss=true" in refusal.command for refusal in refusals)


WORDS: dict[str, tuple[Observation, str]] = {
    "all is known": (
        parted(75.0, age=80.0),
        "last received WAL 75 seconds ago; its last commit is of 2026-11-25 10:00:00 UTC, 80 seconds ago",
    ),
    "no commit since its start": (parted(300.0, commit=None), "last received WAL 5 minutes ago"),
    "no session": (mute("smdw", {"wal_age_seconds": 172800.0}), "last received WAL 2 days ago"),
    "nothing is known": (mute("smdw", {"wal_age_seconds": None}), "when it last received WAL is not known"),
}


@pytest.mark.parametrize(("seen", "words"), WORDS.values(), ids=WORDS)
def test_how_current_it_is(seen: Observation, words: str) -> None:
    assert staleness.words(seen) == words
    (refusal,) = staleness.refusals("mdw", "smdw", {"mdw": unreachable(), "smdw": seen}, {}, {"stale_seconds": 1})
    assert refusal.found == f"smdw {words}, and mdw is not reachable by SSH (Connection timed out)"


def test_the_evidence_tells_it_where_nobody_can_fetch_what_is_missing() -> None:
    smdw = parted(20.0, commit=None)
    assert staleness.listed("mdw", "smdw", {"mdw": crashed(), "smdw": smdw}) == []
    told = ["smdw last received WAL 20 seconds ago"]
    assert staleness.listed("mdw", "smdw", {"mdw": unreachable(), "smdw": smdw}) == told
