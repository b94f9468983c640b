# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options by name and value: what is misspelt, and what cannot work."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import options

MISFITS: dict[str, tuple[str, t.Any]] = {
    "role with a space": ("master_replication_user", "rep user"),
    "role that is a keyword": ("master_replication_user", "all"),
    "role of the system": ("master_replication_user", "pg_monitor"),
    "rate": ("standby_snapshot_rate_limit", "abc"),
    "port 0": ("server_port", 0),
    "port beyond": ("server_port", 65536),
    "segments' role that replicates for anybody": ("master_segment_user", "replication"),
    "no time between two reports": ("segment_interval", 0),
    "nothing kept": ("master_wal_keep_megabytes", -1),
}


@pytest.mark.parametrize(("name", "value"), MISFITS.values(), ids=MISFITS)
def test_values_that_cannot_work(name: str, value: t.Any) -> None:
    (sentence,) = options.misfits({name: value})
    assert name in sentence


def test_values_that_work() -> None:
    values = {"master_replication_user": "hawq_mirroring", "standby_snapshot_rate_limit": "32M", "server_port": 65535}
    assert options.misfits({**values, "master_wal_keep_megabytes": 1}) == []


def test_segments_need_a_role_of_their_own() -> None:
    (sentence,) = options.misfits({"master_segment_user": "hawq_mirroring"})
    assert sentence.startswith("master_replication_user and master_segment_user are one role")
    assert options.misfits({"master_segment_user": "hawq_mirroring", "master_replication_user": "other"}) == []


def test_only_segments_are_ignored_as_witnesses() -> None:
    assert options.strangers(["sdw1"], ["sdw1", "sdw2"]) == []
    assert options.names(["sdw1", " sdw2", ""]) == ["sdw1", "sdw2"]
    assert options.names(None) == []
    (sentence,) = options.strangers(["sdw1", "mdw"], ["sdw1"])
    assert sentence == "ignore_witness names mdw, not in the group segments (its hosts are sdw1)"


KNOWN = ["standby_host", "existing_data", "server_port", "master_restart_allowed"]
NAMES: dict[str, tuple[list[str], dict[str, str | None]]] = {
    "known": (["standby_host", "server_port"], {}),
    "misspelt": (["standy_host"], {"standy_host": "standby_host"}),
    "misspelt with a known prefix": (["server_prot"], {"server_prot": "server_port"}),
    "unknown with a role's prefix": (["server_colour"], {"server_colour": None}),
    "somebody else's": (["nginx_port", "my_app"], {}),
    "prefix without an underscore": (["serverless"], {}),
    "Ansible's own": (["ansible_host", "inventory_hostname", "group_names"], {}),
    "other capitals": (["Standby_host"], {"Standby_host": "standby_host"}),
}


@pytest.mark.parametrize(("names", "wrong"), NAMES.values(), ids=NAMES)
def test_misspelt(names: list[str], wrong: dict[str, str | None]) -> None:
    assert options.misspelt(names, KNOWN, ["server", "standby"]) == wrong


def test_misspelt_sentence() -> None:
    wrong = {"standy_host": "standby_host", "server_colour": None}
    assert options.sentence(wrong, "in the inventory") == (
        "unknown variables in the inventory: server_colour, standy_host (did you mean standby_host?)"
    )
