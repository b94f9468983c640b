# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What would keep a standby from becoming the master, found out before anybody is touched."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import fitness
from cases import Refusals, assert_refused
from observations import (
    FOREIGN,
    FORMER,
    Observation,
    crashed,
    empty,
    frozen,
    master,
    mute,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

PROMOTED = {"histories": {"2": [[1, "0/3017F88"]]}}
ON_2 = {"control.timeline": 2}
DAMAGED = {"server_damage": "invalid page in block 3 of relation base/5/1255."}
LACKS = {"binaries.missing": ["postgres"]}
FULL = {"data_directory.wal_free_bytes": 16 << 20}
#: mdw, smdw, refusals, and those that stay when the loss is accepted
TABLE: dict[str, tuple[Observation, Observation, Refusals, int]] = {
    "nothing": (crashed(), standby(), [], 0),
    "its WAL's disk is full": (
        crashed(),
        standby("smdw", FULL),
        [("wal-disk-too-small", "Make room there (/data/hawq/master)")],
        1,
    ),
    "its WAL's disk is full, segments are small": (
        crashed(),
        standby("smdw", {**FULL, "control.wal_segment_bytes": 1 << 20}),
        [],
        0,
    ),
    "its WAL's disk takes no more files": (
        crashed(),
        standby("smdw", {"data_directory.wal_free_files": 3}),
        [("wal-disk-too-small", "Delete files there that nobody needs")],
        1,
    ),
    "its user may not write its WAL": (
        crashed(),
        standby("smdw", {"data_directory.closed": "/data/hawq/master/pg_wal"}),
        [("data-closed", "Open it, on smdw: chown gpadmin /data/hawq/master/pg_wal")],
        1,
    ),
    "it runs, and lacks programs": (crashed(), standby("smdw", LACKS), [], 0),
    "it is stopped, and lacks programs": (
        crashed(),
        stopped_standby("smdw", LACKS),
        [("programs-missing", "Install them there")],
        1,
    ),
    "its data is damaged": (
        crashed(),
        standby("smdw", DAMAGED),
        [("data-damaged", "If the data of mdw is whole, bring its server up instead. Start it on mdw (")],
        0,
    ),
    "the old master is on a newer timeline": (
        stopped("mdw", ON_2),
        standby(),
        [("newer-timeline", "Start it on mdw (systemctl start hawq-master.service")],
        0,
    ),
    "the old master was promoted just now": (
        stopped("mdw", PROMOTED),
        standby(),
        [("newer-timeline", "Start it on mdw")],
        0,
    ),
    "the old master is on a newer timeline, and fenced": (
        stopped("mdw", {**FORMER, **ON_2}),
        standby(),
        [("newer-timeline", "If it is certain that nobody took over, go back to mdw")],
        0,
    ),
    "the old master is on a newer timeline, and frozen": (
        frozen(master("mdw", {**ON_2, "server.timeline": 2})),
        standby(),
        [("newer-timeline", "On mdw, let it go on there")],
        0,
    ),
    "the old master is on a newer timeline, a standby without a session may be there": (
        stopped("mdw", {**ON_2, **PROMOTED}),
        mute("smdw", PROMOTED),
        [],
        0,
    ),
    "the old master is on a newer timeline, a standby without a session is not there": (
        stopped("mdw", ON_2),
        mute(),
        [("newer-timeline", "Start it on mdw")],
        0,
    ),
    "both are on the newer timeline": (stopped("mdw", ON_2), standby("smdw", {"server.timeline": 2}), [], 0),
    "the old master is an older standby": (stopped_standby("mdw", ON_2), standby(), [], 0),
    "the old master's host is off": (unreachable(), standby(), [], 0),
    "the old master's data is gone": (empty("mdw"), standby(), [], 0),
}


@pytest.mark.parametrize(("mdw", "smdw", "expected", "stay"), TABLE.values(), ids=TABLE)
def test_what_would_make_it_fail(mdw: Observation, smdw: Observation, expected: Refusals, stay: int) -> None:
    hosts = {"mdw": mdw, "smdw": smdw}
    assert_refused(fitness.refusals("mdw", "smdw", hosts, {"accept_data_loss": False}), expected)
    assert len(fitness.refusals("mdw", "smdw", hosts, {"accept_data_loss": True})) == stay


SOURCES: dict[str, tuple[Observation, int]] = {
    "crashed": (crashed(), 1),
    "off": (unreachable(), 0),
    "its data is gone": (empty("mdw"), 0),
    "another system": (crashed({"control.system_identifier": FOREIGN}), 0),
}


@pytest.mark.parametrize(("mdw", "number"), SOURCES.values(), ids=SOURCES)
def test_whose_data_tells_what_the_standby_needs(mdw: Observation, number: int) -> None:
    assert len(fitness.sources("mdw", "smdw", {"mdw": mdw, "smdw": standby()})) == number
