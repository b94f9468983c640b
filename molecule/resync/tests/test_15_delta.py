# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way delta: where no rewind works, all is compared and what differs is copied; and what may happen meanwhile."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from harness import DATA, SERVICE, Pair, Running, accepts_writes, flat, lab, mirroring, on, play, sql, until
from ways import TABLE, UNFINISHED, assert_synchronised, assert_went, catch_up, diverge, kill_server, slot_of

SLOW = ("-e", "standby_snapshot_rate_limit=6M")
LOG = f"journalctl --no-pager -o cat -u {SERVICE} -n 20"


def lose_slot(pair: Pair) -> None:
    """Let the master remove WAL that the standby, which runs on, still needs."""
    sql(pair.master, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'; SELECT pg_reload_conf()")
    lab("cut", pair.master, pair.standby)
    sql(pair.master, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
    lost = f"SELECT wal_status FROM pg_replication_slots WHERE slot_name = '{slot_of(pair.standby)}'"

    def is_lost() -> bool:
        sql(pair.master, "CREATE TABLE IF NOT EXISTS junk (n int); DROP TABLE junk; SELECT pg_switch_wal(); CHECKPOINT")
        return sql(pair.master, lost) == "lost"

    until(is_lost, 60, "the slot is lost")
    lab("join", pair.master, pair.standby)
    sql(pair.master, "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'; SELECT pg_reload_conf()")


def test_case_20_a_lost_slot_needs_no_copy_of_all(pair: Pair, tmp_path: Path) -> None:
    """What is equal stays; tablespaces, unlogged tables, new and dropped ones, and writes meanwhile come out right."""
    for host in pair:
        on(host, "install -d -o gpadmin /data/space /data/space2")
    sql(pair.master, f"{TABLE} INSERT INTO bulk SELECT generate_series(1, 1000000)")
    sql(pair.master, "CREATE TABLESPACE space LOCATION '/data/space'")
    sql(pair.master, "CREATE TABLE there TABLESPACE space AS SELECT generate_series(1, 100000) AS n")
    sql(pair.master, "CREATE UNLOGGED TABLE fleeting AS SELECT 1 AS n; CREATE TABLE gone AS SELECT 1; VACUUM FREEZE")
    catch_up(pair)
    # pages that were replayed differ in hint bits and unused bytes from the master's
    on(pair.standby, f"systemctl stop {SERVICE}")
    play("resync_standby", "-e", "resync_route=snapshot", "-e", "existing_data=discard")
    lose_slot(pair)
    sql(pair.master, "DELETE FROM bulk WHERE n <= 1000; DELETE FROM there WHERE n <= 1000; DROP TABLE gone")
    sql(pair.master, "CREATE TABLESPACE late LOCATION '/data/space2'")
    sql(pair.master, "CREATE TABLE fresh TABLESPACE late AS SELECT generate_series(1, 1000) AS n")
    report = tmp_path / "report.json"

    running = Running("resync_standby", "-e", f"report_file={report}", *SLOW)
    until(lambda: on(pair.standby, f"ls {UNFINISHED} 2>/dev/null", check=False), 90, "the comparison has begun")
    until(lambda: mirroring(pair.master)[0] == "Synchronizing", 30, "the master sees the copy")
    sql(pair.master, "DELETE FROM bulk WHERE n > 999000; CREATE TABLE later AS SELECT 1 AS n")
    code, said = running.end()

    assert code == 0, said
    assert re.search(r"delta: comparing, \d+ %, .* of .*, .*/s", said), said
    assert_went(said, "delta")
    assert f"slot {slot_of(pair.standby)} is lost" in flat(said)
    compared = json.loads(report.read_text())["compared"]
    assert compared["compared_bytes"] > 80 << 20
    assert compared["received_bytes"] < compared["compared_bytes"] / 4
    assert_synchronised(pair.master, pair.standby)
    query = "SELECT count(*), sum(n) FROM {}"
    for table in ("bulk", "there", "fresh", "later", "pg_class WHERE relname = 'gone'"):
        asked = query.format(table) if "pg_class" not in table else f"SELECT count(*) FROM {table}"
        assert sql(pair.standby, asked) == sql(pair.master, asked)
    assert on(pair.standby, f"ls -d {DATA}.kept-* 2>/dev/null", check=False) == ""
    sql(pair.master, "DROP TABLE there, fleeting, fresh, later; DROP TABLESPACE space; DROP TABLESPACE late")


def test_case_40_the_controller_then_the_host_die_in_mid_delta(pair: Pair) -> None:
    """What is half-way is never started, and the next run ends it."""
    lose_slot(pair)
    running = Running("resync_standby", "-e", "standby_snapshot_rate_limit=1M")
    until(lambda: on(pair.standby, f"ls {UNFINISHED} 2>/dev/null", check=False), 90, "the comparison has begun")
    running.kill()
    assert "still reads the files of this one" in flat(play("resync_standby", ok=False))
    lab("power-off", pair.standby)
    lab("power-on", pair.standby)
    on(pair.standby, f"systemctl start {SERVICE}", check=False)
    assert not accepts_writes(pair.standby)
    assert "was interrupted" in on(pair.standby, LOG)
    assert_went(play("resync_standby"), "delta")
    assert_synchronised(pair.master, pair.standby)


def test_case_40_the_master_dies_in_mid_delta(pair: Pair) -> None:
    """It is told, nothing is started, and when the master is back the next run ends it."""
    lose_slot(pair)
    running = Running("resync_standby", *SLOW)
    until(lambda: on(pair.standby, f"ls {UNFINISHED} 2>/dev/null", check=False), 90, "the comparison has begun")
    kill_server(pair.master)
    code, said = running.end()
    assert code != 0, said
    assert not accepts_writes(pair.standby)
    on(pair.master, f"systemctl start {SERVICE}")
    until(lambda: accepts_writes(pair.master), 60, "the master is back")
    assert_went(play("resync_standby"), "delta")
    assert_synchronised(pair.master, pair.standby)


def test_a_role_that_was_not_made_here_is_not_touched(pair: Pair) -> None:
    """The name is needed, and may be somebody's. pg_hba.conf may be in any encoding."""
    on(pair.standby, f"systemctl stop {SERVICE}")
    on(pair.master, f"printf '# gr\\374n\\n' >>{DATA}/pg_hba.conf")
    sql(pair.master, "CREATE ROLE hawq_mirroring_rewind LOGIN")
    said = flat(play("resync_standby", "-e", "resync_route=delta", ok=False))
    assert "a role hawq_mirroring_rewind that this collection did not make" in said
    assert sql(pair.master, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'hawq_mirroring_rewind'") == "t"
    sql(pair.master, "DROP ROLE hawq_mirroring_rewind")
    assert_went(play("resync_standby", "-e", "resync_route=delta"), "delta")
    assert on(pair.master, f"grep -ac $'gr\\374n' {DATA}/pg_hba.conf") == "1"
    on(pair.master, f"LC_ALL=C sed -i '/^# gr.n$/d' {DATA}/pg_hba.conf")
    sql(pair.master, "SELECT pg_reload_conf()")
    assert_synchronised(pair.master, pair.standby)


def test_case_44_what_only_the_old_master_has_is_kept_before_a_delta(pair: Pair) -> None:
    sql(pair.master, f"{TABLE} SELECT 1")
    diverge(pair, 100)
    said = flat(play("resync_standby", "-e", "resync_route=delta"))
    assert_went(said, "delta")
    assert "Transactions that only" in said
    assert "postgres.public.bulk" in said
    lost = json.loads(on(pair.master, f"cat {DATA}.hawq-lost-*/lost.json"))
    assert lost["transactions"] >= 100
    assert_synchronised(pair.standby, pair.master)
    assert sql(pair.master, "SELECT count(*) FROM bulk") == "0"
    on(pair.master, f"rm -r {DATA}.hawq-lost-*")


@pytest.mark.parametrize("route", ["rewind", "delta"])
def test_a_disk_that_fills_in_the_middle(pair: Pair, disk: t.Callable[[str], None], route: str) -> None:
    """Nothing half is started, nobody's data is deleted unasked; with room again the next run ends it."""
    sql(pair.master, f"{TABLE} SELECT 1")
    diverge(pair, 100)
    sql(pair.standby, "INSERT INTO bulk SELECT generate_series(1000, 1500000)")
    disk(pair.master)
    fill = f"until [ -e {UNFINISHED} ]; do sleep 0.005; done; cat /dev/zero >/data/hawq/filler"
    on(pair.master, f"systemd-run -q --collect --unit=fill sh -c '{fill}'")
    said = flat(play("resync_standby", "-e", f"resync_route={route}", ok=False))
    assert "No space left on device" in said
    assert "-e existing_data=discard" in said
    assert not accepts_writes(pair.master)
    on(pair.master, f"systemctl stop fill 2>/dev/null; rm /data/hawq/filler; systemctl start {SERVICE}", check=False)
    assert "was interrupted" in on(pair.master, LOG)
    assert_went(play("resync_standby"), "delta")
    assert_synchronised(pair.standby, pair.master)
    assert sql(pair.master, "SELECT count(*) FROM bulk") == "1499001"
    on(pair.master, f"rm -r {DATA}.hawq-lost-*")
