# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two clusters on the same two hosts, in one inventory: each keeps what belongs to it, and neither takes the other's
interlock away.
"""

from __future__ import annotations

import json
from pathlib import Path

import harness

INVENTORY = Path(__file__).resolve().parents[1] / "clusters"
UNIT = "postgresql@15-second"
FIRST, SECOND = (("-e", f"cluster={name}") for name in ("main", "second"))
MAIN = "postgresql@15-main"


def play(playbook: str, *arguments: str, ok: bool = True) -> str:
    which = () if "cluster=" in " ".join(arguments) else FIRST
    return harness.flat(harness.play(playbook, "-i", str(INVENTORY), *which, *arguments, ok=ok))


def sql(host: str, query: str, port: int, check: bool = True) -> str:
    psql = f"psql -h /var/run/postgresql -p {port} -XAtc"
    return harness.on(host, f'cd / && runuser -u postgres -- {psql} "{query}" 2>&1', check=check)


def is_master(host: str, port: int) -> bool:
    return sql(host, "SELECT NOT pg_is_in_recovery()", port, check=False) == "t"


def interlock(host: str, unit: str) -> str:
    """What is asked before the start of a unit, and what that is told."""
    return harness.on(
        host,
        f"cat /etc/systemd/system/{unit}.service.d/*.conf /etc/hawq-mirroring/{unit}/*.json | sha256sum",
    )


def test_case_62_a_unit_that_only_starts_others_is_refused() -> None:
    said = play("init_standby", "-e", "server_service=postgresql", ok=False)
    assert "refused, nothing was changed" in said
    assert f"the server on mdw is run by {MAIN}.service, and the inventory names postgresql" in said
    assert f"Set server_service={MAIN}.service for mdw in the inventory" in said
    said = play("state", "-e", "server_service=postgresql", ok=False)
    assert "after a failover both hosts could accept writes" in said
    assert harness.on("mdw", "ls /etc/systemd/system/postgresql.service.d 2>/dev/null", check=False) == ""


def test_case_63_a_second_cluster_gets_a_standby_and_the_first_keeps_its_interlock() -> None:
    before = [interlock(host, MAIN) for host in ("mdw", "smdw")]
    harness.on("mdw", "pg_createcluster 15 second --port 5433 --start 2>&1")
    sql("mdw", "CREATE TABLE orders AS SELECT generate_series(1, 3000) AS n", 5433)

    play("init_standby", "-e", "master_restart_allowed=true", *SECOND)

    assert [interlock(host, MAIN) for host in ("mdw", "smdw")] == before
    assert interlock("mdw", UNIT) != interlock("mdw", MAIN)
    assert harness.changed(harness.play("init_standby", "-i", str(INVENTORY), *SECOND)) == 0


def test_n3_the_state_of_all_clusters_at_once(tmp_path: Path) -> None:
    report = tmp_path / "state.json"
    said = play("state", "-e", "cluster=all", "-e", f"state_file={report}")
    assert "Cluster main = Synchronized, master mdw, standby smdw" in said
    assert "Cluster second = Synchronized, master mdw-second, standby smdw-second" in said
    found = json.loads(report.read_text())
    assert found["healthy"]
    assert [found["clusters"][name]["master"] for name in ("main", "second")] == ["mdw", "mdw-second"]
    harness.on("smdw", f"systemctl stop {UNIT}")
    said = play("state", "-e", "cluster=all", ok=False)
    assert "Cluster main = Synchronized" in said
    assert "hawq.mirroring.state -e cluster=second" in said
    play("resync_standby", *SECOND)
    said = harness.flat(harness.play("failover", "-i", str(INVENTORY), ok=False))
    assert "say which one, -e cluster=main or -e cluster=second" in said


def test_case_63_each_interlock_asks_about_its_own_cluster() -> None:
    """The host of both masters is switched off, and one cluster fails over: at the boot the other one serves again."""
    harness.lab("power-off", "mdw")
    play("failover", "-e", "master_is_down=true", "-e", "stale_seconds=3600", *SECOND)
    sql("smdw", "INSERT INTO orders VALUES (3001)", 5433)

    harness.lab("power-on", "mdw")

    harness.until(lambda: is_master("mdw", 5432), 90, "the cluster whose standby has not taken over serves again")
    log = f"journalctl --no-pager -b -o cat -u {UNIT}"
    harness.until(
        lambda: "smdw-second is a master of the same system" in harness.on("mdw", log), 60, "the other one is told"
    )
    assert not is_master("mdw", 5433)
    assert not is_master("smdw", 5432)
    assert is_master("smdw", 5433)
    play("resync_standby", *SECOND)
    assert sql("mdw", "SELECT count(*) FROM orders", 5433) == "3001"
    play("state", "-e", "cluster=all")


def test_n7_a_host_that_was_left_is_free_and_the_other_cluster_goes_on() -> None:
    before = [interlock(host, MAIN) for host in ("mdw", "smdw")]
    said = play("remove_standby", "-e", "existing_data=discard", *SECOND)
    assert "What this collection had there = taken away" in said
    assert [interlock(host, MAIN) for host in ("mdw", "smdw")] == before
    left = harness.on("mdw", f"ls -d /etc/systemd/system/{UNIT}* /etc/hawq-mirroring/{UNIT} 2>/dev/null", check=False)
    assert left == ""
    assert sql("smdw", "SHOW max_slot_wal_keep_size", 5433) == "-1"
    harness.on("mdw", "test ! -e /etc/postgresql/15/second/postgresql.conf || pg_dropcluster 15 second")
    harness.on("mdw", "pg_createcluster 15 second --port 5433 --start 2>&1")
    assert is_master("mdw", 5433)
    # its interlock is told the cluster's name, and the login profile of the user of both is the first one's again
    harness.play("init_standby", "-i", str(INVENTORY), *FIRST)
    assert harness.changed(harness.play("init_standby", "-i", str(INVENTORY), *FIRST)) == 0
    said = play("uninstall", *SECOND, ok=False)
    assert "mdw-second and smdw-second are the masters of different database systems" in said
    assert "Nothing needs to be stopped" in said
    harness.on("mdw", "pg_dropcluster --stop 15 second")
    begun = sql("smdw", "SELECT pg_postmaster_start_time()", 5433)
    play("uninstall", *SECOND)
    assert (
        sql("smdw", "SELECT pg_postmaster_start_time(), to_regclass('gp_master_mirroring') IS NULL", 5433)
        == f"{begun}|t"
    )
    left = harness.on(
        "smdw", f"ls -d /etc/systemd/system/{UNIT}.service.d /etc/hawq-mirroring/{UNIT} 2>&1", check=False
    )
    assert left.count("No such file") == 2
    assert harness.changed(harness.play("uninstall", "-i", str(INVENTORY), *SECOND)) == 0
    play("state")
