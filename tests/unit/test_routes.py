# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which routes of a resynchronisation are possible, and why one is not."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync import routes
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync.case import ROUTES, Case
from cases import DIVERGED, FORK, PARTED, activated, case, divergence
from observations import (
    FILES,
    FORMER,
    OWN,
    REMOVED,
    VERSION,
    control,
    directory,
    empty,
    frozen,
    master,
    mirrored,
    sender,
    slot,
    standby,
    stopped,
    stopped_standby,
)

SPACE = {"server.tablespaces": [{"name": "ts", "location": "/ts"}]}
OFF = "it is a standby whose server is stopped (shut down in recovery, timeline 1)"
HALF_WAY = {"data_directory.unfinished": True}
LEFT = "an earlier run has left it half-way"
NOTHING = "there is no data directory"
LOST = {"server.slots": [slot(active=False, active_pid=None, lost=True, wal="lost")]}
LOST_SLOT = "the WAL that it needs is gone from the master (slot hawq_mirroring_smdw is lost)"
RECYCLED = {"server.oldest_wal": "0/5000000"}
BARE = {"control.can_rewind": False}
GREENPLUM, HAWQ = {"engine": "greenplum6"}, {"engine": "hawq2"}
SNAPSHOT = {"snapshot.phase": "copying", "snapshot.copied": True, "snapshot.request": {"system_identifier": OWN}}
FORMER_MASTER = stopped("smdw", FORMER)
TORN = divergence(damage="torn")
AHEAD = {"control.min_recovery_lsn": "0/3027F88"}


def mirroring(summary: str, detail: str | None = None) -> dict[str, t.Any]:
    return {"server.mirroring": {**mirrored()["server"]["mirroring"], "summary_state": summary, "detail_state": detail}}


#: route, case, why it is not possible (empty: it is)
REASONS: dict[str, tuple[str, Case, str]] = {
    "none: synchronised": ("none", case(standby(), mirrored()), ""),
    "none: stopped": ("none", case(stopped_standby(), mirrored()), OFF),
    "none: nothing there": ("none", case(empty(), master()), NOTHING),
    "none: not registered": (
        "none",
        case(standby(), mirrored("mdw", {"server.standbys": []})),
        "it is not registered with the master",
    ),
    "none: not synchronised": (
        "none",
        case(standby(), mirrored("mdw", mirroring("Synchronizing"))),
        "mirroring is Synchronizing",
    ),
    "none: not synchronised, with a reason": (
        "none",
        case(standby(), mirrored("mdw", mirroring("Not Synchronized", "Connection error"))),
        "mirroring is Not Synchronized (Connection error)",
    ),
    "none: nobody sends": (
        "none",
        case(standby(), mirrored("mdw", {"server.senders": []})),
        "the master sends it no WAL",
    ),
    "none: somebody else is sent to": (
        "none",
        case(standby(), mirrored("mdw", {"server.senders": [sender(12)]})),
        "the master sends it no WAL",
    ),
    "none: paused": ("none", case(standby("smdw", {"server.replay_paused": True}), mirrored()), "its replay is paused"),
    "start: stopped": ("start", case(stopped_standby(), mirrored()), ""),
    "start: frozen": ("start", case(frozen(standby()), mirrored()), ""),
    "start: a removed standby": ("start", case(stopped_standby("smdw", REMOVED), master(), fork=PARTED), ""),
    "start: it was a master": ("start", case(FORMER_MASTER, activated(), fork=PARTED), "it was a master"),
    "start: it was a master, and is booted as a standby": (
        "start",
        case(stopped_standby("smdw", {"data_directory.fenced": True}), activated(), fork=PARTED),
        "it was a master",
    ),
    "start: it was a master, and has followed since": (
        "start",
        case(stopped_standby("smdw", {"data_directory.fenced": True}), mirrored()),
        "",
    ),
    "start: nothing there": ("start", case(empty(), master()), NOTHING),
    "start: left half-way": ("start", case(stopped_standby("smdw", HALF_WAY), mirrored()), LEFT),
    "start: a former master left half-way": (
        "start",
        case(stopped("smdw", {**FORMER, **HALF_WAY}), activated(), fork=PARTED),
        LEFT,
    ),
    "start: up to the fork": ("start", case(stopped_standby(), activated(), fork=PARTED), ""),
    "start: beyond the fork": (
        "start",
        case(stopped_standby("smdw", AHEAD), activated(), fork=PARTED),
        f"it has WAL up to 0/3027F88, and the master's history leaves its own at {FORK}",
    ),
    "start: beyond the fork, as its WAL shows": (
        "start",
        case(stopped_standby(), activated(), fork=PARTED, found=DIVERGED),
        f"it has 64 kB of WAL beyond {FORK}, where the master's begins",
    ),
    "start: slot lost": ("start", case(stopped_standby(), mirrored("mdw", LOST)), LOST_SLOT),
    "start: WAL recycled": (
        "start",
        case(stopped_standby(), mirrored("mdw", RECYCLED)),
        "it needs WAL from 0/3017F88 on, and the master has it from 0/5000000 on",
    ),
    "start: control file gone": (
        "start",
        case(stopped_standby("smdw", {"control": None}), mirrored()),
        "it cannot be said what WAL it needs",
    ),
    "follow: not compared yet": ("follow", case(FORMER_MASTER, activated(), fork=PARTED), ""),
    "follow: nothing of its own": ("follow", case(FORMER_MASTER, activated(), fork=PARTED, found=divergence()), ""),
    "follow: a standby": ("follow", case(stopped_standby(), mirrored()), "it was no master"),
    "follow: nothing there": ("follow", case(empty(), master()), NOTHING),
    "follow: on the master's timeline": (
        "follow",
        case(FORMER_MASTER, mirrored()),
        "it was a master on the timeline that the master is on, or its history cannot be read",
    ),
    "follow: damaged": (
        "follow",
        case(FORMER_MASTER, activated(), fork=PARTED, found=TORN),
        f"its WAL can be read up to {FORK} only (torn)",
    ),
    "follow: diverged": (
        "follow",
        case(FORMER_MASTER, activated(), fork=PARTED, found=DIVERGED),
        f"it has 64 kB of WAL beyond {FORK}, where the master's begins",
    ),
    "follow: slot lost": (
        "follow",
        case(FORMER_MASTER, activated(LOST), fork=PARTED, found=divergence()),
        LOST_SLOT,
    ),
    "follow: WAL recycled": (
        "follow",
        case(FORMER_MASTER, activated(RECYCLED), fork=PARTED, found=divergence()),
        f"it needs WAL from {FORK} on, and the master has it from 0/5000000 on",
    ),
    "rewind: not compared yet": ("rewind", case(FORMER_MASTER, activated(), fork=PARTED), ""),
    "rewind: diverged": ("rewind", case(FORMER_MASTER, activated(), fork=PARTED, found=DIVERGED), ""),
    "rewind: left half-way": ("rewind", case(stopped("smdw", HALF_WAY), activated(), fork=PARTED), LEFT),
    "rewind: nothing there": ("rewind", case(empty(), master()), NOTHING),
    "rewind: one history": (
        "rewind",
        case(FORMER_MASTER, mirrored()),
        "its history does not part from the master's, or cannot be read",
    ),
    "rewind: neither checksums nor hints": (
        "rewind",
        case(stopped("smdw", BARE), activated(), fork=PARTED),
        "neither data checksums nor wal_log_hints are on",
    ),
    "rewind: an engine that has none": (
        "rewind",
        case(FORMER_MASTER, mirrored("mdw", HAWQ)),
        "HAWQ has no means of rewinding",
    ),
    "rewind: a tablespace was made since": (
        "rewind",
        case(stopped("smdw", {"directories": [directory("/ts")]}), activated(SPACE), fork=PARTED),
        "/ts, where a tablespace of the master is, has none there",
    ),
    "rewind: the tablespace is there": (
        "rewind",
        case(stopped("smdw", {"directories": [directory("/ts", VERSION)]}), activated(SPACE), fork=PARTED),
        "",
    ),
    "rewind: damaged": (
        "rewind",
        case(FORMER_MASTER, activated(), fork=PARTED, found=TORN),
        f"its WAL can be read up to {FORK} only (torn)",
    ),
    "rewind: nothing of its own": (
        "rewind",
        case(FORMER_MASTER, activated(), fork=PARTED, found=divergence()),
        "it has nothing of its own that would have to be taken back",
    ),
    "rewind: WAL recycled": (
        "rewind",
        case(FORMER_MASTER, activated(RECYCLED), fork=PARTED, found=DIVERGED),
        "it needs WAL from 0/300FFC8 on, and the master has it from 0/5000000 on",
    ),
    "rewind: its own WAL is gone": (
        "rewind",
        case(FORMER_MASTER, activated(), fork=PARTED, found={**DIVERGED, "missing": ["000000010000000000000004"]}),
        "000000010000000000000004 is missing there, which only it had",
    ),
    "rewind: older WAL is gone, which the master has": (
        "rewind",
        case(FORMER_MASTER, activated(), fork=PARTED, found={**DIVERGED, "missing": ["000000010000000000000002"]}),
        "",
    ),
    "delta: diverged": ("delta", case(FORMER_MASTER, activated(), fork=PARTED, found=DIVERGED), ""),
    "delta: a standby whose slot is lost": ("delta", case(stopped_standby(), mirrored("mdw", LOST)), ""),
    "delta: left half-way, whatever else": (
        "delta",
        case(stopped("smdw", HALF_WAY), activated(), fork=PARTED, found=TORN),
        "",
    ),
    "delta: discard, whatever else": (
        "delta",
        case(stopped("smdw"), mirrored(), options={"existing_data": "discard"}),
        "",
    ),
    "delta: an engine that has none": (
        "delta",
        case(stopped_standby(), mirrored("mdw", GREENPLUM)),
        "Greenplum has no means of comparing a directory with its master",
    ),
    "delta: nothing there": ("delta", case(empty(), master()), NOTHING),
    "delta: somebody else's files": (
        "delta",
        case(empty("smdw", FILES), master()),
        "it is a directory with files that are not a server's",
    ),
    "delta: control file gone": (
        "delta",
        case(stopped_standby("smdw", {"control": None}), mirrored()),
        "its control file cannot be read",
    ),
    "delta: keep": (
        "delta",
        case(stopped_standby(), mirrored(), options={"existing_data": "keep"}),
        "the old data would not be kept (existing_data=keep)",
    ),
    "delta: a snapshot is under way": (
        "delta",
        case(stopped_standby("smdw", SNAPSHOT), mirrored()),
        "a snapshot is under way",
    ),
    "delta: histories not known": (
        "delta",
        case(stopped_standby(), mirrored(), history_known=False),
        "its history cannot be read, and so what only it has cannot be told",
    ),
    "delta: a master on the master's timeline": (
        "delta",
        case(stopped("smdw", {"control": control("in production")}), mirrored()),
        "it was a master on the timeline that the master is on, and what only it has cannot be told",
    ),
    "delta: damaged": (
        "delta",
        case(FORMER_MASTER, activated(), fork=PARTED, found=TORN),
        f"what only it has cannot be read beyond {FORK} (torn)",
    ),
    "snapshot: always": ("snapshot", case(stopped("smdw", HALF_WAY), mirrored("mdw", LOST)), ""),
    "snapshot: an engine that cannot": (
        "snapshot",
        case(empty(), master("mdw", HAWQ)),
        "its files may only be copied with the master stopped, and this collection does not interrupt your users so"
        " long",
    ),
    "failed in this run": (
        "start",
        case(stopped_standby(), mirrored(), failed={"start": "not done after 60 s"}),
        "not done after 60 s",
    ),
    "another one has failed in this run": (
        "start",
        case(stopped_standby(), mirrored(), failed={"rewind": "not done after 60 s"}),
        "",
    ),
    "a dearer one is wanted": (
        "start",
        case(stopped_standby(), mirrored(), options={"resync_route": "delta"}),
        "passed over (resync_route=delta)",
    ),
    "a dearer one is wanted, and this one is not possible anyway": (
        "start",
        case(stopped_standby(), mirrored("mdw", LOST), options={"resync_route": "delta"}),
        LOST_SLOT,
    ),
    "this one is wanted": ("delta", case(stopped_standby(), mirrored(), options={"resync_route": "delta"}), ""),
    "a cheaper one is wanted": ("snapshot", case(stopped_standby(), mirrored(), options={"resync_route": "delta"}), ""),
    "a dearer one is wanted, and there is nothing to do": (
        "none",
        case(standby(), mirrored(), options={"resync_route": "delta"}),
        "",
    ),
}


@pytest.mark.parametrize(("route", "judged", "reason"), REASONS.values(), ids=REASONS)
def test_a_route_is_possible_or_why_not(route: str, judged: Case, reason: str) -> None:
    row = routes.row(route, judged)
    assert row["reason"] == reason
    assert (row["route"], row["possible"]) == (route, not reason)
    assert set(row) == {"route", "possible", "reason", "transfer_bytes", "disk_bytes", "seconds", "stake"}


def test_every_route_is_in_the_table_both_ways() -> None:
    judged = {(route, not reason) for route, _case, reason in REASONS.values()}
    assert judged == {(route, possible) for route in ROUTES for possible in (True, False)}


HALVES: dict[str, tuple[Case, str]] = {
    "a standby": (case(stopped_standby(), mirrored()), ""),
    "a former master": (case(FORMER_MASTER, activated()), ""),
    "left half-way": (case(stopped("smdw", HALF_WAY), activated()), LEFT),
    "nothing there": (case(empty(), master()), NOTHING),
    "somebody else's files": (
        case(empty("smdw", FILES), master()),
        "it is a directory with files that are not a server's",
    ),
}


@pytest.mark.parametrize(("judged", "reason"), HALVES.values(), ids=HALVES)
def test_whether_a_directory_could_be_started_or_rewound(judged: Case, reason: str) -> None:
    assert routes.half_way(judged) == reason
