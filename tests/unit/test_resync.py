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
#: the master does not know anything of the standby now
CUT_OFF = {
    "server.senders": [],
    "server.slots": [slot(active=False, active_pid=None)],
    "server.mirroring.summary_state": "Not Synchronized",
}
#: on a timeline that left mdw's
NEWER = {"histories": {"2": [[1, FORK]]}, "control.timeline": 2}
#: the record of a fence that does not tell of when it is
LEFT = {"data_directory.fenced": True}
#: the master has heard of its standby up to its end, and up to somewhere before
HEARD = {**CUT_OFF, "server.slots": [slot(active=False, active_pid=None, keeps_from="0/3017F88")]}
UNHEARD = {**CUT_OFF, "server.slots": [slot(active=False, active_pid=None, keeps_from="0/3017000")]}
REPLAYED = {"control.min_recovery_lsn": "0/3017F88"}
#: it has more of the master's timeline than the master
FURTHER = {"server.receiver": None, "server.replay_lsn": "0/9000000", "server.have_lsn": "0/9000000"}
#: a standby that gives no session, because of its data
MUTE = {
    "server": None,
    "server_error": "invalid page",
    "server_damage": "invalid page in block 3 of relation base/5/1255",
}
MORE = {**mirrored()["server"]["settings"]["at_least"], "max_connections": 200}
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
    "its mark is gone": (
        standby("smdw", {"data_directory.marked_standby": False}),
        mirrored(),
        {},
        "start",
        "its mark of a standby (standby.signal) is gone",
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
        stopped("smdw", NEWER),
        mirrored("mdw", {"server.senders": []}),
        {"divergence": DIVERGED},
        None,
        "3 transactions (2026-11-25 10:00:00 to 2026-11-25 10:00:02 UTC) that only smdw has: what smdw has is newer",
    ),
    "a standby was promoted by hand and stopped, its work is given up": (
        stopped("smdw", NEWER),
        mirrored("mdw", {"server.senders": []}),
        {"divergence": DIVERGED, "accept_data_loss": True},
        "rewind",
        "it is on timeline 2, which the master does not have",
    ),
    "a standby was promoted by hand, has committed nothing and is stopped": (
        stopped("smdw", NEWER),
        mirrored("mdw", {"server.senders": []}),
        {"divergence": divergence(end_lsn="0/3018000", wal_bytes=120)},
        "rewind",
        "it is on timeline 2, which the master does not have",
    ),
    "A12: the new master comes back when the stale one serves": (
        stopped("smdw", {**NEWER, "control": control("in production", timeline=2)}),
        mirrored("mdw", CUT_OFF),
        {"divergence": DIVERGED},
        None,
        "To keep what smdw has: systemctl stop hawq-master.service on mdw, then systemctl start hawq-master.service on"
        " smdw, then ansible-playbook hawq.mirroring.resync_standby. To give it up for what mdw has: ansible-playbook"
        " hawq.mirroring.resync_standby -e accept_data_loss=true",
    ),
    "A12: its WAL is damaged, its work is given up": (
        stopped("smdw", NEWER),
        mirrored("mdw", CUT_OFF),
        {"divergence": divergence(damage="torn"), "accept_data_loss": True},
        "snapshot",
        "what only it has cannot be read",
    ),
    "A12: it is to be kept aside as a whole": (
        stopped("smdw", NEWER),
        mirrored("mdw", CUT_OFF),
        {"divergence": DIVERGED, "existing_data": "keep"},
        "snapshot",
        "existing_data=keep",
    ),
    "a standby on a timeline that a set-back master does not have": (
        standby("smdw", {**NEWER, "server.timeline": 2, "server.receiver": None}),
        mirrored("mdw", CUT_OFF),
        {"divergence": DIVERGED},
        None,
        "systemctl stop hawq-master.service on mdw, then ansible-playbook hawq.mirroring.failover, then",
    ),
    "both were made masters of the same timeline, each of its own": (
        stopped("smdw", {"histories": {"2": [[1, "0/3020000"]]}, "control.timeline": 2}),
        activated(),
        {"divergence": DIVERGED},
        None,
        "smdw is on timeline 2, which left timeline 1 at 0/3017F88",
    ),
    "79: a master that was set back": (
        standby("smdw", FURTHER),
        mirrored("mdw", CUT_OFF),
        {"divergence": DIVERGED},
        None,
        "mdw was set back, or has lost what it had written",
    ),
    "79: it is kept by a failover, and then all is compared": (
        stopped_standby("smdw", {"control.min_recovery_lsn": "0/9000000"}),
        mirrored("mdw", CUT_OFF),
        {"divergence": DIVERGED},
        None,
        "hawq.mirroring.failover, then ansible-playbook hawq.mirroring.resync_standby -e resync_route=delta (what mdw"
        " alone has written is given up). To give",
    ),
    "79: the record of a fence is left on it": (
        stopped_standby("smdw", {"control.min_recovery_lsn": "0/9000000", **LEFT}),
        mirrored("mdw", CUT_OFF),
        {"divergence": DIVERGED},
        None,
        "on mdw, then rm /data/hawq/master/hawq_mirroring.fence on smdw, then ansible-playbook hawq.mirroring.failover",
    ),
    "79: what it has is given up": (
        standby("smdw", FURTHER),
        mirrored("mdw", CUT_OFF),
        {"divergence": DIVERGED, "accept_data_loss": True},
        "delta",
        "it is on the master's own timeline, and beyond it",
    ),
    "79: the set-back master is within the segment, and so it streams": (
        standby("smdw", {"server.replay_lsn": "0/3018000", "server.have_lsn": "0/3018000"}),
        mirrored(),
        {"divergence": DIVERGED},
        None,
        "smdw holds WAL of timeline 1 up to 0/3018000, and the master mdw has it up to 0/3017F88 only",
    ),
    "written on since it was set back: what the standby has is given up only when told": (
        stopped_standby("smdw", REPLAYED),
        mirrored("mdw", UNHEARD),
        {"divergence": DIVERGED, "resync_route": "delta"},
        None,
        "smdw holds WAL of timeline 1 up to 0/3017F88, the slot of mdw for it is at 0/3017000, and it does not follow",
    ),
    "written on since it was set back: both ways are named": (
        standby("smdw", {"server.receiver": None}),
        mirrored("mdw", UNHEARD),
        {"divergence": DIVERGED, "resync_route": "delta"},
        None,
        "hawq.mirroring.failover -e accept_data_loss=true, then ansible-playbook hawq.mirroring.resync_standby"
        " -e resync_route=delta (what mdw alone has written is given up; the server of smdw stays on until then, since"
        " it may not start again). To give it up for what mdw has:"
        " ansible-playbook hawq.mirroring.resync_standby -e resync_route=delta -e accept_data_loss=true",
    ),
    "written on since it was set back: it is given up": (
        stopped_standby("smdw", REPLAYED),
        mirrored("mdw", UNHEARD),
        {"divergence": DIVERGED, "resync_route": "delta", "accept_data_loss": True},
        "delta",
        "it is on the master's own timeline",
    ),
    "written on since it was set back: a copy that discards it": (
        stopped_standby("smdw", REPLAYED),
        mirrored("mdw", UNHEARD),
        {"divergence": DIVERGED, "resync_route": "snapshot", "existing_data": "discard"},
        None,
        "-e resync_route=snapshot -e existing_data=discard -e accept_data_loss=true",
    ),
    "written on since it was set back: a copy that keeps it aside": (
        stopped_standby("smdw", REPLAYED),
        mirrored("mdw", UNHEARD),
        {"resync_route": "snapshot"},
        "snapshot",
        "passed over",
    ),
    "set back to a copy that has no slots": (
        stopped_standby("smdw", REPLAYED),
        mirrored("mdw", {**UNHEARD, "server.slots": []}),
        {"resync_route": "delta"},
        None,
        "mdw has no slot that tells how far it came",
    ),
    "it follows a master that has made its slot later": (
        stopped_standby("smdw", REPLAYED),
        mirrored("mdw", {**CUT_OFF, "server.slots": [slot(active=False, active_pid=None, keeps_from="0/3019000")]}),
        {"divergence": DIVERGED, "resync_route": "delta"},
        None,
        "the slot of mdw for it is at 0/3019000",
    ),
    "it has got WAL of another past, and replays nothing of it": (
        standby("smdw", {"server.receiver": None, "server.replay_lsn": "0/3017000"}),
        mirrored("mdw", HEARD),
        {"divergence": DIVERGED, "resync_route": "delta"},
        None,
        "the slot of mdw for it is at 0/3017F88, and it does not follow",
    ),
    "a delta is wanted of a standby that its master has heard of to the end": (
        stopped_standby("smdw", REPLAYED),
        mirrored("mdw", HEARD),
        {"resync_route": "delta"},
        "delta",
        "passed over",
    ),
    "a delta is wanted of one whose replay is paused": (
        standby("smdw", {"server.receiver": None, "server.replay_lsn": "0/3017000", "server.replay_paused": True}),
        mirrored("mdw", HEARD),
        {"resync_route": "delta"},
        "delta",
        "passed over",
    ),
    "a delta is wanted of one that streams": (
        standby(),
        mirrored("mdw", {"server.mirroring.summary_state": "Synchronizing"}),
        {"resync_route": "delta"},
        "delta",
        "passed over",
    ),
    "a delta is wanted of one that is damaged": (
        standby("smdw", MUTE),
        mirrored("mdw", UNHEARD),
        {"resync_route": "delta"},
        "delta",
        "its data is damaged",
    ),
    "a delta is wanted of one whose WAL is gone from the master": (
        stopped_standby("smdw", REPLAYED),
        mirrored("mdw", {**UNHEARD, "server.oldest_wal": "0/4000000"}),
        {"resync_route": "delta"},
        "delta",
        "it needs WAL from",
    ),
    "a standby that streams, and was looked at a moment later": (
        standby(
            "smdw",
            {
                "server.replay_lsn": "0/9000000",
                "server.have_lsn": "0/9000000",
                "server.receiver.latest_end_lsn": "0/9000000",
            },
        ),
        mirrored(),
        {},
        "none",
        "",
    ),
    "a standby whose link came back between the two looks": (
        standby("smdw", {"server.have_lsn": "0/9000000", "server.receiver.latest_end_lsn": "0/9000000"}),
        mirrored("mdw", CUT_OFF),
        {},
        "start",
        "mirroring is Not Synchronized",
    ),
    "a standby that was cut off between the two looks": (
        standby("smdw", {"server.have_lsn": "0/9000000", "server.receiver": None}),
        mirrored("mdw", {"server.mirroring.summary_state": "Synchronizing"}),
        {},
        "start",
        "mirroring is Synchronizing",
    ),
    "59: damaged, and it says so": (
        standby("smdw", MUTE),
        mirrored(),
        {},
        "delta",
        "its data is damaged: invalid page in block 3 of relation base/5/1255",
    ),
    "59: damaged, and stopped by that": (
        stopped_standby("smdw", {"server_damage": MUTE["server_damage"], "service.active": "failed"}),
        mirrored("mdw", CUT_OFF),
        {},
        "delta",
        "its data is damaged",
    ),
    "59: damaged, as its start has shown": (
        standby("smdw", {**MUTE, "server_damage": None}),
        mirrored(),
        {"failed_routes": {"start": "invalid page"}},
        "delta",
        "invalid page",
    ),
    "59: damaged and diverged": (
        stopped("smdw", {**FORMER, "server_damage": MUTE["server_damage"]}),
        activated(),
        {"divergence": DIVERGED},
        "delta",
        "its data is damaged",
    ),
    "59: damaged after a rewind, too": (
        standby("smdw", {**MUTE, "server_damage": None}),
        mirrored(),
        {"failed_routes": {"start": "invalid page", "rewind": "invalid page"}},
        "delta",
        "invalid page",
    ),
    "59: damaged after a delta, too": (
        standby("smdw", MUTE),
        mirrored(),
        {"failed_routes": {"start": "invalid page", "delta": "invalid page"}},
        "snapshot",
        "invalid page",
    ),
    "59: damaged after a copy, too": (
        standby("smdw", MUTE),
        mirrored(),
        {"failed_routes": {"start": "invalid page", "delta": "invalid page", "snapshot": "invalid page"}},
        None,
        "no way is left",
    ),
    "59: damaged and ahead of a set-back master": (
        standby("smdw", {**MUTE, "wal_end": "0/9000000"}),
        mirrored("mdw", CUT_OFF),
        {"divergence": DIVERGED},
        None,
        "To keep what smdw has",
    ),
    "54: less than its master": (
        standby("smdw", {"server.replay_paused": True}),
        mirrored("mdw", {"server.settings.at_least": MORE}),
        {},
        "start",
        "it has less than its master of max_connections",
    ),
    "54: less than its master, not needed yet": (
        standby(),
        mirrored("mdw", {"server.settings.at_least": MORE}),
        {},
        "start",
        "it has less than its master of max_connections",
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
        None,
        "To keep what smdw has: systemctl stop hawq-master.service on mdw, then touch"
        " /run/hawq-mirroring-hawq-master.start on smdw, then systemctl start hawq-master.service on smdw, then"
        " ansible-playbook hawq.mirroring.resync_standby"
        " -e resync_route=delta -e accept_data_loss=true. To give it up for what mdw has: ansible-playbook"
        " hawq.mirroring.resync_standby -e accept_data_loss=true",
    ),
    "was started as a master on the master's own timeline, and is given up": (
        stopped("smdw"),
        mirrored("mdw", {"server.senders": []}),
        {"accept_data_loss": True},
        "snapshot",
        "does not part",
    ),
    "was started as a master on the master's own timeline, and is kept aside": (
        stopped("smdw"),
        mirrored("mdw", {"server.senders": []}),
        {"existing_data": "keep"},
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
        mirrored("mdw", {**LOST_SLOT, "server.timeline": 4, "histories": {"4": [[1, "0/9000000"], [3, "0/9100000"]]}}),
        {},
        "snapshot",
        "its history cannot be read",
    ),
    "its history file is gone, too, and its timeline is newer": (
        stopped_standby("smdw", {"control.timeline": 3, "control.min_recovery_timeline": 3}),
        mirrored("mdw", LOST_SLOT),
        {},
        None,
        "smdw is on timeline 3, which mdw does not have, and mdw accepts writes on timeline 1",
    ),
    "its history file is gone, too, and its newer timeline is given up": (
        stopped_standby("smdw", {"control.timeline": 3, "control.min_recovery_timeline": 3}),
        mirrored("mdw", LOST_SLOT),
        {"accept_data_loss": True},
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
        activated({"server.tablespaces": [{"name": "ts", "location": "/ts"}]}),
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
        {"resume": True, "stop": False, "settings": {}, "recovery_settings": {}},
    ),
    "a replay that is delayed by its own setting goes on without": (
        standby("smdw", {"server.settings.harmful": {"recovery_min_apply_delay": "0"}}),
        mirrored(),
        {},
        {"route": "start", "recovery_settings": {"recovery_min_apply_delay": "0"}},
    ),
    "54: a replay that is paused for a setting gets that, and does not just go on": (
        standby("smdw", {"server.replay_paused": True}),
        mirrored("mdw", {"server.settings.at_least": MORE}),
        {},
        {"route": "start", "resume": False, "recovery_settings": {"max_connections": "200"}},
    ),
    "54: the master was set back to less since, and the WAL needs it all the same": (
        standby("smdw", {"server.replay_paused": True, "control.at_least": MORE}),
        mirrored(),
        {},
        {"route": "start", "resume": False, "recovery_settings": {"max_connections": "200"}},
    ),
    "54: a stopped standby whose configuration asks for less": (
        stopped_standby("smdw", {"configuration.at_least": {"max_connections": "50"}}),
        mirrored("mdw", CUT_OFF),
        {},
        {"route": "start", "recovery_settings": {"max_connections": "100"}},
    ),
    "54: a copy brings its master's settings along": (
        stopped_standby("smdw", {"configuration.at_least": {"max_connections": "50"}}),
        mirrored("mdw", CUT_OFF),
        {"resync_route": "snapshot"},
        {"route": "snapshot", "recovery_settings": {}},
    ),
    "57: whom a replay waits for is told": (
        standby(
            "smdw",
            {
                "server.replay_blocked": True,
                "server.blockers": [{"pid": 77, "user": "app", "name": "psql", "open_seconds": 300.4}],
            },
        ),
        mirrored(),
        {},
        {
            "route": "none",
            "notes": [
                "replay on smdw waits for sessions there (77 (app, open 300 s)), and a failover would end them. To end"
                " them now, there: runuser -u gpadmin -- /usr/lib/postgresql/15/bin/psql"
                ' -h /var/run/postgresql -p 5432 -d postgres -c "SELECT pg_terminate_backend(77)"'
            ],
        },
    ),
    "57: nobody can say whom it waits for": (
        standby("smdw", {"server.replay_blocked": True}),
        mirrored(),
        {},
        {"notes": ["replay on smdw waits for sessions there"]},
    ),
    "A12: what only the new master of before has is read first": (
        stopped("smdw", NEWER),
        mirrored("mdw", CUT_OFF),
        {},
        {"compare": True, "fork": FORK, "reached": None, "stop": False},
    ),
    "79: what it has beyond is read first, from where the slot says": (
        standby("smdw", FURTHER),
        mirrored("mdw", CUT_OFF),
        {},
        {"compare": True, "fork": "0/3000000", "reached": "0/9000000"},
    ),
    "79: without a slot from where the master ends": (
        standby("smdw", FURTHER),
        mirrored("mdw", {**CUT_OFF, "server.slots": []}),
        {},
        {"compare": True, "fork": FORK},
    ),
    "79: and kept aside before it is given up": (
        standby("smdw", FURTHER),
        mirrored("mdw", CUT_OFF),
        {"divergence": DIVERGED, "accept_data_loss": True},
        {"route": "delta", "stop": True, "keep_lost": True, "compare": False},
    ),
    "59: a damaged standby is stopped, and compared with the master": (
        standby("smdw", MUTE),
        mirrored(),
        {},
        {"route": "delta", "stop": True, "compare": False, "keep_lost": False},
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
        mirrored("mdw", {"server.slots": TWO["server.slots"], "server.timeline": 2, **NEWER}),
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


def test_a_delta_looks_from_where_the_new_master_has_heard_of_it() -> None:
    """A master that was set back may end before the timeline of the standby that was ahead of it (79)."""
    seen = {"mdw": activated(), "smdw": stopped_standby("smdw", REPLAYED)}
    plan, refusals = resync(seen, {"divergence": None, "resync_route": "delta"})
    assert refusals == []
    assert (plan["route"], plan["steps"]["compare"], plan["reached"]) == ("delta", ["smdw"], "0/3017F88")
