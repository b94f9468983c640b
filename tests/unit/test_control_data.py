# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What pg_controldata and postmaster.pid say."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import control_data
from cases import rows

SAMPLES = Path(__file__).parent / "controldata"
COMMON = {
    "wal_level": "replica",
    "wal_log_hints": "off",
    "timeline": 1,
    "wal_segment_bytes": 16777216,
    "checksum_version": 1,
    "max_connections": 100,
    "max_worker_processes": 8,
    "max_wal_senders": 10,
    "max_prepared_transactions": 0,
    "max_locks_per_transaction": 64,
}


@pytest.mark.parametrize(
    ("sample", "fields"),
    rows(
        {
            "PostgreSQL 15, master": (
                "15-master",
                {
                    "system_identifier": "7711308009646152291",
                    "state": "shut down",
                    "min_recovery_lsn": "0/0",
                    "min_recovery_timeline": 0,
                },
            ),
            "PostgreSQL 15, standby": (
                "15-standby",
                {
                    "system_identifier": "7711308009646152291",
                    "state": "shut down in recovery",
                    "checkpoint_lsn": "0/3017F10",
                    "redo_lsn": "0/3017ED8",
                    "min_recovery_lsn": "0/3017F88",
                    "min_recovery_timeline": 1,
                },
            ),
            "PostgreSQL 18": (
                "18-initdb",
                {
                    "system_identifier": "7711308232729292413",
                    "state": "shut down",
                    "checkpoint_lsn": "0/16ED420",
                    "redo_lsn": "0/16ED420",
                    "min_recovery_lsn": "0/0",
                    "min_recovery_timeline": 0,
                },
            ),
        }
    ),
)
def test_controldata(sample: str, fields: dict[str, str | int]) -> None:
    found = control_data.parse((SAMPLES / f"{sample}.txt").read_text())
    assert {key: found[key] for key in {**COMMON, **fields}} == {**COMMON, **fields}
    assert set(found) == {*control_data._TEXT.values(), *control_data._NUMBERS.values()}


def test_controldata_of_nothing() -> None:
    assert control_data.parse("pg_controldata: error: could not open file\n") == {}


@pytest.mark.parametrize(
    ("text", "found"),
    rows(
        {
            "running": (
                "7716\n/data\n1795428856\n5998\n/tmp\n\n  2384897         5\nready   \n",
                {
                    "pid": 7716,
                    "data_directory": "/data",
                    "started": 1795428856,
                    "port": 5998,
                    "socket_directory": "/tmp",
                    "status": "ready",
                },
            ),
            "single-user server": (
                "-7716\n/data\n1795428856\n",
                {"pid": 7716, "data_directory": "/data", "started": 1795428856, "socket_directory": "", "status": ""},
            ),
            "empty": ("", {"data_directory": "", "socket_directory": "", "status": ""}),
            "garbage": ("--7\n\n\u00b2\nport\n", {"data_directory": "", "socket_directory": "", "status": ""}),
        }
    ),
)
def test_postmaster_pid(text: str, found: dict[str, str | int]) -> None:
    assert control_data.parse_postmaster_pid(text) == found
