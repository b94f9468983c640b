# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole life of a pair on Debian 13 with the lab's inventory. Each test goes on from where the last one ended."""

from __future__ import annotations

import harness

PROGRAMS = "/usr/lib/postgresql/17/bin"
ROWS = 5_000
PURGE = f"apt-get -qq purge -y postgresql-17 postgresql-client-17 python3-psycopg2 >/dev/null && ! test -e {PROGRAMS}"
CHECKSUM = "SELECT md5(string_agg(g::text, ',' ORDER BY n)) FROM goods g"


def test_a_first_master_runs_what_the_distribution_has() -> None:
    """Nothing names a version: a host without the programs gets the distribution's. One that it lacks is refused."""
    harness.on("mdw", PURGE)

    said = harness.flat(harness.play("init_master", "-e", "master_host=mdw", "-e", "binaries_version=15", ok=False))
    assert "init_master refused, nothing was changed" in said
    assert "mdw lacks PostgreSQL 15, and its sources of packages have 17 alone" in said

    harness.play("init_master", "-e", "master_host=mdw")

    assert harness.sql("mdw", "SHOW server_version_num").startswith("17")
    assert harness.on("mdw", f"readlink /proc/$(head -1 {harness.DATA}/postmaster.pid)/exe") == f"{PROGRAMS}/postgres"
    harness.open_to_clients()
    harness.sql("mdw", f"CREATE TABLE goods AS SELECT n, md5(n::text) AS word FROM generate_series(1, {ROWS}) n")


def test_a_standby_gets_what_the_master_runs() -> None:
    harness.on("smdw", PURGE)
    with harness.Writer() as writer:
        harness.play("init_standby")
        harness.until(lambda: len(writer.acknowledged) > 100, 30, "rows of the client")
    assert harness.mirroring()[0] == "Synchronized"
    last = harness.sql("mdw", "SELECT pg_current_wal_lsn()")
    harness.until(
        lambda: harness.sql("smdw", f"SELECT pg_last_wal_replay_lsn() >= '{last}'") == "t", 30, "all has arrived"
    )
    assert writer.missing_on("smdw") == []
    assert harness.sql("smdw", CHECKSUM) == harness.sql("mdw", CHECKSUM)
    assert harness.changed(harness.play("init_standby")) == 0
    harness.play("state")


def test_switchover_failover_rewind_and_home_again() -> None:
    said = harness.flat(harness.play("switchover"))
    assert "Swapped: smdw is the master now, mdw was" in said
    harness.let_clients_in("smdw")
    with harness.Writer("smdw", start=1_000_000) as writer:
        harness.until(lambda: len(writer.acknowledged) > 100, 30, "rows of the client")
        harness.on("smdw", f"kill -9 $(head -1 {harness.DATA}/postmaster.pid)")
        harness.play("failover")
    assert writer.missing_on("mdw") == []
    harness.sql("mdw", "INSERT INTO goods VALUES (0, 'since the failover')")

    harness.play("resync_standby")

    assert harness.mirroring()[0] == "Synchronized"
    harness.until(lambda: harness.sql("smdw", CHECKSUM) == harness.sql("mdw", CHECKSUM), 30, "the same rows")
    harness.play("state")


def test_the_interlock_holds_back_a_master_that_was_replaced() -> None:
    """A host that was switched off during a failover boots: this release's systemd asks before the server's start."""
    harness.lab("power-off", "mdw")
    harness.play("failover", "-e", "master_is_down=true", "-e", "stale_seconds=3600")
    harness.sql("smdw", "INSERT INTO goods VALUES (-1, 'while mdw was off')")
    harness.lab("power-on", "mdw")
    state = f"systemctl is-active {harness.SERVICE}"
    harness.until(lambda: harness.on("mdw", state, check=False) == "failed", 60, "the interlock")
    assert "smdw is a master of the same system" in harness.on(
        "mdw", f"journalctl --no-pager -o cat -u {harness.SERVICE}"
    )

    harness.play("resync_standby")

    assert harness.mirroring("smdw")[0] == "Synchronized"
