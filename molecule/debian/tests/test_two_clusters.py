# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two clusters on the same two hosts: each keeps what belongs to it, and neither takes the other's interlock away."""

from __future__ import annotations

from pathlib import Path

import harness

INVENTORY = Path(__file__).resolve().parents[1] / "inventory"
DATA = "/var/lib/postgresql/15/second"
UNIT = "postgresql@15-second"
#: what the second cluster's own inventory would say
SECOND = (
    *("-e", f"server_service={UNIT}"),
    *("-e", "server_port=5433"),
    *("-e", f"data_directory_path={DATA}"),
    *("-e", "server_config_directory=/etc/postgresql/15/second"),
)
MAIN = "postgresql@15-main"


def play(playbook: str, *arguments: str, ok: bool = True) -> str:
    return harness.flat(harness.play(playbook, "-i", str(INVENTORY), *arguments, ok=ok))


def sql(host: str, query: str, port: int, check: bool = True) -> str:
    psql = f"psql -h /var/run/postgresql -p {port} -XAtc"
    return harness.on(host, f'cd / && runuser -u postgres -- {psql} "{query}" 2>&1', check=check)


def is_master(host: str, port: int) -> bool:
    return sql(host, "SELECT NOT pg_is_in_recovery()", port, check=False) == "t"


def interlock(host: str, unit: str) -> str:
    """What is asked before the start of a unit, and what that is told."""
    return harness.on(
        host,
        f"cat /etc/systemd/system/{unit}.service.d/hawq-mirroring.conf /etc/hawq-mirroring/{unit}/*.json | sha256sum",
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
    play("state")
    play("state", *SECOND)


def test_case_63_each_interlock_asks_about_its_own_cluster() -> None:
    """The host of both masters is switched off, and one cluster fails over: at the boot the other one serves again."""
    harness.lab("power-off", "mdw")
    play("failover", "-e", "master_is_down=true", "-e", "stale_seconds=3600", *SECOND)
    sql("smdw", "INSERT INTO orders VALUES (3001)", 5433)

    harness.lab("power-on", "mdw")

    harness.until(lambda: is_master("mdw", 5432), 90, "the cluster whose standby has not taken over serves again")
    log = f"journalctl --no-pager -b -o cat -u {UNIT}"
    harness.until(lambda: "smdw is a master of the same system" in harness.on("mdw", log), 60, "the other one is told")
    assert not is_master("mdw", 5433)
    assert not is_master("smdw", 5432)
    assert is_master("smdw", 5433)
    play("resync_standby", *SECOND)
    assert sql("mdw", "SELECT count(*) FROM orders", 5433) == "3001"
    play("state", *SECOND)
    play("state")
