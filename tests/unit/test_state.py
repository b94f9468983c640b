# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of a group: problems, notes, lag, and whether a host could be rewound."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import state
from observations import (
    FOREIGN,
    REMOVED,
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
    "running standby": (standby(), mirrored(), False, True, "not needed"),
    "stopped standby": (stopped_standby(), mirrored(), False, True, "not needed"),
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
    answer = state.rewind("smdw", seen, source)
    assert (answer["needed"], answer["possible"]) == (needed, possible)
    assert reason in answer["reason"]


def row(summary: str, detail: str | None = None, message: str | None = None) -> dict[str, t.Any]:
    return {"summary_state": summary, "detail_state": detail, "since": None, "error_message": message}


STATES: dict[str, tuple[dict[str, Observation], dict[str, t.Any], list[str]]] = {
    "healthy": (
        {"mdw": mirrored(), "smdw": standby()},
        {"master": "mdw", "master_state": "Active", "standby": "smdw", "standby_state": "Standby host passive"},
        [],
    ),
    "healthy, roles swapped": (
        {"mdw": standby("mdw"), "smdw": mirrored("smdw", {"server.standbys": ["mdw"]})},
        {"master": "smdw", "standby": "mdw", "standby_state": "Standby host passive"},
        [],
    ),
    "no standby": (
        {"mdw": master(), "smdw": empty()},
        {"master_state": "Active", "standby": None, "standby_state": None, "wal_retained_bytes": 0},
        [],
    ),
    "no master": (
        {"mdw": stopped("mdw"), "smdw": standby()},
        {"master": None, "master_state": "Down", "standby": "smdw", "timeline": None},
        ["no host accepts writes"],
    ),
    "master unreachable": (
        {"mdw": unreachable(), "smdw": standby()},
        {"master": None, "master_state": "Unknown"},
        ["no host accepts writes"],
    ),
    "master silent": (
        {"mdw": silent("mdw"), "smdw": standby()},
        {"master": None, "master_state": "Unknown"},
        ["no host accepts writes"],
    ),
    "two masters": (
        {"mdw": mirrored(), "smdw": master("smdw")},
        {"master": None, "masters": ["mdw", "smdw"], "master_state": "Active"},
        ["mdw and smdw both accept writes"],
    ),
    "standby stopped": (
        {
            "mdw": mirrored("mdw", {"server.mirroring": row("Not Synchronized", "Connection error", "not connected")}),
            "smdw": stopped_standby(),
        },
        {"standby_state": "Unknown"},
        ["standby smdw is Not Synchronized (Connection error)"],
    ),
    "standby behind": (
        {"mdw": mirrored("mdw", {"server.mirroring": row("Synchronizing", None, "9 GB behind")}), "smdw": standby()},
        {"standby_state": "Standby host passive"},
        ["standby smdw is Synchronizing (9 GB behind)"],
    ),
    "reason unknown": (
        {"mdw": mirrored("mdw", {"server.mirroring": row("Synchronizing")}), "smdw": unreachable()},
        {"standby_state": "Unknown"},
        ["standby smdw is Synchronizing (no reason known)"],
    ),
    "view missing": (
        {"mdw": mirrored("mdw", {"server.mirroring": None}), "smdw": standby()},
        {},
        ["standby smdw is Not Synchronized (Unexpected error)"],
    ),
    "standby outside the inventory": (
        {"mdw": mirrored()},
        {"standby": "smdw", "standby_state": "Unknown"},
        [],
    ),
    "retained WAL": (
        {"mdw": mirrored("mdw", {"server.slots": [slot(), slot("other", retained_bytes=5000)]}), "smdw": standby()},
        {"wal_retained_bytes": 5000},
        [],
    ),
}
AWAITED = [slot("hawq_mirroring_sdw1"), slot("hawq_mirroring_mdw", active=False, active_pid=None)]
NOTES: dict[str, tuple[dict[str, Observation], list[str]]] = {
    "all is well": ({"mdw": mirrored(), "smdw": standby()}, []),
    "no master": (
        {"mdw": unreachable(), "smdw": standby()},
        [
            "if mdw is off for certain, make smdw the master: ansible-playbook hawq.mirroring.failover"
            " -e master_is_down=true"
        ],
    ),
    "crashed master": (
        {"mdw": stopped("mdw"), "smdw": standby()},
        [
            "start mdw again (there: systemctl start hawq-master.service), or make smdw the master: ansible-playbook"
            " hawq.mirroring.failover"
        ],
    ),
    "crashed master, and the host of a further standby is off": (
        {"mdw": unreachable("mdw"), "sdw1": stopped("sdw1"), "smdw": standby()},
        [
            "start sdw1 again (there: systemctl start hawq-master.service), or make smdw the master: ansible-playbook"
            " hawq.mirroring.failover"
        ],
    ),
    "fenced master": (
        {"mdw": stopped("mdw", {"data_directory.fenced": True}), "smdw": standby()},
        ["if the master is lost, make smdw the master: ansible-playbook hawq.mirroring.failover"],
    ),
    "a unit that does not start at boot": (
        {"mdw": mirrored("mdw", {"service.enabled": "disabled"}), "smdw": standby()},
        ["hawq-master.service on mdw would not start at boot (there: systemctl enable hawq-master.service)"],
    ),
    "data that was kept aside": (
        {
            "mdw": mirrored(),
            "smdw": standby("smdw", {"data_directory.kept": ["/data/hawq/master.hawq-lost-0-3000028"]}),
        },
        ["kept aside on smdw, to be deleted when nobody needs it: /data/hawq/master.hawq-lost-0-3000028"],
    ),
    "a standby that was removed while its host was off": (
        {"mdw": mirrored(), "smdw": standby(), "sdw1": standby("sdw1", {"server.access_rules": "other"})},
        [
            "sdw1 runs as a standby that mdw does not know. Take it away: ansible-playbook"
            " hawq.mirroring.remove_standby -e standby_host=sdw1; or in: ansible-playbook"
            " hawq.mirroring.resync_standby -e standby_host=sdw1 -e additional_standby=true"
        ],
    ),
    "no standby": ({"mdw": master()}, ["mdw has no standby: ansible-playbook hawq.mirroring.init_standby"]),
    "no standby after a failover": (
        {
            "mdw": stopped("mdw", {"data_directory.fenced": True}),
            "smdw": master("smdw", {"server.slots": [slot("hawq_mirroring_mdw")]}),
        },
        [
            "smdw has no standby (slot hawq_mirroring_mdw keeps WAL for one):"
            " ansible-playbook hawq.mirroring.resync_standby"
        ],
    ),
    "no standby, the former master's host is off": (
        {"mdw": unreachable(), "smdw": master("smdw", {"server.slots": [slot("hawq_mirroring_mdw")]})},
        [
            "smdw has no standby (slot hawq_mirroring_mdw keeps WAL for one):"
            " ansible-playbook hawq.mirroring.resync_standby"
        ],
    ),
    "standby stopped": (
        {
            "mdw": mirrored("mdw", {"server.mirroring": row("Not Synchronized", "Connection error", "not connected")}),
            "smdw": stopped_standby(),
        },
        ["bring smdw back: ansible-playbook hawq.mirroring.resync_standby"],
    ),
    "a former master is awaited, beside a standby": (
        {
            "mdw": unreachable(),
            "smdw": mirrored("smdw", {"server.standbys": ["sdw1"], "server.slots": AWAITED}),
            "sdw1": standby("sdw1"),
        },
        ["switch mdw on, then bring mdw back: ansible-playbook hawq.mirroring.resync_standby -e standby_host=mdw"],
    ),
    "no standby, three hosts": (
        {"mdw": master(), "smdw": empty(), "sdw1": empty("sdw1")},
        ["mdw has no standby: ansible-playbook hawq.mirroring.init_standby -e standby_host=HOST"],
    ),
    "being copied, or catching up": (
        {"mdw": mirrored("mdw", {"server.mirroring": row("Synchronizing", None, "9 GB behind")}), "smdw": standby()},
        [],
    ),
    "nothing anywhere": (
        {"mdw": empty("mdw"), "smdw": empty()},
        ["Make a master first: ansible-playbook hawq.mirroring.init_master -e master_host=HOST"],
    ),
    "other rules": (
        {"mdw": mirrored(), "smdw": standby("smdw", {"server.access_rules": "other"})},
        [
            "pg_hba.conf on smdw has other rules than on mdw: after a failover clients may be locked out."
            " Make them alike"
        ],
    ),
}


@pytest.mark.parametrize(("hosts", "notes"), NOTES.values(), ids=NOTES)
def test_notes(hosts: dict[str, Observation], notes: list[str]) -> None:
    assert state.document(hosts)["notes"] == notes


@pytest.mark.parametrize(("hosts", "expected", "problems"), STATES.values(), ids=STATES)
def test_state(hosts: dict[str, Observation], expected: dict[str, t.Any], problems: list[str]) -> None:
    document = state.document(hosts)
    assert {name: document[name] for name in expected} == expected
    assert document["problems"] == problems
    assert document["healthy"] is not bool(problems)
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
    mirroring = state.document({"mdw": mirrored("mdw", overrides), "smdw": standby()})["mirroring"]
    assert (mirroring["lag_bytes"], mirroring["lag_seconds"]) == (bytes_, seconds)


def test_control_is_read_when_there_is_no_session() -> None:
    seen = stopped("smdw", {"control": control("in production", timeline=7)})
    host = state.document({"smdw": seen})["hosts"]["smdw"]
    assert (host["kind"], host["timeline"], host["lsn"]) == ("stopped", 7, None)


def test_nothing_is_noted_of_a_standby_that_is_being_put_in_order() -> None:
    lost = mirrored("mdw", {"server.mirroring": row("Not Synchronized", "Connection error"), "server.senders": []})
    seen = {"mdw": lost, "smdw": stopped_standby()}
    assert any("bring smdw back" in note for note in state.document(seen)["notes"])
    assert state.document(seen, "smdw")["notes"] == []
    assert any("has no standby" in note for note in state.document({"mdw": master()})["notes"])
    assert state.document({"mdw": master()}, "smdw")["notes"] == []


def test_a_problem_says_what_the_standbys_login_is_answered() -> None:
    not_there = {"summary_state": "Not Synchronized", "detail_state": "Connection error", "since": None}
    lost = mirrored("mdw", {"server.mirroring": {**not_there, "error_message": None}})
    refused = standby("smdw", {"credentials.login": "FATAL: password authentication failed"})
    assert state.document({"mdw": lost, "smdw": refused})["problems"] == [
        "standby smdw is Not Synchronized (Connection error; its login to the master is answered: FATAL: password"
        " authentication failed)"
    ]


def test_nothing_is_wrong_with_a_group_whose_standby_was_removed() -> None:
    document = state.document({"mdw": master(), "smdw": stopped_standby("smdw", REMOVED)})
    assert (document["healthy"], document["mirroring"]["summary_state"]) == (True, "Not Configured")
