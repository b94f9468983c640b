# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which way a standby is brought back, as a table, and the plan of it."""

from __future__ import annotations

import typing as t

import pytest
from cases import DIVERGED, FORK, activated, divergence, resync
from observations import (
    FOREIGN,
    FORMER,
    GIGABYTE,
    REMOVED,
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

LOST_SLOT = {"server.slots": [slot(active=False, active_pid=None, lost=True, wal="lost")]}
UNDER_WAY = {
    **empty()["snapshot"],
    "phase": "copying",
    "copied": True,
    "request": {"system_identifier": change(master(), {})["server"]["system_identifier"]},
}
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
    "former master, not compared yet": (stopped("smdw", FORMER), activated(), {}, "follow", "it was a master"),
    "former master with nothing of its own": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": divergence()},
        "follow",
        "it was a master",
    ),
    "former master that crashed and came back unfenced": (
        stopped("smdw", {"control": control("in production")}),
        activated(),
        {"divergence": divergence()},
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
    "diverged": (stopped("smdw", FORMER), activated(), {"divergence": DIVERGED}, "rewind", "64 kB of WAL beyond"),
    "diverged, after a failed recovery": (
        stopped_standby("smdw", {"data_directory.fenced": True}),
        activated(),
        {"divergence": DIVERGED},
        "rewind",
        "64 kB of WAL beyond",
    ),
    "diverged, neither checksums nor hints": (
        stopped("smdw", {**FORMER, "control.can_rewind": False}),
        activated(),
        {"divergence": DIVERGED},
        "delta",
        "neither data checksums nor wal_log_hints",
    ),
    "diverged, hints": (
        stopped("smdw", {**FORMER, "control.can_rewind": True}),
        activated(),
        {"divergence": DIVERGED},
        "rewind",
        "beyond",
    ),
    "damaged where the master's history begins": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": divergence(damage="its last checkpoint is at 0/3100000")},
        "snapshot",
        "its WAL can be read up to 0/3017F88 only (its last checkpoint is at 0/3100000)",
    ),
    "diverged, WAL of its own gone": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": {**DIVERGED, "missing": ["000000010000000000000004"]}},
        "delta",
        "which only it had",
    ),
    "diverged, older WAL gone that the master has": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": {**DIVERGED, "missing": ["000000010000000000000002"], "redo_lsn": None}},
        "rewind",
        "beyond",
    ),
    "diverged, the master has lost its WAL": (
        stopped("smdw", FORMER),
        activated({"server.oldest_wal": "0/4000000", "server.slots": []}),
        {"divergence": DIVERGED},
        "delta",
        "the master has it from 0/4000000 on",
    ),
    "rewind failed": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": DIVERGED, "failed_routes": {"rewind": "pg_rewind stopped half-way"}},
        "delta",
        "half-way",
    ),
    "a removed standby that missed a new timeline": (
        stopped_standby("smdw", REMOVED),
        activated(),
        {"divergence": divergence(end_lsn="0/2000000")},
        "start",
        "",
    ),
    "a removed standby that missed a new timeline, and WAL": (
        stopped_standby("smdw", REMOVED),
        activated({"server.oldest_wal": "0/4000000", "server.slots": []}),
        {"divergence": divergence(end_lsn="0/2000000")},
        "delta",
        "nothing of its own that would have to be taken back",
    ),
    "left half-way": (
        stopped("smdw", {**FORMER, "data_directory.unfinished": True}),
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
        {"divergence": divergence()},
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
        stopped("smdw", {**FORMER, "data_directory.free_bytes": GIGABYTE, "control.can_rewind": False}),
        activated(),
        {"divergence": divergence(damage="torn")},
        None,
        "-e existing_data=discard",
    ),
    "too small for two, told to discard": (
        stopped("smdw", {**FORMER, "data_directory.free_bytes": GIGABYTE, "control.can_rewind": False}),
        activated(),
        {"divergence": DIVERGED, "existing_data": "discard"},
        "delta",
        "neither data checksums",
    ),
    "diverged, and the old data is to be kept": (
        stopped("smdw", {**FORMER, "control.can_rewind": False}),
        activated(),
        {"divergence": DIVERGED, "existing_data": "keep"},
        "snapshot",
        "existing_data=keep",
    ),
    "rewind and delta failed": (
        stopped("smdw", {**FORMER, "data_directory.unfinished": True}),
        activated(),
        {"divergence": DIVERGED, "failed_routes": {"rewind": "no", "delta": "not done after 60 s"}},
        "snapshot",
        "not done after 60 s",
    ),
    "damaged, told to discard": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": divergence(damage="torn"), "existing_data": "discard"},
        "delta",
        "(torn)",
    ),
    "standby ahead of the new master, damaged": (
        stopped_standby("smdw", {"control.min_recovery_lsn": "0/3027F88"}),
        activated(),
        {"divergence": divergence(damage="torn")},
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
        stopped("smdw", {**FORMER, "directories": [directory("/ts", free_bytes=1, device=1)]}),
        activated(),
        {"divergence": DIVERGED},
        "delta",
        "/ts, where a tablespace of the master is, has none there",
    ),
    "diverged so far that a copy is quicker": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": {**DIVERGED, "blocks": 2_000_000}},
        "delta",
        "it would take longer than a copy",
    ),
    "diverged that far, and no room for a copy": (
        stopped("smdw", {**FORMER, "data_directory.free_bytes": GIGABYTE}),
        activated(),
        {"divergence": {**DIVERGED, "blocks": 2_000_000}},
        "rewind",
        "beyond",
    ),
    "told to copy": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": divergence(), "resync_route": "snapshot"},
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
        standby("smdw", {"server": None, "server_error": "no session", "control.as_master": True}),
        mirrored(),
        {},
        None,
        "systemctl stop hawq-master.service",
    ),
    "two masters": (master("smdw"), master("mdw"), {}, None, "both accept writes"),
}


@pytest.mark.parametrize(("smdw", "mdw", "options", "way", "reason"), WAYS.values(), ids=WAYS)
def test_way(smdw: Observation, mdw: Observation, options: dict[str, t.Any], way: str | None, reason: str) -> None:
    plan, refusals = resync({"mdw": mdw, "smdw": smdw}, options)
    if way is None:
        assert reason in " ".join(refusal.sentence() for refusal in refusals)
        return
    assert [refusal.sentence() for refusal in refusals] == []
    assert plan["route"] == way
    cheaper = plan["bill"][: [row["route"] for row in plan["bill"]].index(way)]
    assert not cheaper or reason in " | ".join(row["reason"] for row in cheaper)
    assert all(row["seconds"] >= 0 and row["transfer_bytes"] >= 0 for row in plan["bill"])


NEXT = "If its data is to blame, take the next way: ansible-playbook hawq.mirroring.resync_standby -e resync_route="


PARTS: dict[str, tuple[Observation, Observation, dict[str, t.Any], dict[str, t.Any]]] = {
    "a former master is compared first": (
        stopped("smdw", FORMER),
        activated(),
        {},
        {"compare": True, "stop": False, "lift": True},
    ),
    "a former master that was compared": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": divergence()},
        {"compare": False, "snapshot": False},
    ),
    "a former master is rewound, and what only it has is kept": (
        stopped("smdw", {**FORMER, "service.active": "failed"}),
        activated(),
        {"divergence": DIVERGED},
        {"stop": False, "keep_lost": True, "lift": True, "history": [{"timeline": 1, "end": None}], "fork": FORK},
    ),
    "a copy instead, beside the old data": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": DIVERGED, "resync_route": "snapshot"},
        {"keep_lost": False, "existing_data": "keep", "snapshot": True},
    ),
    "a copy instead of the old data": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": DIVERGED, "resync_route": "snapshot", "existing_data": "discard"},
        {"keep_lost": True, "existing_data": "discard"},
    ),
    "a paused replay goes on": (
        standby("smdw", {"server.replay_paused": True}),
        mirrored(),
        {},
        {"resume": True, "stop": False},
    ),
    "a stopped standby that missed a new timeline is compared first": (
        stopped_standby(),
        activated(),
        {},
        {"route": "start", "compare": True},
    ),
    "a stopped standby on the master's timeline is not compared": (
        stopped_standby(),
        mirrored(),
        {},
        {"route": "start", "compare": False},
    ),
    "a stopped standby whose WAL goes on past the fork": (
        stopped_standby(),
        activated(),
        {"divergence": DIVERGED},
        {"route": "rewind", "keep_lost": True},
    ),
    "slots of its time as a master go": (
        standby("smdw", {"data_directory.slots": ["hawq_mirroring_mdw"]}),
        mirrored(),
        {},
        {"lift": True},
    ),
    "slots of somebody else stay": (
        standby("smdw", {"data_directory.slots": ["somebody_elses"]}),
        mirrored(),
        {},
        {"lift": False},
    ),
    "the way after a start": (stopped_standby(), mirrored(), {}, {"advice": NEXT + "delta"}),
    "the way after a follow": (
        stopped("smdw", FORMER),
        activated(),
        {"divergence": divergence()},
        {"advice": NEXT + "delta"},
    ),
    "no way after a rewind is told": (stopped("smdw", FORMER), activated(), {"divergence": DIVERGED}, {"advice": ""}),
    "a removed standby that resynchronises": (
        stopped_standby("smdw", REMOVED),
        master(),
        {},
        {"route": "start", "snapshot": False, "lift": True},
    ),
}


@pytest.mark.parametrize(("smdw", "mdw", "options", "expected"), PARTS.values(), ids=PARTS)
def test_plan(smdw: Observation, mdw: Observation, options: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    plan, refusals = resync({"mdw": mdw, "smdw": smdw}, options)
    assert refusals == []
    assert shown(plan, expected) == expected


TWO = {
    "server.standbys": ["sdw1", "smdw"],
    "server.slots": [slot(), slot(name="hawq_mirroring_sdw1", active=False, active_pid=None)],
}


SEVERAL: dict[str, tuple[Observation, Observation, str | None, str | None]] = {
    "the one that is stopped": (stopped_standby("sdw1"), mirrored("mdw", TWO), None, "sdw1"),
    "the one that is named": (stopped_standby("sdw1"), mirrored("mdw", TWO), "smdw", "smdw"),
    "the one whose host is off, which is refused": (
        {"reachable": False, "error": "timed out"},
        mirrored("mdw", TWO),
        None,
        None,
    ),
    "a former master that is awaited, beside the standby that followed on": (
        stopped("sdw1", FORMER),
        mirrored("mdw", {"server.slots": TWO["server.slots"]}),
        None,
        "sdw1",
    ),
    "the standby, beside a host that never was one": (empty("sdw1"), mirrored(), None, "smdw"),
    "a host that never was one is not made one": (empty("sdw1"), mirrored(), "sdw1", None),
}


@pytest.mark.parametrize(("sdw1", "mdw", "chosen", "standby_host"), SEVERAL.values(), ids=SEVERAL)
def test_which_of_several_is_brought_back(
    sdw1: Observation, mdw: Observation, chosen: str | None, standby_host: str | None
) -> None:
    seen = {"mdw": mdw, "smdw": standby(), "sdw1": sdw1}
    plan, refusals = resync(seen, {"standby_host": chosen, "divergence": divergence()})
    assert ((plan or {}).get("standby"), bool(refusals)) == (standby_host, standby_host is None)
