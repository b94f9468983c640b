# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What others have on the master: settings, archiving, slots. Told, refused, made anew; nothing of it left behind."""

from __future__ import annotations

import json
from pathlib import Path

from harness import DATA, SERVICE, Pair, flat, on, play, sql, until

SLOTS = "SELECT string_agg(slot_name, ',' ORDER BY slot_name) FROM pg_replication_slots WHERE slot_name !~ '^hawq'"
OURS = {"archive_mode": "on", "archive_command": "/bin/true", "wal_level": "logical", "work_mem": "64MB"}


def restarted(host: str) -> None:
    on(host, f"systemctl restart {SERVICE}")
    until(lambda: on(host, "pg_isready -q -h /tmp && echo up", check=False), 60, "the server")


def kinds(place: Path) -> dict[str, str]:
    play("state", "-e", "state_fail=false", "-e", f"state_file={place}")
    document = json.loads(place.read_text())
    return {row["kind"]: row["text"] for row in (*document["problems"], *document["notes"])}


def test_cases_73_74_75_76_n6_what_others_have_on_the_master(pair: Pair, tmp_path: Path) -> None:
    """The master archives and feeds others; a swap is refused until that is settled, and then takes it along."""
    master, standby = pair
    for name, value in OURS.items():
        sql(master, f"ALTER SYSTEM SET {name} = '{value}'")
    restarted(master)
    until(lambda: sql(master, "SELECT summary_state FROM gp_master_mirroring") == "Synchronized", 60, "Synchronized")
    sql(master, "SELECT pg_create_physical_replication_slot('barman', true)")
    sql(master, "SELECT pg_create_logical_replication_slot('debezium', 'pgoutput')")

    found = kinds(tmp_path / "state.json")
    assert f"archive_mode is off on {standby} and on on {master}: WAL would not be archived" in found["settings-lost"]
    assert f"wal_level is replica on {standby} and logical on {master}" in found["settings-lost"]
    assert f"work_mem is 4096 on {standby} and 65536 on {master}" in found["settings-differ"]
    assert "barman (physical" in found["other-slots"]
    assert "debezium (logical, pgoutput, database postgres" in found["other-slots"]
    said = flat(play("switchover", ok=False))
    assert "settings-lost" in said
    assert "other-slots" in said

    for name, value in {**OURS, "archive_command": "/bin/false"}.items():
        sql(standby, f"ALTER SYSTEM SET {name} = '{value}'")
    restarted(standby)
    until(lambda: sql(master, "SELECT summary_state FROM gp_master_mirroring") == "Synchronized", 60, "Synchronized")
    said = flat(play("switchover", "-e", "other_slots=remake"))
    assert "barman made anew, before the promotion; debezium made anew: its consumer may miss changes between" in said
    assert f"Slots on {master} = dropped, since they are of its time as the master: barman, debezium" in said
    assert (sql(standby, SLOTS), sql(master, SLOTS)) == ("barman,debezium", "")

    sql(standby, "SELECT pg_switch_wal()")
    until(lambda: sql(standby, "SELECT failed_count > 0 FROM pg_stat_archiver") == "t", 60, "a failure")
    on(master, f"echo 'nonsense = 3' >> {DATA}/postgresql.conf")
    found = kinds(tmp_path / "state.json")
    assert f"archiving fails on {standby}" in found["archive-failing"]
    assert "nonsense unrecognized configuration parameter" in found["configuration-errors"]
    on(master, f"sed -i '/^nonsense/d' {DATA}/postgresql.conf")

    on(standby, f"kill -9 $(head -1 {DATA}/postmaster.pid)")
    said = flat(play("failover"))
    assert f"LOST with {standby}: barman (physical" in said
    assert "debezium (logical, pgoutput, database postgres, confirmed up to" in said
    for host in pair:
        # not wal_level: with less a server does not start while it has logical slots, as the dead one still has
        for name in set(OURS) - {"wal_level"}:
            on(host, f"sed -i '/^{name} /d' {DATA}/postgresql.auto.conf")
    restarted(master)
