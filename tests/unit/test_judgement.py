# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Topology, checks by themselves, and the state document."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import (
    checks,
    disk,
    settings,
    state,
    topology,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Refusal
from ansible_collections.hawq.mirroring.plugins.module_utils.values import options
from ansible_collections.hawq.mirroring.plugins.module_utils.values.text import size
from observations import (
    FOREIGN,
    GIGABYTE,
    Observation,
    change,
    control,
    directory,
    empty,
    ended,
    frozen,
    master,
    mirrored,
    sender,
    set_to,
    silent,
    slot,
    standby,
    stopped,
    stopped_standby,
    unreachable,
)

FILES = {"data_directory.state": "other", "data_directory.entries": ["thesis.tex"]}

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


SIZES = {0: "0 B", 1023: "1023 B", 1024: "1 kB", 5 << 20: "5 MB", 3 << 29: "1.5 GB", 5 << 40: "5120.0 GB"}


@pytest.mark.parametrize(("number", "words"), SIZES.items())
def test_size(number: int, words: str) -> None:
    assert size(number) == words


LISTENS = {"*": False, "": True, "localhost": True, "localhost, ::1,127.0.0.1": True, "localhost,10.9.0.2": False}


@pytest.mark.parametrize(("setting", "locally"), LISTENS.items())
def test_listens_locally(setting: str, locally: bool) -> None:
    listens = set_to(listen_addresses=setting)["server.settings"]["listens"]
    assert checks.listens_locally(listens) is locally


def test_sentence_says_found_why_and_command() -> None:
    assert Refusal("unreachable", "it rains", "you would get wet", "Take a coat").sentence() == (
        "it rains: you would get wet. Take a coat."
    )


PASSES: dict[str, t.Callable[[], list[Refusal]]] = {
    "same_machine: cloned machine-id": lambda: checks.same_machine(
        "smdw", empty("smdw", {"machine.machine_id": "mdw-id"}), "mdw", master()
    ),
    "same_machine: address behind NAT": lambda: checks.same_machine(
        "smdw", empty("smdw", {"machine.addresses": ["10.9.0.2"]}), "mdw", master()
    ),
    "same_machine: same path, own server": lambda: checks.same_machine("smdw", standby(), "mdw", master()),
    "same_machine: no pidfile on either": lambda: checks.same_machine("smdw", empty(), "mdw", stopped("mdw")),
    "network: not probed": lambda: checks.network("smdw", empty("smdw", {"probes": {}}), "mdw", master()),
    "port: by our own server": lambda: checks.port("smdw", standby(), 5432),
    "configuration: the same": lambda: checks.configuration(
        "smdw", empty("smdw", {"configuration.at_least": {"max_connections": "100"}}), master()
    ),
    "configuration: more": lambda: checks.configuration(
        "smdw", empty("smdw", {"configuration.at_least": {"max_connections": "1000"}}), master()
    ),
    "disk: size unknown": lambda: disk.disk("smdw", empty(), change(master(), {"server.sizes": None}), {}, "refuse"),
    "disk: two file systems": lambda: disk.disk(
        "smdw",
        empty(
            "smdw",
            {
                "data_directory.free_bytes": GIGABYTE,
                "directories": [directory("/ts2", free_bytes=5 * GIGABYTE, device=2)],
            },
        ),
        change(master(), {"server.sizes": [{"name": "ts", "bytes": 4 * GIGABYTE, "location": "/ts"}]}),
        {"/ts": "/ts2"},
        "refuse",
    ),
    "databases": lambda: checks.databases(master(), ["app"]),
    "settings that wait for a restart, but are none of a standby's": lambda: checks.pending_settings(
        "mdw", master("mdw", {"server.pending_restart": ["listen_addresses"]})
    ),
}


@pytest.mark.parametrize("check", PASSES.values(), ids=PASSES)
def test_check_passes(check: t.Callable[[], list[Refusal]]) -> None:
    assert check() == []


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


def test_a_setting_that_waits_for_a_restart_would_stop_the_copy() -> None:
    source = master("mdw", {"server.pending_restart": ["max_connections", "listen_addresses"]})
    (refusal,) = checks.pending_settings("mdw", source)
    assert "max_connections" in refusal.found
    assert "listen_addresses" not in refusal.found
    assert "systemctl restart hawq-master.service" in refusal.command


PLACES: dict[str, tuple[str, list[str], str]] = {
    "root": ("/", [], "absolute path"),
    "relative": ("ts", [], "absolute path"),
    "dots": ("/srv/../ts", [], "absolute path"),
    "the data directory": ("/data/hawq/master", [], "in or around the data directory"),
    "around the data directory": ("/data", [], "in or around the data directory"),
    "inside the data directory": ("/data/hawq/master/ts", [], "in or around the data directory"),
    "somebody's files": ("/srv/company", ["README", "mail"], "not a tablespace's files"),
}


@pytest.mark.parametrize(("place", "entries", "why"), PLACES.values(), ids=PLACES)
def test_a_tablespace_takes_nobody_elses_place(place: str, entries: list[str], why: str) -> None:
    source = master("mdw", {"server.tablespaces": [{"name": "ts", "location": "/ts"}]})
    seen = empty("smdw", {"directories": [directory(place, *entries, free_bytes=1, device=1)]})
    (refusal,) = disk.tablespace_places(seen, {"/ts": place}, source, "discard")
    assert why in refusal.why


def test_a_tablespaces_own_files_are_a_matter_of_existing_data() -> None:
    source = master("mdw", {"server.tablespaces": [{"name": "ts", "location": "/ts"}]})
    entry = directory("/ts", "PG_15_202209061", free_bytes=1, device=1)
    assert disk.tablespace_places(empty("smdw", {"directories": [entry]}), {}, source, "discard") == []


def test_links_in_the_data_directory_would_be_left_out() -> None:
    (refusal,) = disk.linked_files("mdw", master("mdw", {"data_directory.linked_files": ["pg_hba.conf"]}))
    assert "pg_hba.conf in /data/hawq/master on mdw" in refusal.found


@pytest.mark.parametrize("state", ["shut down", "in production"])
def test_a_former_master_with_standby_signal_is_no_standby(state: str) -> None:
    seen = stopped("smdw", {"data_directory.marked_standby": True, **ended(state)})
    assert topology.kind(seen) == "stopped"


COPY = {"data_directory.marked_standby": True, "data_directory.unstarted_copy": True}


def test_a_copy_that_was_never_started_is_a_standby() -> None:
    seen = stopped("smdw", {**COPY, **ended("in production")})
    assert topology.kind(seen) == "stopped standby"


MISFITS: dict[str, tuple[str, t.Any]] = {
    "role with a space": ("master_replication_user", "rep user"),
    "role that is a keyword": ("master_replication_user", "all"),
    "role of the system": ("master_replication_user", "pg_monitor"),
    "rate": ("standby_snapshot_rate_limit", "abc"),
    "port 0": ("server_port", 0),
    "port beyond": ("server_port", 65536),
    "nothing kept": ("master_wal_keep_megabytes", -1),
}


@pytest.mark.parametrize(("name", "value"), MISFITS.values(), ids=MISFITS)
def test_values_that_cannot_work(name: str, value: t.Any) -> None:
    (sentence,) = options.misfits({name: value})
    assert name in sentence


def test_values_that_work() -> None:
    values = {"master_replication_user": "hawq_mirroring", "standby_snapshot_rate_limit": "32M", "server_port": 65535}
    assert options.misfits({**values, "master_wal_keep_megabytes": 1}) == []


def test_a_recovery_target_does_not_reach_the_standby() -> None:
    source = master("mdw", set_to(recovery_target="immediate"))
    assert settings.standby_overrides(source, 5432, [], "smdw") == {"recovery_target": ""}


def test_nothing_is_noted_of_a_standby_that_is_being_put_in_order() -> None:
    lost = mirrored("mdw", {"server.mirroring": row("Not Synchronized", "Connection error"), "server.senders": []})
    seen = {"mdw": lost, "smdw": stopped_standby()}
    assert any("bring smdw back" in note for note in state.document(seen)["notes"])
    assert state.document(seen, "smdw")["notes"] == []
    assert any("has no standby" in note for note in state.document({"mdw": master()})["notes"])
    assert state.document({"mdw": master()}, "smdw")["notes"] == []
