# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""In which order a standby becomes the master, what it then gets, and what is told instead of failing."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import promotion, server_info
from ansible_collections.hawq.mirroring.plugins.module_utils.host import virtual_ip
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places
from sessions import Answers, given, instance_in

STATUS = {
    "in_recovery": True,
    "replay_lsn": "0/5000060",
    "receive_lsn": "0/5000060",
    "synchronous": "",
    "keep": "10GB",
}
RESUME, PROMOTE = "SELECT pg_wal_replay_resume()", "SELECT pg_promote(false)"
COMMIT = "SELECT pg_current_xact_id()"
SLOT = "SELECT pg_create_physical_replication_slot(hawq_mirroring_mdw, true)"


def standby(polls: int = 2, paused: bool = False, **status: t.Any) -> Answers:
    """What a standby answers that is a master from the so-manieth look on."""
    looks = iter([True] * polls)
    return {
        promotion.STATUS: lambda: [{**STATUS, **status, "in_recovery": next(looks, False)}],
        promotion.TIMELINE: [{"timeline": 2}],
        server_info.SEGMENTS_EXIST: [{"there": True}],
        promotion.ROLE: [{}],
        server_info.STANDBYS: [],
        server_info.MASTER_NAME: [{"name": "smdw"}],
        "SELECT pg_is_wal_replay_paused() AS paused": [{"paused": paused}],
    }


def activate(place: Path, act: bool = True, **options: t.Any) -> dict[str, t.Any]:
    wanted: dict[str, t.Any] = {
        "role": "hawq_mirroring",
        "name": "smdw",
        "slots": [],
        "standbys": [],
        "wal_keep_megabytes": 10240,
        "address": {"address": "", "interface": ""},
        "address_timeout": 1,
        "timeout": 60,
        "warn": pytest.fail,
    }
    return promotion.activate(instance_in(place), t.cast("t.Any", None), act, **{**wanted, **options})


def test_wal_is_kept_before_the_promotion_and_a_write_commits_after_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cursor = given(monkeypatch, standby(paused=True))
    (tmp_path / "pg_wal").mkdir()
    (tmp_path / "pg_wal/00000002.history").write_text("1\t0/5000060\tno recovery target specified\n")
    (tmp_path / places.RECORD).write_text("{}")
    done = activate(tmp_path, slots=["hawq_mirroring_mdw"])
    assert [line for line in cursor.told if line in (SLOT, RESUME, PROMOTE, COMMIT)] == [SLOT, RESUME, PROMOTE, COMMIT]
    assert (done["changed"], done["promoted"], done["timeline"]) == (True, True, 2)
    assert done["activation_lsn"] == "0/5000060"
    assert not (tmp_path / places.RECORD).exists()


def test_a_master_is_not_promoted_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cursor = given(monkeypatch, standby(polls=0))
    done = activate(tmp_path)
    assert (done["changed"], done["promoted"], done["activation_lsn"]) == (False, False, None)
    assert cursor.told == [COMMIT]


def test_a_check_asks_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cursor = given(monkeypatch, standby())
    assert activate(tmp_path, act=False) == {
        "changed": True,
        "promoted": True,
        "diff": {"before": "standby\n", "after": "master\n"},
    }
    assert cursor.told == []


def test_commits_wait_for_nobody_and_slots_get_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cursor = given(monkeypatch, standby(synchronous="smdw", keep="-1"))
    done = activate(tmp_path, standbys=["sdw1"])
    assert done["released_from"] == "smdw"
    assert done["done"] == [
        "synchronous_standby_names emptied",
        "max_slot_wal_keep_size limited",
        "standbys registered",
    ]
    assert "ALTER SYSTEM SET max_slot_wal_keep_size = '10240MB'" in cursor.told


def test_a_promotion_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, standby(polls=1000))
    with pytest.raises(MirroringError, match="replay stands at 0/5000060 of 0/5000060"):
        activate(tmp_path, timeout=0)


def test_an_address_that_stays_away_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def take(*_arguments: t.Any) -> None:
        raise MirroringError("it is not on eth0")

    given(monkeypatch, standby())
    monkeypatch.setattr(virtual_ip, "here", lambda run, address: False)
    monkeypatch.setattr(virtual_ip, "take", take)
    done = activate(tmp_path, address={"address": "192.0.2.10/24", "interface": "eth0"})
    assert (done["promoted"], done["address_trouble"]) == (True, "it is not on eth0")
