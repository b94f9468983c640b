# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which way a standby is brought back, as a table; where histories part; what a rewind is told of the WAL."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import timelines
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync import judge as resync
from ansible_collections.hawq.mirroring.plugins.module_utils.report import resync as resync_report
from ansible_collections.hawq.mirroring.plugins.module_utils.values import history, wal
from observations import (
    FOREIGN,
    GIGABYTE,
    HOSTS,
    SLOT,
    Observation,
    change,
    control,
    directory,
    empty,
    master,
    mirrored,
    shown,
    slot,
    standby,
    stopped,
    stopped_standby,
)

OPTIONS: dict[str, t.Any] = {
    "standby_host": None,
    "existing_data": "refuse",
    "master_restart_allowed": False,
    "binaries_method": "packages",
    "replication_user": "hawq_mirroring",
    "view_databases": [],
    "wal_keep_megabytes": 10240,
    "tablespace_mapping": {},
    "resync_route": None,
}
FORK = "0/3017F88"
#: mdw was activated: timeline 2 begins at FORK; it keeps WAL for smdw, the master of before
ACTIVATED: dict[str, t.Any] = {
    "histories": {"2": [[1, FORK]]},
    "server.timeline": 2,
    "server.checkpoint_timeline": 2,
    "server.current_lsn": "0/4000000",
    "server.slots": [slot(active=False, active_pid=None)],
    "server.settings.kept_wal_limit_bytes": 10240 << 20,
}
FENCED = {"data_directory.fenced": True, "data_directory.marked_standby": True}
REMOVED = {"data_directory.fenced": True, "data_directory.removed": True}
LOST_SLOT = {"server.slots": [slot(active=False, active_pid=None, lost=True, wal="lost")]}


def found(**overrides: t.Any) -> dict[str, t.Any]:
    """Return what divergence_info says of a former master."""
    row = {
        "fork_lsn": FORK,
        "end_lsn": FORK,
        "wal_bytes": 0,
        "damage": None,
        "transactions": 0,
        "first_commit": None,
        "last_commit": None,
        "relations": [],
        "whole": True,
        "checkpoint_lsn": None,
        "redo_lsn": None,
        "missing": [],
        "blocks": 0,
    }
    assert set(overrides) <= set(row)
    return {**row, **overrides}


UNDER_WAY = {
    **empty()["snapshot"],
    "phase": "copying",
    "copied": True,
    "request": {"system_identifier": change(master(), {})["server"]["system_identifier"]},
}
DIVERGED = found(
    end_lsn="0/3027F88",
    wal_bytes=65536,
    transactions=3,
    first_commit="2026-11-25 10:00:00",
    last_commit="2026-11-25 10:00:02",
    checkpoint_lsn="0/3010000",
    redo_lsn="0/300FFC8",
    blocks=12,
)


def judge(smdw: Observation, mdw: Observation, options: dict[str, t.Any]) -> t.Any:
    return resync.judge({"mdw": mdw, "smdw": smdw}, HOSTS, {**OPTIONS, **options})


def activated(overrides: dict[str, t.Any] | None = None) -> Observation:
    return master("mdw", {**ACTIVATED, **(overrides or {})})


#: name: standby's host, master, options, the way (None: refused), words of why the cheaper way is not possible
WAYS: dict[str, tuple[Observation, Observation, dict[str, t.Any], str | None, str]] = {
    "synchronised": (standby(), mirrored(), {}, "none", ""),
    "stopped standby": (
        stopped_standby(),
        mirrored("mdw", {"server.senders": [], "server.slots": [slot(active=False, active_pid=None)]}),
        {},
        "start",
        "a standby whose server is stopped",
    ),
    "paused": (standby("smdw", {"server.replay_paused": True}), mirrored(), {}, "start", "its replay is paused"),
    "cut off": (
        standby("smdw", {"server.receiver": None}),
        mirrored("mdw", {"server.senders": [], "server.mirroring.summary_state": "Not Synchronized"}),
        {},
        "start",
        "mirroring is Not Synchronized",
    ),
    "frozen standby": (
        standby("smdw", {"process.frozen": True, "server": None}),
        mirrored("mdw", {"server.senders": [], "server.mirroring.summary_state": "Not Synchronized"}),
        {},
        "start",
        "frozen",
    ),
    "slot lost": (
        stopped_standby(),
        mirrored("mdw", {"server.senders": [], **LOST_SLOT}),
        {},
        "delta",
        f"slot {SLOT} is lost",
    ),
    "slot lost, still running": (
        standby(),
        mirrored("mdw", {"server.senders": [], "server.mirroring.summary_state": "Not Synchronized", **LOST_SLOT}),
        {},
        "delta",
        f"slot {SLOT} is lost",
    ),
    "no slot, WAL recycled": (
        stopped_standby(),
        mirrored("mdw", {"server.senders": [], "server.slots": [], "server.oldest_wal": "0/5000000"}),
        {},
        "delta",
        "the master has it from 0/5000000 on",
    ),
    "former master, not compared yet": (stopped("smdw", FENCED), activated(), {}, "follow", "it was a master"),
    "former master with nothing of its own": (
        stopped("smdw", FENCED),
        activated(),
        {"divergence": found()},
        "follow",
        "it was a master",
    ),
    "former master that crashed and came back unfenced": (
        stopped("smdw", {"control": control("in production")}),
        activated(),
        {"divergence": found()},
        "follow",
        "it was a master",
    ),
    "former master that runs as a standby by now, still marked": (
        standby("smdw", {"data_directory.fenced": True, "server.timeline": 2, "histories": {"2": [[1, FORK]]}}),
        mirrored("mdw", {"server.timeline": 2, "histories": {"2": [[1, FORK]]}}),
        {},
        "none",
        "",
    ),
    "diverged": (stopped("smdw", FENCED), activated(), {"divergence": DIVERGED}, "rewind", "64 kB of WAL beyond"),
    "diverged, after a failed recovery": (
        stopped_standby("smdw", {"data_directory.fenced": True}),
        activated(),
        {"divergence": DIVERGED},
        "rewind",
        "64 kB of WAL beyond",
    ),
    "diverged, neither checksums nor hints": (
        stopped("smdw", {**FENCED, "control.can_rewind": False}),
        activated(),
        {"divergence": DIVERGED},
        "delta",
        "neither data checksums nor wal_log_hints",
    ),
    "diverged, hints": (
        stopped("smdw", {**FENCED, "control.can_rewind": True}),
        activated(),
        {"divergence": DIVERGED},
        "rewind",
        "beyond",
    ),
    "damaged where the master's history begins": (
        stopped("smdw", FENCED),
        activated(),
        {"divergence": found(damage="its last checkpoint is at 0/3100000")},
        "snapshot",
        "its WAL can be read up to 0/3017F88 only (its last checkpoint is at 0/3100000)",
    ),
    "diverged, WAL of its own gone": (
        stopped("smdw", FENCED),
        activated(),
        {"divergence": {**DIVERGED, "missing": ["000000010000000000000004"]}},
        "delta",
        "which only it had",
    ),
    "diverged, older WAL gone that the master has": (
        stopped("smdw", FENCED),
        activated(),
        {"divergence": {**DIVERGED, "missing": ["000000010000000000000002"], "redo_lsn": None}},
        "rewind",
        "beyond",
    ),
    "diverged, the master has lost its WAL": (
        stopped("smdw", FENCED),
        activated({"server.oldest_wal": "0/4000000", "server.slots": []}),
        {"divergence": DIVERGED},
        "delta",
        "the master has it from 0/4000000 on",
    ),
    "rewind failed": (
        stopped("smdw", FENCED),
        activated(),
        {"divergence": DIVERGED, "failed_routes": {"rewind": "pg_rewind stopped half-way"}},
        "delta",
        "half-way",
    ),
    "a removed standby that missed a new timeline": (
        stopped_standby("smdw", REMOVED),
        activated(),
        {"divergence": found(end_lsn="0/2000000")},
        "start",
        "",
    ),
    "a removed standby that missed a new timeline, and WAL": (
        stopped_standby("smdw", REMOVED),
        activated({"server.oldest_wal": "0/4000000", "server.slots": []}),
        {"divergence": found(end_lsn="0/2000000")},
        "delta",
        "nothing of its own that would have to be taken back",
    ),
    "left half-way": (
        stopped("smdw", {**FENCED, "data_directory.unfinished": True}),
        activated(),
        {},
        "delta",
        "left it half-way",
    ),
    "a standby was promoted by hand and stopped": (
        stopped("smdw", {"histories": {"2": [[1, FORK]]}, "control.timeline": 2}),
        mirrored("mdw", {"server.senders": []}),
        {"divergence": DIVERGED},
        "rewind",
        "beyond",
    ),
    "standby of the former master, ahead of the new one": (
        stopped_standby("smdw", {"control.min_recovery_lsn": "0/3027F88"}),
        activated(),
        {"divergence": DIVERGED},
        "rewind",
        "it has WAL up to 0/3027F88",
    ),
    "standby of the former master, behind": (
        stopped_standby(),
        activated(),
        {"divergence": found()},
        "start",
        "stopped",
    ),
    "stopped standby whose WAL goes on past the fork": (
        stopped_standby(),
        activated(),
        {"divergence": DIVERGED},
        "rewind",
        "64 kB of WAL beyond",
    ),
    "was started as a master on the master's own timeline": (
        stopped("smdw"),
        mirrored("mdw", {"server.senders": []}),
        {},
        "snapshot",
        "does not part",
    ),
    "nothing there": (empty(), master(), {}, "snapshot", "no data directory"),
    "too small for two": (
        stopped("smdw", {**FENCED, "data_directory.free_bytes": GIGABYTE, "control.can_rewind": False}),
        activated(),
        {"divergence": found(damage="torn")},
        None,
        "-e existing_data=discard",
    ),
    "too small for two, told to discard": (
        stopped("smdw", {**FENCED, "data_directory.free_bytes": GIGABYTE, "control.can_rewind": False}),
        activated(),
        {"divergence": DIVERGED, "existing_data": "discard"},
        "delta",
        "neither data checksums",
    ),
    "diverged, and the old data is to be kept": (
        stopped("smdw", {**FENCED, "control.can_rewind": False}),
        activated(),
        {"divergence": DIVERGED, "existing_data": "keep"},
        "snapshot",
        "existing_data=keep",
    ),
    "rewind and delta failed": (
        stopped("smdw", {**FENCED, "data_directory.unfinished": True}),
        activated(),
        {"divergence": DIVERGED, "failed_routes": {"rewind": "no", "delta": "not done after 60 s"}},
        "snapshot",
        "not done after 60 s",
    ),
    "damaged, told to discard": (
        stopped("smdw", FENCED),
        activated(),
        {"divergence": found(damage="torn"), "existing_data": "discard"},
        "delta",
        "(torn)",
    ),
    "standby ahead of the new master, damaged": (
        stopped_standby("smdw", {"control.min_recovery_lsn": "0/3027F88"}),
        activated(),
        {"divergence": found(damage="torn")},
        "snapshot",
        "what only it has cannot be read",
    ),
    "a snapshot is under way": (
        stopped_standby("smdw", {"snapshot": UNDER_WAY}),
        mirrored("mdw", LOST_SLOT),
        {},
        "snapshot",
        "a snapshot is under way",
    ),
    "its history file is gone, too": (
        stopped_standby("smdw", {"control.timeline": 3, "control.min_recovery_timeline": 3}),
        mirrored("mdw", LOST_SLOT),
        {},
        "snapshot",
        "its history cannot be read",
    ),
    "control file gone": (
        stopped_standby("smdw", {"control": None}),
        mirrored("mdw", LOST_SLOT),
        {},
        "snapshot",
        "control file",
    ),
    "a tablespace was made since": (
        stopped("smdw", {**FENCED, "directories": [directory("/ts", free_bytes=1, device=1)]}),
        activated(),
        {"divergence": DIVERGED},
        "delta",
        "/ts, where a tablespace of the master is, has none there",
    ),
    "diverged so far that a copy is quicker": (
        stopped("smdw", FENCED),
        activated(),
        {"divergence": {**DIVERGED, "blocks": 2_000_000}},
        "delta",
        "it would take longer than a copy",
    ),
    "diverged that far, and no room for a copy": (
        stopped("smdw", {**FENCED, "data_directory.free_bytes": GIGABYTE}),
        activated(),
        {"divergence": {**DIVERGED, "blocks": 2_000_000}},
        "rewind",
        "beyond",
    ),
    "told to copy": (
        stopped("smdw", FENCED),
        activated(),
        {"divergence": found(), "resync_route": "snapshot"},
        "snapshot",
        "passed over",
    ),
    "another system": (
        stopped("smdw", {"control.system_identifier": FOREIGN}),
        master(),
        {},
        None,
        "init_standby -e existing_data=keep",
    ),
    "another system, told to discard": (
        stopped("smdw", {"control.system_identifier": FOREIGN}),
        master(),
        {"existing_data": "discard"},
        None,
        "another system",
    ),
    "somebody's files": (
        empty("smdw", {"data_directory.state": "other", "data_directory.entries": ["notes.txt"]}),
        master(),
        {},
        None,
        "existing_data=keep",
    ),
    "not reachable": ({"reachable": False, "error": "timed out"}, master(), {}, None, "Bring it up"),
    "no session": (
        standby("smdw", {"server": None, "server_error": "no session"}),
        mirrored(),
        {},
        None,
        "systemctl stop hawq-master.service",
    ),
    "two masters": (master("smdw"), master("mdw"), {}, None, "both accept writes"),
}


@pytest.mark.parametrize(("smdw", "mdw", "options", "way", "reason"), WAYS.values(), ids=WAYS)
def test_way(smdw: Observation, mdw: Observation, options: dict[str, t.Any], way: str | None, reason: str) -> None:
    plan, refusals = judge(smdw, mdw, options)
    if way is None:
        assert reason in " ".join(refusal.sentence() for refusal in refusals)
        return
    assert [refusal.sentence() for refusal in refusals] == []
    assert plan["route"] == way
    cheaper = plan["bill"][: [row["route"] for row in plan["bill"]].index(way)]
    assert not cheaper or reason in " | ".join(row["reason"] for row in cheaper)
    assert all(row["seconds"] >= 0 and row["transfer_bytes"] >= 0 for row in plan["bill"])
    document = {"plan": plan, "relations": []}
    assert f"* {way}" in resync_report.bill(document)


NEXT = "If its data is to blame, take the next way: ansible-playbook hawq.mirroring.resync_standby -e resync_route="


@pytest.mark.parametrize(
    ("smdw", "mdw", "options", "expected"),
    [
        (stopped("smdw", FENCED), activated(), {}, {"compare": True, "stop": False, "lift": True}),
        (stopped("smdw", FENCED), activated(), {"divergence": found()}, {"compare": False, "snapshot": False}),
        (
            stopped("smdw", {**FENCED, "service.active": "failed"}),
            activated(),
            {"divergence": DIVERGED},
            {"stop": False, "keep_lost": True, "lift": True, "history": [{"timeline": 1, "end": None}], "fork": FORK},
        ),
        (
            stopped("smdw", FENCED),
            activated(),
            {"divergence": DIVERGED, "resync_route": "snapshot"},
            {"keep_lost": False, "existing_data": "keep", "snapshot": True},
        ),
        (
            stopped("smdw", FENCED),
            activated(),
            {"divergence": DIVERGED, "resync_route": "snapshot", "existing_data": "discard"},
            {"keep_lost": True, "existing_data": "discard"},
        ),
        (standby("smdw", {"server.replay_paused": True}), mirrored(), {}, {"resume": True, "stop": False}),
        (stopped_standby(), activated(), {}, {"route": "start", "compare": True}),
        (stopped_standby(), mirrored(), {}, {"route": "start", "compare": False}),
        (stopped_standby(), activated(), {"divergence": DIVERGED}, {"route": "rewind", "keep_lost": True}),
        (standby("smdw", {"data_directory.slots": ["hawq_mirroring_mdw"]}), mirrored(), {}, {"lift": True}),
        (standby("smdw", {"data_directory.slots": ["somebody_elses"]}), mirrored(), {}, {"lift": False}),
        (stopped_standby(), mirrored(), {}, {"advice": NEXT + "delta"}),
        (stopped("smdw", FENCED), activated(), {"divergence": found()}, {"advice": NEXT + "delta"}),
        (stopped("smdw", FENCED), activated(), {"divergence": DIVERGED}, {"advice": ""}),
        # a removed standby that resynchronises
        (stopped_standby("smdw", REMOVED), master(), {}, {"route": "start", "snapshot": False, "lift": True}),
    ],
)
def test_plan(smdw: Observation, mdw: Observation, options: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    plan, refusals = judge(smdw, mdw, options)
    assert refusals == []
    assert shown(plan, expected) == expected


TWO = {
    "server.standbys": ["sdw1", "smdw"],
    "server.slots": [slot(), slot(name="hawq_mirroring_sdw1", active=False, active_pid=None)],
}


@pytest.mark.parametrize(
    ("sdw1", "mdw", "chosen", "standby_host"),
    [
        (stopped_standby("sdw1"), mirrored("mdw", TWO), None, "sdw1"),
        (stopped_standby("sdw1"), mirrored("mdw", TWO), "smdw", "smdw"),
        ({"reachable": False, "error": "timed out"}, mirrored("mdw", TWO), None, None),
        # a former master that the master keeps WAL for, beside the standby that followed on
        (stopped("sdw1", FENCED), mirrored("mdw", {"server.slots": TWO["server.slots"]}), None, "sdw1"),
        # a host that never was one of them
        (empty("sdw1"), mirrored(), None, "smdw"),
        (empty("sdw1"), mirrored(), "sdw1", None),
    ],
)
def test_which_of_several_is_brought_back(
    sdw1: Observation, mdw: Observation, chosen: str | None, standby_host: str | None
) -> None:
    seen = {"mdw": mdw, "smdw": standby(), "sdw1": sdw1}
    plan, refusals = resync.judge(seen, HOSTS, {**OPTIONS, "standby_host": chosen, "divergence": found()})
    assert ((plan or {}).get("standby"), bool(refusals)) == (standby_host, standby_host is None)


def stretch(*rows: tuple[int, int, int | None]) -> list[history.Stretch]:
    return [history.Stretch(*row) for row in rows]


@pytest.mark.parametrize(
    ("mine", "its", "expected"),
    [
        (stretch((1, 0, None)), stretch((1, 0, None)), None),
        (stretch((1, 0, None)), stretch((1, 0, 64), (2, 64, None)), (1, 64)),
        (stretch((1, 0, 64), (2, 64, None)), stretch((1, 0, None)), (1, 64)),
        (stretch((1, 0, 64), (2, 64, None)), stretch((1, 0, 64), (2, 64, None)), None),
        (stretch((1, 0, 64), (2, 64, None)), stretch((1, 0, 32), (2, 32, None)), (1, 32)),
        (stretch((1, 0, 64), (2, 64, None)), stretch((1, 0, 64), (2, 64, 96), (3, 96, None)), (2, 96)),
        (stretch((1, 0, 64), (3, 64, None)), stretch((1, 0, 96), (2, 96, None)), (1, 64)),
        (stretch((5, 0, None)), stretch((1, 0, None)), None),
    ],
)
def test_fork(mine: list[history.Stretch], its: list[history.Stretch], expected: tuple[int, int] | None) -> None:
    fork = history.fork(mine, its)
    assert (fork and (fork.timeline, int(fork.lsn.split("/")[1], 16))) == expected
    if fork:
        assert fork.beyond[-1].end is None
        assert fork.beyond[0].begin == (expected or (0, 0))[1]


def test_a_master_just_promoted_is_known_by_its_history_file() -> None:
    """Its control file still names the old timeline."""
    seen = stopped("smdw", {"control": control("in production"), "histories": {"2": [[1, FORK]]}})
    assert timelines.timeline(seen) == 2
    assert timelines.stretches(change(seen, {"histories": {}})) == stretch((1, 0, None))
    assert timelines.stretches(stopped("smdw", {"control.timeline": 2})) is None


@pytest.mark.parametrize(
    ("histories", "known", "lsn", "written", "expected"),
    [
        ({}, 1, "0/5000000", (), 1),
        ({"2": [[1, FORK]]}, 1, "0/3000000", (), 1),
        ({"2": [[1, FORK]]}, 1, FORK, (2,), 2),
        ({"2": [[1, FORK]]}, 1, "0/5000000", (2,), 2),
        # it has the history of the newer timeline, and has gone past the fork on its own
        ({"2": [[1, FORK]]}, 1, "0/5000000", (1,), 1),
        ({"2": [[1, FORK]], "3": [[1, FORK], [2, "0/5000000"]]}, 1, "0/4000000", (2,), 2),
        ({"2": [[1, FORK]], "3": [[1, FORK], [2, "0/5000000"]]}, 2, "0/5000008", (3,), 3),
        ({"2": [[1, FORK]], "3": [[1, FORK], [2, "0/5000000"]]}, 2, "0/5000008", (2,), 2),
        ({"3": [[1, FORK]]}, 2, "0/5000000", (2, 3), 2),
    ],
)
def test_a_standby_is_on_the_timeline_of_its_lsn(
    histories: dict[str, t.Any], known: int, lsn: str, written: tuple[int, ...], expected: int
) -> None:
    assert history.at(histories, known, lsn, lambda timeline: timeline in written) == expected


def test_ancestors() -> None:
    text = "1\t0/3017F88\tno recovery target specified\n\n# comment\n2\t0/5000000\tbefore 2000-01-01\n"
    assert history.ancestors(text) == [[1, "0/3017F88"], [2, "0/5000000"]]


DUMP = """\
rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/03000060, prev 0/03000028, desc: CHECKPOINT_ONLINE redo 0/3000028; tli 1; prev tli 1; fpw true; xid 0:735
rmgr: Heap        len (rec/tot):     54/   150, tx:        735, lsn: 0/03000100, prev 0/03000060, desc: INSERT off 1 flags 0x00, blkref #0: rel 1663/5/16384 blk 0 FPW
rmgr: Transaction len (rec/tot):     34/    34, tx:        735, lsn: 0/03000200, prev 0/03000100, desc: COMMIT 2026-11-25 10:00:00.123456 UTC
rmgr: Heap        len (rec/tot):     54/   150, tx:        736, lsn: 0/03017F88, prev 0/03000200, desc: HOT_UPDATE off: 1, xmax: 736, blkref #0: rel 1663/5/16390 blk 7, blkref #1: rel 1663/5/16390 fork vm blk 0
rmgr: Heap2       len (rec/tot):     54/   150, tx:          0, lsn: 0/03018000, prev 0/03017F88, desc: PRUNE snapshotConflictHorizon: 5, blkref #0: rel 1663/5/1259 blk 7
rmgr: Transaction len (rec/tot):     34/    34, tx:        736, lsn: 0/03018100, prev 0/03018000, desc: COMMIT 2026-11-25 10:00:01.5 UTC; inval msgs: catcache 80
rmgr: Transaction len (rec/tot):     34/    34, tx:        737, lsn: 0/03018200, prev 0/03018100, desc: ABORT 2026-11-25 10:00:02 UTC
"""  # noqa: E501


def test_tally_counts_what_lies_beyond_the_fork() -> None:
    tally = wal.Tally(0x3017F88, 100)
    for line in DUMP.splitlines():
        tally.add(line)
    assert tally.result() == {
        "transactions": 1,
        "first_commit": "2026-11-25 10:00:01.5",
        "last_commit": "2026-11-25 10:00:01.5",
        "relations": ["1663/5/16390"],
        "blocks": 4,
    }
    assert wal.checkpoints(DUMP) == [("0/03000060", "0/3000028")]


def test_segments_are_looked_for_under_the_timeline_that_holds_them() -> None:
    history = [(1, "0/3017F88"), (2, None)]
    assert [wal.timeline_at(end << 24, history) for end in (3, 4, 5)] == [1, 2, 2]
    assert wal.pieces(history, "0/3000000") == [(1, "0/3000000", "0/3017F88"), (2, "0/3017F88", None)]
    assert wal.pieces(history, "0/4000000") == [(2, "0/4000000", None)]
    assert wal.begin_of("0000000A000000FF", 16 << 20) == "A/FF000000"


def test_report_of_what_was_lost_and_kept() -> None:
    plan, _refusals = judge(stopped("smdw", FENCED), activated(), {"divergence": DIVERGED})
    document = {
        "check": False,
        "plan": plan,
        "relations": ["postgres.public.orders"],
        "mirroring": {"summary_state": "Synchronized"},
        "rewound": {"rewound": True, "copied_bytes": 84 << 20, "fetched": 0},
        "compared": {},
        "lost": {"directory": "/data/hawq/master.hawq-lost-0-3017F88"},
        "kept": [],
    }
    report = resync_report.report(document)
    assert report["title"] == "Resynchronised smdw, standby of mdw"
    assert report["facts"]["Way"].startswith("rewind (")
    assert report["facts"]["Copied from the master"] == "84 MB"
    assert report["facts"]["Transactions that only smdw has"].startswith(
        "3 committed, in 64 kB of WAL beyond 0/3017F88"
    )
    assert report["facts"]["Tables that they touched"] == "postgres.public.orders"
    assert report["facts"]["Kept aside"] == "/data/hawq/master.hawq-lost-0-3017F88"
    failed = {**document, "plan": {**plan, "failed_routes": {"rewind": "pg_rewind would not work: no WAL"}}}
    assert resync_report.report(failed)["facts"]["Rewind failed"] == "pg_rewind would not work: no WAL"
    told = resync_report.report({**document, "check": True})
    assert told["title"] == "Nothing was changed. A run would resynchronise smdw, standby of mdw"
