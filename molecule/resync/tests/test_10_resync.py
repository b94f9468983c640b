# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""resync_standby.yml from every state that a pair can be left in. Each test begins with a synchronised pair."""

from __future__ import annotations

import json
from pathlib import Path

from harness import (
    DATA,
    PERMISSION,
    SERVICE,
    Ledger,
    Pair,
    Running,
    accepts_writes,
    changed,
    differences,
    fingerprint,
    flat,
    mirroring,
    on,
    play,
    sql,
    until,
)
from ways import (
    LOSS,
    TABLE,
    THROUGH_BOTH,
    assert_synchronised,
    assert_went,
    catch_rewind,
    catch_up,
    caught,
    diverge,
    kill_server,
)

#: bytes that pg_rewind has written when it is past its messages
WRITING = 65536


@THROUGH_BOTH
def test_case_38_crashed_master_follows_without_a_copy(pair: Pair, ledger: Ledger) -> None:
    kill_server(pair.master)
    play("failover")
    until(lambda: accepts_writes(pair.standby), 30, "the new master")
    before = fingerprint(pair.master)
    said = play("resync_standby", "--check", "--diff")
    assert "Nothing was changed. A run would resynchronise" in said
    assert " * follow" in said
    assert differences(before, fingerprint(pair.master)) == []
    inode = on(pair.master, f"stat -c %i {DATA}")
    said = play("resync_standby")
    assert_went(said, "follow")
    assert on(pair.master, f"stat -c %i {DATA}") == inode
    ledger.stop()
    assert ledger.missing_on(pair.standby) == []
    assert_synchronised(pair.standby, pair.master)
    assert ledger.missing_on(pair.master) == []


def test_cases_41_42_44_46_what_has_diverged_is_rewound_and_told(pair: Pair, tmp_path: Path) -> None:
    """20,000 commits that only the old master has are kept aside and named; its configuration stays its own."""
    sql(pair.master, TABLE)
    on(pair.master, f"echo 'work_mem = 7MB' >> {DATA}/postgresql.conf")
    for host in (pair.master, pair.standby):  # a key that its owner cannot write to
        on(host, f"echo {host} > {DATA}/server.key; chown gpadmin {DATA}/server.key; chmod 400 {DATA}/server.key")
    diverge(pair)
    report = tmp_path / "report.json"
    said = play("resync_standby", "-e", f"report_file={report}")
    assert_went(said, "rewind")
    document = json.loads(report.read_text())
    number = document["plan"]["divergence"]["transactions"]
    assert 20_000 <= number < 20_020  # and what the server itself commits, autovacuum's statistics
    assert document["facts"]["Tables that they touched"] == "postgres.public.bulk"
    assert sql(pair.master, "SELECT count(*) FROM bulk") == "0"
    assert sql(pair.master, "SHOW work_mem") == "7MB"
    key = f"{DATA}/server.key"
    assert on(pair.master, f"cat {key}; stat -c '%a %U' {key}; rm {key}") == f"{pair.master}\n400 gpadmin"
    on(pair.standby, f"rm {key}")
    kept = document["lost"]["directory"]
    assert json.loads(on(pair.master, f"cat {kept}/lost.json"))["transactions"] == number
    begin, end = document["plan"]["fork"], document["plan"]["divergence"]["end_lsn"]
    dump = f"/usr/lib/postgresql/15/bin/pg_waldump -p {kept}/pg_wal -s {begin} -e {end} -r Transaction -z"
    timeline = document["plan"]["history"][-1]["timeline"]
    assert "Transaction" in on(pair.master, f"{dump} -t {timeline}")
    assert_synchronised(pair.standby, pair.master)
    on(pair.master, f"rm -r {kept}; sed -i '/^work_mem = 7MB/d' {DATA}/postgresql.conf")


def test_case_39_missing_wal_is_fetched_from_the_master(pair: Pair, tmp_path: Path) -> None:
    """The last checkpoint before the fork lies in an older segment, which the old master has removed since."""
    sql(pair.master, f"{TABLE} CHECKPOINT; INSERT INTO bulk SELECT generate_series(-5, -1); SELECT pg_switch_wal();")
    old = sql(pair.master, "SELECT pg_walfile_name(redo_lsn) FROM pg_control_checkpoint()")
    sql(pair.master, "INSERT INTO bulk SELECT generate_series(-9, -6)")
    until(lambda: sql(pair.standby, "SELECT count(*) FROM bulk") == "9", 30, "the rows on the standby")
    diverge(pair, 100, "CHECKPOINT")
    on(pair.master, f"rm -f {DATA}/pg_wal/{old}")
    report = tmp_path / "report.json"
    assert_went(play("resync_standby", "-e", f"report_file={report}"), "rewind")
    assert json.loads(report.read_text())["rewound"]["fetched"] >= 1
    assert_synchronised(pair.standby, pair.master)
    assert sql(pair.master, "SELECT count(*) FROM bulk") == "9"
    on(pair.master, f"rm -rf {DATA}.hawq-lost-*")


def test_a_server_that_crashed_in_recovery_is_recovered_and_rewound(pair: Pair) -> None:
    """Somebody has started the old master as a standby of nobody, and it died of that, too."""
    sql(pair.master, TABLE)
    diverge(pair, 100)
    user, server = "cd / && runuser -u gpadmin --", f"/usr/lib/postgresql/15/bin/pg_ctl -s -D {DATA} -l /dev/null"
    on(pair.master, f"touch {DATA}/standby.signal && chown gpadmin: {DATA}/standby.signal")
    on(pair.master, f"{user} {server} start -o \"-c primary_conninfo=''\"")
    until(lambda: sql(pair.master, "SELECT pg_is_in_recovery()") == "t", 30, "it recovers")
    kill_server(pair.master)
    state = on(pair.master, f"/usr/lib/postgresql/15/bin/pg_controldata {DATA} | grep 'cluster state'")
    assert "in archive recovery" in state
    assert_went(play("resync_standby"), "rewind")
    assert_synchronised(pair.standby, pair.master)
    on(pair.master, f"rm -r {DATA}.hawq-lost-*")


def test_case_40_an_interrupted_rewind_is_never_started_and_ends_right(pair: Pair) -> None:
    """pg_rewind is held half-way; then the controller is killed, the host tries to start it, pg_rewind dies."""
    sql(pair.master, TABLE)
    diverge(pair, 2000)
    catch_rewind(pair.master, "STOP", WRITING)
    run = Running("resync_standby")
    until(lambda: caught(pair.master), 90, "pg_rewind is held")
    run.kill()
    on(pair.master, f"systemctl start {SERVICE}", check=False)
    assert "a resynchronisation was interrupted" in on(pair.master, f"journalctl --no-pager -o cat -u {SERVICE} -n 20")
    on(pair.master, "pkill -KILL -x python3")  # its module; pg_rewind itself is left, and could go on
    sql(pair.standby, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'hawq_mirroring_rewind'")
    said = flat(play("resync_standby"))
    assert on(pair.master, "pgrep -x pg_rewind", check=False) == ""
    assert_went(said, "delta")
    assert "an earlier run has left it half-way" in said
    assert_synchronised(pair.standby, pair.master)
    on(pair.master, f"rm -r {DATA}.hawq-lost-*")


def test_case_40_the_master_dies_in_mid_rewind(pair: Pair) -> None:
    """What is half-way stays so until the master is back, and nobody writes meanwhile."""
    sql(pair.master, TABLE)
    diverge(pair, 100)
    catch_rewind(pair.master, "STOP", WRITING)
    run = Running("resync_standby")
    until(lambda: caught(pair.master), 90, "pg_rewind is held")
    kill_server(pair.standby)
    on(pair.master, "pkill -CONT -x pg_rewind")
    code, said = run.end()
    assert code != 0, said
    assert not any(map(accepts_writes, pair))
    on(pair.standby, f"systemctl start {SERVICE}")
    until(lambda: accepts_writes(pair.standby), 60, "the master is back")
    assert_went(play("resync_standby"), "delta")
    assert_synchronised(pair.standby, pair.master)
    on(pair.master, f"rm -r {DATA}.hawq-lost-*")


def test_case_33_a_killed_follow_is_taken_up_again(pair: Pair) -> None:
    kill_server(pair.master)
    play("failover")
    run = Running("resync_standby")
    run.wait_for_output("TASK [hawq.mirroring.standby : Follow the master]")
    run.kill()
    play("resync_standby")
    assert_synchronised(pair.standby, pair.master)


def test_what_only_the_old_master_has_outlives_a_copy_that_discards_it(pair: Pair) -> None:
    sql(pair.master, TABLE)
    diverge(pair, 100)
    said = flat(play("resync_standby", "-e", "resync_route=snapshot", "-e", "existing_data=discard"))
    assert_went(said, "snapshot")
    assert json.loads(on(pair.master, f"cat {DATA}.hawq-lost-*/lost.json"))["transactions"] >= 100
    assert "pg_waldump -p" in said
    assert on(pair.master, f"ls -d {DATA}.kept-* 2>/dev/null", check=False) == ""
    assert_synchronised(pair.standby, pair.master)
    on(pair.master, f"rm -r {DATA}.hawq-lost-*")


def test_a_rewind_that_fails_goes_on_with_the_next_way_in_the_same_run(pair: Pair) -> None:
    sql(pair.master, TABLE)
    on(pair.master, f"echo 'work_mem = 7MB' >> {DATA}/postgresql.conf")
    diverge(pair, 100)
    catch_rewind(pair.master, "KILL", WRITING)
    said = flat(play("resync_standby"))
    assert_went(said, "delta")
    assert "Rewind failed = pg_rewind stopped half-way" in said
    assert_synchronised(pair.standby, pair.master)
    assert sql(pair.master, "SHOW work_mem") == "7MB"  # its configuration is still its own
    on(pair.master, f"rm -r {DATA}.hawq-lost-*; sed -i '/^work_mem = 7MB/d' {DATA}/postgresql.conf")


def test_a_rewind_that_has_written_nothing_leaves_no_mark(pair: Pair, tmp_path: Path) -> None:
    sql(pair.master, TABLE)
    diverge(pair, 100)
    catch_rewind(pair.master, "KILL", 0)
    report = tmp_path / "report.json"
    said = flat(play("resync_standby", "-e", f"report_file={report}"))
    assert_went(said, "delta")
    assert "Rewind failed = pg_rewind does not work" in said
    assert "left it half-way" not in str(json.loads(report.read_text())["plan"]["bill"])
    assert_synchronised(pair.standby, pair.master)
    on(pair.master, f"rm -r {DATA}.hawq-lost-*")


def test_cases_18_22_stopped_paused_frozen_and_misled_standbys_go_on(pair: Pair) -> None:
    on(pair.standby, f"systemctl stop {SERVICE}")
    sql(pair.master, "INSERT INTO ledger (n) SELECT max(n) + 1 FROM ledger")
    assert_went(play("resync_standby"), "start")
    sql(pair.standby, "SELECT pg_wal_replay_pause()")
    assert_went(play("resync_standby"), "start")
    assert sql(pair.standby, "SELECT pg_is_wal_replay_paused()") == "f"
    sql(pair.standby, "ALTER SYSTEM SET primary_conninfo = 'host=nowhere.invalid'; SELECT pg_reload_conf()")
    until(lambda: mirroring(pair.master)[0] == "Not Synchronized", 30, "the master sees it")
    assert_went(play("resync_standby"), "start")
    on(pair.standby, f"systemctl kill --signal=STOP {SERVICE}")
    assert_went(play("resync_standby"), "start")
    assert_synchronised(pair.master, pair.standby)


def test_a_standby_that_missed_a_new_timeline_is_no_former_master(pair: Pair) -> None:
    """It has nothing of its own, and not even WAL of the time when the timeline began."""
    on(pair.standby, f"systemctl stop {SERVICE}")
    for _segment in range(3):
        sql(pair.master, "CREATE TABLE IF NOT EXISTS junk (n int); DROP TABLE junk; SELECT pg_switch_wal()")
    on(pair.master, f"systemctl stop {SERVICE}; install -o gpadmin /dev/null {DATA}/standby.signal")
    on(pair.master, f"systemctl start {SERVICE}")
    promote = "cd / && runuser -u gpadmin -- psql -h /tmp -qAtXd postgres -c 'SELECT pg_promote()'"
    until(lambda: on(pair.master, promote, check=False) == "t", 60, "a new timeline")  # it may not give sessions yet
    said = flat(play("resync_standby"))
    assert_went(said, "start")
    assert "it has nothing of its own that would have to be taken back" in said
    assert_synchronised(pair.master, pair.standby)


def test_a_role_that_has_expired_and_an_address_on_both_are_mended(pair: Pair) -> None:
    sql(pair.master, "ALTER ROLE hawq_mirroring VALID UNTIL '2020-01-01'")
    on(pair.standby, "ip address add 10.77.0.100/24 dev eth0")
    play("init_standby")
    valid = "SELECT rolvaliduntil FROM pg_authid WHERE rolname = 'hawq_mirroring'"
    assert sql(pair.master, valid) == "infinity"
    held = {host: "10.77.0.100/" in on(host, "ip -4 address show dev eth0") for host in pair}
    assert held == {pair.master: True, pair.standby: False}
    assert changed(play("init_standby")) == 0
    play("switchover")
    assert "10.77.0.100/" in on(pair.standby, "ip -4 address show dev eth0")


def test_case_43_told_to_copy_what_is_there_is_moved_aside(pair: Pair) -> None:
    on(pair.standby, f"systemctl stop {SERVICE}")
    said = flat(play("resync_standby", "-e", "resync_route=snapshot"))
    assert_went(said, "snapshot")
    assert f"{DATA}.kept-" in said
    assert_synchronised(pair.master, pair.standby)
    on(pair.standby, f"rm -r {DATA}.kept-*")


def test_cases_23_24_a_standby_that_became_a_master(pair: Pair) -> None:
    """Promoted by hand and written to: two masters are refused; stopped, its work is told, and taken out when told."""
    sql(pair.master, TABLE)
    catch_up(pair)
    sql(pair.standby, "SELECT pg_promote()")
    sql(pair.standby, "INSERT INTO bulk SELECT generate_series(1, 10)")
    assert "both accept writes" in flat(play("resync_standby", ok=False))
    on(pair.standby, f"systemctl stop {SERVICE}")
    refused = flat(play("resync_standby", ok=False))
    assert f"what {pair.standby} has is newer, and would be given up for what {pair.master} has" in refused
    said = flat(play("resync_standby", *LOSS))
    assert_went(said, "rewind")
    assert "postgres.public.bulk" in said
    assert_synchronised(pair.master, pair.standby)
    # without its signal file it goes on as a master on its master's own timeline, and no history tells
    on(pair.standby, f"systemctl stop {SERVICE}; rm {DATA}/standby.signal; touch {PERMISSION}")
    assert_went(play("resync_standby"), "snapshot")
    assert_synchronised(pair.master, pair.standby)
    assert on(pair.standby, f"ls {PERMISSION} 2>/dev/null", check=False) == ""
    on(pair.standby, f"rm -rf {DATA}.kept-* {DATA}.hawq-lost-*")


def test_another_system_is_refused(pair: Pair) -> None:
    on(
        pair.standby,
        f"systemctl stop {SERVICE}; mv {DATA} {DATA}.own;"
        f" install -d -o gpadmin {DATA}; cd / && runuser -u gpadmin -- /usr/lib/postgresql/15/bin/initdb -k -D {DATA}",
    )
    try:
        said = flat(play("resync_standby", "-e", "existing_data=discard", ok=False))
        assert "belongs to another system" in said
        assert "init_standby -e existing_data=keep" in said
        assert on(pair.standby, f"cat {DATA}/PG_VERSION") == "15"
    finally:
        on(pair.standby, f"rm -rf {DATA}; mv {DATA}.own {DATA}")
