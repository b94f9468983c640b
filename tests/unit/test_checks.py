# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The checks of a master and a host that is to become its standby: when they are content."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import checks
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Refusal
from observations import empty, master, set_to, standby, stopped

LISTENS = {"*": False, "": True, "localhost": True, "localhost, ::1,127.0.0.1": True, "localhost,10.9.0.2": False}


@pytest.mark.parametrize(("setting", "locally"), LISTENS.items())
def test_listens_locally(setting: str, locally: bool) -> None:
    listens = set_to(listen_addresses=setting)["server.settings"]["listens"]
    assert checks.listens_locally(listens) is locally


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
    "databases": lambda: checks.databases(master(), ["app"]),
    "settings that wait for a restart, but are none of a standby's": lambda: checks.pending_settings(
        "mdw", master("mdw", {"server.pending_restart": ["listen_addresses"]})
    ),
}


@pytest.mark.parametrize("check", PASSES.values(), ids=PASSES)
def test_check_passes(check: t.Callable[[], list[Refusal]]) -> None:
    assert check() == []


def test_a_setting_that_waits_for_a_restart_would_stop_the_copy() -> None:
    source = master("mdw", {"server.pending_restart": ["max_connections", "listen_addresses"]})
    (refusal,) = checks.pending_settings("mdw", source)
    assert "max_connections" in refusal.found
    assert "listen_addresses" not in refusal.found
    assert "systemctl restart hawq-master.service" in refusal.command


@pytest.mark.parametrize("choice", ["refuse", "keep", "discard"])
def test_files_of_another_user_are_neither_moved_nor_deleted(choice: str) -> None:
    files = {"data_directory.state": "other", "data_directory.entries": ["notes.txt"]}
    (refusal,) = checks.existing_data(
        "smdw", empty("smdw", {**files, "data_directory.owner": "root"}), master(), choice
    )
    assert refusal.kind == "holds-data"
    assert "belongs to root and not to gpadmin, and has files in it (notes.txt)" in refusal.found
    assert "existing_data" not in refusal.command
    assert "(on smdw: mv /data/hawq/master /data/hawq/master.away)" in refusal.command
    mine = empty("smdw", {**files, "data_directory.owner": "gpadmin"})
    assert len(checks.existing_data("smdw", mine, master(), choice)) == (choice == "refuse")


@pytest.mark.parametrize("choice", ["refuse", "keep", "discard"])
def test_a_directory_that_the_servers_user_cannot_look_into_is_no_one_to_decide_on(choice: str) -> None:
    """It may hold the data of another user, or the user may not pass through what is above it."""
    closed = empty("smdw", {"data_directory.state": "other", "data_directory.entries": []})
    (refusal,) = checks.existing_data("smdw", closed, master(), choice)
    assert refusal.kind == "directory-closed"
    assert "mv /data/hawq/master /data/hawq/master.away" in refusal.command
    assert "chown -h gpadmin /data/hawq/master" in refusal.command
    closed["data_directory"]["real_path"] = "/root"
    (refusal,) = checks.existing_data("smdw", closed, master(), choice)
    assert "leads to /root" in refusal.command
    assert "chown" not in refusal.command


LONG = "database-host-of-the-department-in-the-old-building"


@pytest.mark.parametrize(
    ("name", "others", "same"),
    [
        ("pg-1", ["mdw", "pg_1"], ["pg_1"]),
        ("PG.1", ["mdw", "pg-1", "PG.1"], ["pg-1"]),
        (f"{LONG}-1", [f"{LONG}-2"], [f"{LONG}-2"]),
        ("smdw", ["mdw", "smdw", "smdw2"], []),
    ],
)
def test_no_host_takes_anothers_slot(name: str, others: list[str], same: list[str]) -> None:
    found = checks.slot(name, others)
    assert [row.kind for row in found] == ["same-slot"] * len(same)
    assert all(f"{name} and {other} would have the same" in row.found for row, other in zip(found, same))
