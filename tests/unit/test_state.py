# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of a group: problems, notes, lag, and whether a host could be rewound."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.state import rewind
from observations import (
    FOREIGN,
    Observation,
    control,
    empty,
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

HINTS = {"control.can_rewind": True}
BARE = {"control.can_rewind": False}
REWIND: dict[str, tuple[Observation, Observation | None, bool, bool, str]] = {
    "no master": (stopped(), None, False, False, "there is no master"),
    "unreachable": (unreachable(), mirrored(), False, False, "not reachable"),
    "nothing there": (empty(), mirrored(), False, False, "no readable data directory"),
    "foreign": (
        stopped("smdw", {"control.system_identifier": FOREIGN}),
        mirrored(),
        False,
        False,
        "belongs to another system",
    ),
    "no checksums, no hints": (stopped("smdw", BARE), mirrored(), False, False, "neither data checksums nor"),
    "hints do": (stopped("smdw", HINTS), mirrored(), True, True, "the master keeps the WAL"),
    "running standby": (standby(), mirrored(), False, True, "on the master's timeline"),
    "stopped standby": (stopped_standby(), mirrored(), False, True, "on the master's timeline"),
    "stopped standby, older timeline": (
        stopped_standby(),
        mirrored("mdw", {"server.timeline": 2}),
        True,
        True,
        "the master keeps the WAL",
    ),
    "running standby, older timeline": (
        standby(),
        mirrored("mdw", {"server.timeline": 2}),
        True,
        False,
        "must be stopped first",
    ),
    "former master": (
        stopped(),
        mirrored("mdw", {"server.slots": [slot(safe_bytes=72 << 20)]}),
        True,
        True,
        "the master keeps the WAL that it needs, for some 2 hours",
    ),
    "former master, slot lost": (
        stopped(),
        mirrored("mdw", {"server.slots": [slot(lost=True, wal="lost")]}),
        True,
        False,
        "keeps no WAL",
    ),
    "frozen former master": (frozen(master("smdw")), mirrored(), True, False, "must be stopped first"),
    "silent former master": (silent(), mirrored(), True, False, "must be stopped first"),
}


@pytest.mark.parametrize(("seen", "source", "needed", "possible", "reason"), REWIND.values(), ids=REWIND)
def test_rewind(seen: Observation, source: Observation | None, needed: bool, possible: bool, reason: str) -> None:
    answer = rewind.rewind("smdw", seen, source)
    assert (answer["needed"], answer["possible"]) == (needed, possible)
    assert reason in answer["reason"]


def row(summary: str, detail: str | None = None, message: str | None = None) -> dict[str, t.Any]:
    return {"summary_state": summary, "detail_state": detail, "since": None, "error_message": message}


STATES: dict[str, tuple[dict[str, Observation], dict[str, t.Any]]] = {
    "healthy": (
        {"mdw": mirrored(), "smdw": standby()},
        {"master": "mdw", "master_state": "Active", "standby": "smdw", "standby_state": "Standby host passive"},
    ),
    "healthy, roles swapped": (
        {"mdw": standby("mdw"), "smdw": mirrored("smdw", {"server.standbys": ["mdw"]})},
        {"master": "smdw", "standby": "mdw", "standby_state": "Standby host passive"},
    ),
    "no standby": (
        {"mdw": master(), "smdw": empty()},
        {"master_state": "Active", "standby": None, "standby_state": None, "wal_retained_bytes": 0, "readiness": []},
    ),
    "no master": (
        {"mdw": stopped("mdw"), "smdw": standby()},
        {"master": None, "master_state": "Down", "standby": "smdw", "timeline": None, "readiness": []},
    ),
    "master unreachable": ({"mdw": unreachable(), "smdw": standby()}, {"master": None, "master_state": "Unknown"}),
    "master silent": ({"mdw": silent("mdw"), "smdw": standby()}, {"master": None, "master_state": "Unknown"}),
    "two masters": (
        {"mdw": mirrored(), "smdw": master("smdw")},
        {"master": None, "masters": ["mdw", "smdw"], "master_state": "Active"},
    ),
    "standby stopped": ({"mdw": mirrored(), "smdw": stopped_standby()}, {"standby_state": "Unknown"}),
    "standby outside the inventory": ({"mdw": mirrored()}, {"standby": "smdw", "standby_state": "Unknown"}),
    "one that was a standby once has itself registered": (
        {"mdw": master("mdw", {"server.standbys": ["mdw"]})},
        {"standby": None, "standbys": []},
    ),
    "retained WAL": (
        {"mdw": mirrored("mdw", {"server.slots": [slot(), slot("other", retained_bytes=5000)]}), "smdw": standby()},
        {"wal_retained_bytes": 5000},
    ),
}


@pytest.mark.parametrize(("hosts", "expected"), STATES.values(), ids=STATES)
def test_state(hosts: dict[str, Observation], expected: dict[str, t.Any]) -> None:
    document = cases.state(hosts)
    assert {name: document[name] for name in expected} == expected
    assert set(document["hosts"]) == set(hosts)


LAGS: dict[str, tuple[dict[str, t.Any], int | None, float | None]] = {
    "none": ({}, 0, 0.0),
    "bytes, time not known": ({"server.current_lsn": "0/3017F98"}, 16, None),
    "both": (
        {
            "server.current_lsn": "1/0",
            "server.senders": [sender(replay_lsn="0/FFFFFFFF", replay_lag_seconds=0.25)],
        },
        1,
        0.25,
    ),
    "no sender": ({"server.senders": []}, None, None),
    "sender that has replayed nothing yet": ({"server.senders": [sender(replay_lsn=None)]}, None, None),
}


@pytest.mark.parametrize(("overrides", "bytes_", "seconds"), LAGS.values(), ids=LAGS)
def test_lag(overrides: dict[str, t.Any], bytes_: int | None, seconds: float | None) -> None:
    mirroring = cases.state({"mdw": mirrored("mdw", overrides), "smdw": standby()})["mirroring"]
    assert (mirroring["lag_bytes"], mirroring["lag_seconds"]) == (bytes_, seconds)


def test_control_is_read_when_there_is_no_session() -> None:
    seen = stopped("smdw", {"control": control("in production", timeline=7)})
    host = cases.state({"smdw": seen})["hosts"]["smdw"]
    assert (host["kind"], host["timeline"], host["lsn"]) == ("stopped", 7, None)
