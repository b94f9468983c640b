# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A standby is activated whether or not it gives a session, and nobody holds that up (acceptance cases 54, 55, 57)."""

from __future__ import annotations

import contextlib
import json
import typing as t
from pathlib import Path

import psycopg2
import pytest
from harness import (
    CLIENT_PASSWORD,
    DATA,
    SERVICE,
    Ledger,
    Pair,
    accepts_writes,
    changed,
    flat,
    on,
    play,
    sql,
    until,
    unwrapped,
)

THROUGH_BOTH = pytest.mark.parametrize("ledger", ["mdw,smdw"], indirect=True)
#: as many sessions of the superuser as there are, taken again at once when some are free (the standby may have been
#: started anew, for WAL that was salvaged), until the unit ends
CROWD = """
import psycopg2, time
held = []
while True:
    try:
        held.append(psycopg2.connect(host='/tmp', dbname='postgres', user='gpadmin'))
    except psycopg2.Error:
        print('no more', flush=True)
        time.sleep(0.05)
"""
#: a transaction that has read a table and stays open
READER = """
import psycopg2, time
connection = psycopg2.connect(host='/tmp', dbname='postgres', user='gpadmin')
connection.cursor().execute('SELECT count(*) FROM bulk')
print('no more', flush=True)
time.sleep(900)
"""


def keep_running(host: str, name: str, program: str) -> None:
    """Let a client of the host's server run until the test ends it, and wait until it holds what it wants."""
    unit = f"systemctl stop {name} 2>&-; systemctl reset-failed {name} 2>&-"
    on(host, f'{unit}; systemd-run -q --collect --uid=gpadmin --unit={name} python3 -c "{program}"', check=False)
    until(lambda: "no more" in on(host, f"journalctl -o cat -u {name} -n 2"), 30, f"{name} has what it wants")


@contextlib.contextmanager
def sessions_taken(pair: Pair) -> t.Iterator[None]:
    keep_running(pair.standby, "crowd", CROWD)
    try:
        yield
    finally:
        on(pair.standby, "systemctl stop crowd", check=False)


@contextlib.contextmanager
def hot_standby_off(pair: Pair) -> t.Iterator[None]:
    sql(pair.standby, "ALTER SYSTEM SET hot_standby = off")
    on(pair.standby, f"systemctl restart {SERVICE}")
    ready = f"tail -1 {DATA}/postmaster.pid"
    until(lambda: "standby" in on(pair.standby, ready, check=False), 30, "it is ready without sessions")
    yield
    sql(pair.standby, "ALTER SYSTEM RESET hot_standby")


@contextlib.contextmanager
def snapshot_pending(pair: Pair) -> t.Iterator[None]:
    """A transaction of the master has more open subtransactions than a snapshot lists, and the standby starts anew."""
    connection = psycopg2.connect(host=pair.master, user="client", password=CLIENT_PASSWORD, dbname="postgres")
    with contextlib.closing(connection), connection.cursor() as cursor:
        for number in range(100):
            cursor.execute(f"SAVEPOINT s{number}")
            cursor.execute("INSERT INTO ledger (n) VALUES (%s)", (-1 - number,))
        sql(pair.master, "CHECKPOINT")
        now = sql(pair.master, "SELECT pg_current_wal_lsn()")
        until(lambda: sql(pair.standby, f"SELECT pg_last_wal_replay_lsn() >= '{now}'") == "t", 30, "it is replayed")
        sql(pair.standby, "CHECKPOINT")
        on(pair.standby, f"systemctl restart {SERVICE}")
        until(lambda: "walreceiver" in on(pair.standby, "pgrep -af walreceiver", check=False), 30, "it streams")
        yield


STANDBYS = {
    "sessions-taken": sessions_taken,
    "hot-standby-off": hot_standby_off,
    "snapshot-pending": snapshot_pending,
}


def kill_server(host: str) -> None:
    on(host, f"kill -9 $(head -1 {DATA}/postmaster.pid)")


def gives_session(host: str) -> bool:
    return on(host, "cd / && runuser -u gpadmin -- psql -h /tmp -XAtd postgres -c 'SELECT 1'", check=False) == "1"


def assert_took_over(pair: Pair, ledger: Ledger) -> None:
    """The standby of before serves the clients, and has every row that was acknowledged."""
    served = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > served + 20, 60, "commits on the new master")
    ledger.stop()
    assert ledger.lost_on(pair.standby) == []
    assert not accepts_writes(pair.master)


@THROUGH_BOTH
@pytest.mark.parametrize("kind", STANDBYS)
def test_case_55_a_standby_that_gives_no_session(pair: Pair, ledger: Ledger, kind: str, tmp_path: Path) -> None:
    with STANDBYS[kind](pair):
        assert not gives_session(pair.standby)
        served = len(ledger.acknowledged)
        until(lambda: len(ledger.acknowledged) > served + 20, 30, "rows that only it has beside the master")
        kill_server(pair.master)
        said = play("failover", "-e", f"report_file={tmp_path}/report.json")
        document = json.loads((tmp_path / "report.json").read_text())
        assert document["facts"]["Data lost"].startswith("none: all WAL"), document["facts"]
        if kind == "sessions-taken":
            on(pair.standby, "systemctl stop crowd")
            ended = document["activation"]["ended_sessions"]
            assert {each["why"] for each in ended} == {"no session was free"}
            assert f"{len(ended)}, since no session was free" in unwrapped(said)
            assert "gpadmin postgres [local] idle" in unwrapped(said)
        else:
            assert "no slot could be made before the standby was promoted" in flat(said)
        assert_took_over(pair, ledger)
    assert changed(play("failover")) == 0


def test_case_57_who_holds_the_replay_up_is_ended(pair: Pair, tmp_path: Path) -> None:
    """All WAL has arrived, so that nothing is salvaged, for which the standby would be restarted."""
    sql(pair.master, "CREATE TABLE IF NOT EXISTS bulk (n bigint PRIMARY KEY); INSERT INTO bulk VALUES (1)")
    sql(pair.master, "CREATE TABLE IF NOT EXISTS behind (n bigint); TRUNCATE behind")
    sql(pair.standby, "ALTER SYSTEM SET max_standby_streaming_delay = -1; SELECT pg_reload_conf()")
    until(lambda: sql(pair.standby, "SELECT to_regclass('behind') IS NOT NULL") == "t", 30, "the tables on the standby")
    keep_running(pair.standby, "reader", READER)
    sql(pair.master, "TRUNCATE bulk; INSERT INTO behind SELECT generate_series(1, 5000)")
    arrived = "SELECT bool_and(flush_lsn >= pg_current_wal_lsn()) FROM pg_stat_replication"
    until(lambda: sql(pair.master, arrived) == "t", 30, "all WAL on the standby's disk")
    assert sql(pair.standby, "SELECT count(*) FROM behind") == "0"
    kill_server(pair.master)
    said = unwrapped(play("failover", "-e", f"report_file={tmp_path}/report.json"))
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["facts"]["Salvaged from it"] == "nothing was missing"
    assert [each["why"] for each in document["activation"]["ended_sessions"]] == ["it held the replay up"]
    assert "1, since it held the replay up" in said
    assert "idle in transaction" in said
    assert document["facts"]["Data lost"].startswith("none: all WAL"), document["facts"]
    assert sql(pair.standby, "SELECT count(*) FROM behind") == "5000"
    assert not accepts_writes(pair.master)
    sql(pair.standby, "ALTER SYSTEM RESET max_standby_streaming_delay; SELECT pg_reload_conf()")


@THROUGH_BOTH
def test_case_54_settings_that_are_too_small_are_set_before_anything_is_fenced(pair: Pair, ledger: Ledger) -> None:
    sql(pair.master, "ALTER SYSTEM SET max_connections = 130")
    on(pair.master, f"systemctl restart {SERVICE}")
    asked = "SELECT pg_get_wal_replay_pause_state()"
    until(lambda: sql(pair.standby, asked) == "paused", 30, "the replay waits")
    served = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > served + 50, 30, "rows behind that")
    kill_server(pair.master)
    said = play("failover")
    order = [said.index(f"TASK [hawq.mirroring.{task}") for task in ("standby : Set what", "server : Stop the server")]
    assert order == sorted(order)
    assert sql(pair.standby, "SHOW max_connections") == "130"
    assert_took_over(pair, ledger)
    assert changed(play("failover")) == 0
