# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""switchover.yml: roles swapped on purpose, nothing lost; given up before the activation, the old master serves on."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg2
import pytest
from harness import (
    CLIENT_PASSWORD,
    DATA,
    SERVICE,
    Ledger,
    Pair,
    Running,
    accepts_writes,
    changed,
    flat,
    mirroring,
    on,
    play,
    sql,
    until,
)

THROUGH_ADDRESS = pytest.mark.parametrize("ledger", ["10.77.0.100"], indirect=True)
THROUGH_BOTH = pytest.mark.parametrize("ledger", ["mdw,smdw"], indirect=True)


def served(ledger: Ledger) -> None:
    """Commits go on."""
    count = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > count + 20, 30, "commits through the address")


@THROUGH_ADDRESS
def test_case_47_ten_switchovers_and_five_failovers_in_a_row(pair: Pair, ledger: Ledger) -> None:
    master, standby = pair
    ledger.swaps = 15
    for number in range(ledger.swaps):
        if number % 3 == 2:
            on(master, f"kill -9 $(head -1 {DATA}/postmaster.pid)")
            play("failover")
            play("resync_standby")
        else:
            play("switchover")
        master, standby = standby, master
        served(ledger)
        assert mirroring(master)[0] == "Synchronized"
        assert not accepts_writes(standby)
    ledger.stop()
    assert ledger.missing_on(master) == []


@THROUGH_BOTH
def test_a_switchover_lets_open_transactions_end(pair: Pair, ledger: Ledger, tmp_path: Path) -> None:
    said = play("switchover", "--check", "--diff")
    assert f"A run would swap {pair.master} and {pair.standby}" in said
    assert accepts_writes(pair.master)
    sql(pair.master, "DROP TABLE IF EXISTS slow; CREATE TABLE slow (n int); GRANT INSERT ON slow TO client")
    connection = psycopg2.connect(host=pair.master, user="client", password=CLIENT_PASSWORD, dbname="postgres")
    cursor = connection.cursor()
    cursor.execute("INSERT INTO slow VALUES (1)")
    run = Running("switchover", "-e", "drain_seconds=30", "-e", f"report_file={tmp_path}/report.json")
    ledger.stop()
    until(lambda: not accepts_writes(pair.master), 60, "no new session is let in")
    cursor.execute("SELECT pg_sleep(1)")
    connection.commit()
    connection.close()
    code, output = run.end()
    assert code == 0, output
    assert sql(pair.standby, "SELECT count(*) FROM slow") == "1"
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["facts"]["Data lost"].startswith("none")
    assert document["title"] == f"Swapped: {pair.standby} is the master now, {pair.master} was"
    # told who is to be the master, it may be run again
    again = play("switchover", "-e", f"master_host={pair.standby}")
    assert (changed(again), f"{pair.standby} is the master already" in again) == (0, True), again


def test_what_would_fail_is_refused_before_anything_is_stopped(pair: Pair) -> None:
    for prepare, undo, words in (
        (
            "SELECT pg_wal_replay_pause()",
            "SELECT pg_wal_replay_resume()",
            f"replay on {pair.standby} is paused",
        ),
        (
            "ALTER SYSTEM SET primary_conninfo = 'host=nowhere.invalid'; SELECT pg_reload_conf()",
            None,
            f"mirroring from {pair.master} to {pair.standby} is Not Synchronized",
        ),
    ):
        sql(pair.standby, prepare)
        if undo is None:
            until(lambda: mirroring(pair.master)[0] == "Not Synchronized", 30, "the master sees it")
        said = play("switchover", ok=False)
        assert words in flat(said)
        assert changed(said) == 0
        if undo:
            sql(pair.standby, undo)
    assert accepts_writes(pair.master)


@THROUGH_BOTH
def test_case_33_a_killed_switchover_is_taken_up_again(pair: Pair, ledger: Ledger) -> None:
    master, standby = pair
    ledger.swaps = 3
    for task in (
        "standby : Look for WAL that the standby lacks",
        "master : Activate it",
        "standby : Follow the master",
    ):
        run = Running("switchover", "-e", f"master_host={standby}")
        assert run.reaches(f"TASK [hawq.mirroring.{task}]"), run.output
        run.kill()
        play("switchover", "-e", f"master_host={standby}")
        master, standby = standby, master
        served(ledger)
        assert mirroring(master)[0] == "Synchronized"
        assert on(standby, f"systemctl is-active {SERVICE}") == "active"
        assert changed(play("switchover", "-e", f"master_host={master}")) == 0
    ledger.stop()
    assert ledger.missing_on(master) == []
