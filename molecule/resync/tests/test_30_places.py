# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Directories that only the master has, other clusters' files, an archive, and what was set for all sessions."""

from __future__ import annotations

import json
import re
import tempfile
import typing as t
from pathlib import Path

from harness import DATA, SERVICE, Pair, accepts_writes, flat, on, play, sql, until
from ways import assert_synchronised, assert_went, catch_up

EVERYWHERE = (
    "statement_timeout = '30ms'",
    "lock_timeout = '1ms'",
    "idle_session_timeout = '20ms'",
    "default_transaction_read_only = on",
    "default_transaction_isolation = 'serializable'",
    "search_path = 'nowhere'",
    "standard_conforming_strings = off",
    "wal_sender_timeout = '1s'",
)


def state() -> dict[str, t.Any]:
    """Return the state document."""
    with tempfile.TemporaryDirectory() as place:
        play("state", "-e", "state_fail=false", "-e", f"state_file={place}/state.json")
        return dict(json.loads(Path(f"{place}/state.json").read_text()))


def has_died(host: str) -> None:
    until(lambda: on(host, f"systemctl is-active {SERVICE}", check=False) == "failed", 60, f"the server of {host} dies")


def tablespace(pair: Pair, name: str, place: str) -> None:
    """Make one in a directory that only the master's host has, and let the standby's server die of it."""
    on(pair.master, f"install -d -o gpadmin -m 0700 {place}")
    sql(pair.master, f"CREATE TABLESPACE {name} LOCATION '{place}'")
    sql(pair.master, f"CREATE TABLE in_{name} TABLESPACE {name} AS SELECT generate_series(1, 1000) AS n")
    has_died(pair.standby)


def test_case_69_the_directory_is_made_and_the_server_started(pair: Pair) -> None:
    """Where root makes none the command that does is named, by the state as well."""
    tablespace(pair, "late", "/data/late")
    tablespace_of_the_systems = "/opt/late2"
    on(pair.master, f"install -d -o gpadmin -m 0700 {tablespace_of_the_systems}")
    sql(pair.master, f"CREATE TABLESPACE late2 LOCATION '{tablespace_of_the_systems}'")
    found = state()
    told = [row["text"] for row in found["problems"] if row["kind"] == "tablespace-place"]
    assert any(f"/data/late on {pair.standby}, where a tablespace goes" in text for text in told), told
    assert any(tablespace_of_the_systems in text for text in told), told
    said = flat(play("resync_standby", ok=False))
    typed = re.search(rf"On {pair.standby}: (install -d -o gpadmin -m 0700 {tablespace_of_the_systems})", said)
    assert typed, said
    on(pair.standby, typed[1])
    said = play("resync_standby")
    assert_went(said, "start")
    assert_synchronised(pair.master, pair.standby)
    assert sql(pair.standby, "SELECT count(*) FROM in_late") == "1000"


def test_case_69_a_failover_makes_it_first(pair: Pair) -> None:
    tablespace(pair, "late3", "/data/late3")
    on(pair.master, f"systemctl kill -s KILL {SERVICE}; systemctl stop {SERVICE}", check=False)
    play("failover")
    assert accepts_writes(pair.standby)
    assert sql(pair.standby, "SELECT count(*) FROM in_late3") == "1000"
    play("resync_standby")
    assert_synchronised(pair.standby, pair.master)


def test_case_70_no_archive_is_inherited(pair: Pair) -> None:
    """It holds another system's history; a standby that has it all the same is told of and mended."""
    foreign = "mkdir -p /data/archive; printf '1\\t0/1000000\\tno recovery target\\n' > /data/archive/0000000F.history"
    for host in pair:
        on(host, f"{foreign}; chmod -R a+rX /data/archive")
        sql(host, "ALTER SYSTEM SET restore_command = 'cp /data/archive/%f %p'") if host == pair.master else None
    sql(pair.master, "SELECT pg_reload_conf()")
    assert state()["problems"] == []
    on(pair.standby, f"echo \"restore_command = 'cp /data/archive/%f %p'\" >> {DATA}/postgresql.auto.conf")
    on(pair.standby, f"systemctl restart {SERVICE}")
    catch_up(pair)
    assert [row["kind"] for row in state()["problems"]][:1] == ["settings-harmful"]
    play("resync_standby")
    assert sql(pair.standby, "SHOW restore_command") == ""
    on(pair.standby, f"systemctl stop {SERVICE}")
    play("resync_standby", "-e", "resync_route=snapshot", "-e", "existing_data=discard")
    assert sql(pair.standby, "SHOW restore_command") == ""
    assert_synchronised(pair.master, pair.standby)
    sql(pair.master, "ALTER SYSTEM RESET restore_command; SELECT pg_reload_conf()")


def test_case_78_nothing_that_was_set_for_all_sessions_stops_ours(pair: Pair) -> None:
    alter = [f"ALTER SYSTEM SET {each}; ALTER DATABASE postgres SET {each}" for each in EVERYWHERE[:-1]]
    alter += [f"ALTER SYSTEM SET {EVERYWHERE[-1]}", "ALTER ROLE gpadmin SET statement_timeout = '20ms'"]
    alter += [f"ALTER ROLE hawq_mirroring SET {each}" for each in ("idle_session_timeout = '5ms'", EVERYWHERE[-1])]
    sql(pair.master, "; ".join([*alter, "SELECT pg_reload_conf()"]))
    assert state()["problems"] == []
    on(pair.standby, f"systemctl stop {SERVICE}")
    said = play("resync_standby", "-e", "resync_route=delta", "-e", "accept_data_loss=true")
    assert_went(said, "delta")
    on(pair.standby, f"systemctl stop {SERVICE}")
    assert_went(play("resync_standby", "-e", "resync_route=snapshot", "-e", "existing_data=discard"), "snapshot")
    play("switchover")
    reset = [f"ALTER SYSTEM RESET {each.partition(' ')[0]}" for each in EVERYWHERE]
    roles = ["ALTER DATABASE postgres RESET ALL", "ALTER ROLE gpadmin RESET statement_timeout"]
    roles += [f"ALTER ROLE hawq_mirroring RESET {name}" for name in ("idle_session_timeout", "wal_sender_timeout")]
    own = ("default_transaction_read_only=off", "statement_timeout=0", "idle_session_timeout=0")
    options = " ".join(f"-c {each}" for each in (*own, r"default_transaction_isolation=read\ committed"))
    # the copy has brought them to both hosts
    for host, statements in ((pair.standby, [*roles, *reset]), (pair.master, reset)):
        typed = " ".join(f'-c "{each}"' for each in [*statements, "SELECT pg_reload_conf()"])
        on(host, f"runuser -u gpadmin -- env PGOPTIONS='{options}' psql -qAt -h /tmp -d postgres {typed}")
    until(lambda: state()["problems"] == [], 60, "the pair is well")


def test_case_81_another_clusters_files_stay(pair: Pair) -> None:
    """A rewind, a copy that discards and a removal take no more than what is ours in a tablespace's place."""
    on(pair.standby, "install -d -o gpadmin /data/late/PG_13_202007201/5; touch /data/late/PG_13_202007201/5/1")
    on(pair.standby, f"systemctl stop {SERVICE}")
    said = flat(play("resync_standby", "-e", "resync_route=snapshot", "-e", "existing_data=discard", ok=False))
    assert "holds what belongs to another cluster (PG_13_202007201)" in said
    assert "standby_snapshot_tablespace_mapping" in said
    play("resync_standby", "-e", "resync_route=delta")
    play("remove_standby", "-e", "existing_data=discard")
    assert on(pair.standby, "find /data/late -type f; ls /data/late /data/late3").split() == [
        "/data/late/PG_13_202007201/5/1",
        "/data/late:",
        "PG_13_202007201",
        "/data/late3:",
    ]
    on(pair.standby, "rm -r /data/late/PG_13_202007201")
    sql(pair.master, "DROP TABLE in_late, in_late3; DROP TABLESPACE late; DROP TABLESPACE late2; DROP TABLESPACE late3")
    play("init_standby")
