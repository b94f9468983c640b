# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cluster that pg_createcluster made gets its standby. Each test goes on from where the last one ended."""

from __future__ import annotations

import json
from pathlib import Path

import harness

INVENTORY = Path(__file__).resolve().parents[1] / "inventory"
CONFIGURATION = "/etc/postgresql/15/main"
DATA = "/var/lib/postgresql/15/main"
UNIT = "postgresql@15-main"
SAME = "/srv/tablespaces/same"
MAPPED = "/srv/elsewhere/mapped"
RESTART = ("-e", "master_restart_allowed=true")
ROWS = {"goods": 5000, "goods_same": 1000, "goods_mapped": 2000}


def init_standby(*arguments: str, ok: bool = True) -> str:
    """Run init_standby.yml as the user ops; return what it printed in one line, as words wrap."""
    return " ".join(harness.play("init_standby", "-i", str(INVENTORY), *arguments, ok=ok).split())


def sql(host: str, query: str) -> str:
    return harness.sql(host, query, user="postgres", socket="/var/run/postgresql")


def rows(host: str) -> dict[str, int]:
    return {table: int(sql(host, f"SELECT count(*) FROM {table}")) for table in ROWS}


def files(host: str, *places: str) -> str:
    """Everything below these places: kind, mode, owner, size and the words of files."""
    listed = " ".join(places)
    return harness.on(
        host,
        f"find {listed} -printf '%p %y %m %u %s\\n' 2>/dev/null | sort;"
        f" find {listed} -type f -exec sha256sum {{}} + 2>/dev/null | sort",
        check=False,
    )


def source() -> str:
    """What the master has for a standby, and since when it runs."""
    return sql(
        "mdw",
        "SELECT pg_postmaster_start_time(), (SELECT count(*) FROM pg_replication_slots),"
        " to_regrole('hawq_mirroring'), current_setting('listen_addresses'), to_regclass('gp_master_mirroring');"
        " SELECT name, setting FROM pg_file_settings ORDER BY seqno",
    )


def synchronized(number: int) -> bool:
    """A row that is written now reaches the standby, and the master says so."""
    sql("mdw", f"INSERT INTO goods VALUES ({number}, 'now') ON CONFLICT DO NOTHING")
    there = harness.on(
        "smdw",
        f"cd / && runuser -u postgres -- psql -XAtc 'SELECT count(*) FROM goods WHERE n = {number}' 2>/dev/null",
        check=False,
    )
    return there == "1" and sql("mdw", "SELECT summary_state FROM gp_master_mirroring") == "Synchronized"


def test_case_12_13_14_refused_before_anything_changes() -> None:
    """The master listens to itself only, a tablespace's place is full, the standby's own configuration is too small."""
    harness.on(
        "smdw",
        f"umask 022; mkdir -p {SAME} {CONFIGURATION} && echo precious >{SAME}/old && chown postgres {SAME}"
        f" && printf \"data_directory = '{DATA}'\\nmax_connections = 50\\n\" >{CONFIGURATION}/postgresql.conf",
    )
    places = ("/etc/postgresql", "/var/lib/postgresql", "/srv/tablespaces", "/srv/elsewhere", "/etc/systemd/system")
    before = files("smdw", *places), files("mdw", "/etc/postgresql"), source()

    said = init_standby(ok=False)

    assert "refused, nothing was changed" in said
    assert f"{CONFIGURATION} on smdw sets max_connections = 50, the master has 100" in said
    assert f"echo 'max_connections = 100' >> {CONFIGURATION}/postgresql.conf" in said
    assert f"{SAME} on smdw, where a tablespace of the master goes, holds old" in said
    assert MAPPED not in said
    assert "listen_addresses = * (now localhost)" in said
    assert "-e master_restart_allowed=true" in said
    assert f"systemctl restart {UNIT}" in said
    assert (files("smdw", *places), files("mdw", "/etc/postgresql"), source()) == before


def test_case_13_leftovers_of_a_tablespace_are_kept_and_the_standby_made(tmp_path: Path) -> None:
    """The configuration comes over, psycopg2 is installed, the leftovers move aside and are named."""
    harness.on("smdw", f"rm -r {CONFIGURATION}")
    report = tmp_path / "report.json"
    # case 71: what no server reads as its configuration
    harness.on("mdw", "truncate -s 300M /srv/large; chown postgres: /srv/large")
    harness.on("mdw", f"cd {CONFIGURATION} && ln -s /var/log there; ln -s /nowhere dangling; ln -s /srv/large log")

    init_standby(*RESTART, "-e", "existing_data=keep", "-e", f"report_file={report}")

    harness.on("mdw", f"cd {CONFIGURATION} && rm there dangling log /srv/large")
    left_out = json.loads(report.read_text())["facts"]["Left out"]
    assert [each.split()[0].rpartition("/")[2] for each in left_out.split("), ")] == ["dangling", "log", "there"]

    assert synchronized(10_001)
    assert rows("smdw") == rows("mdw") == {**ROWS, "goods": ROWS["goods"] + 1}
    kept = harness.on("smdw", f"echo {SAME}.kept-*")
    assert harness.on("smdw", f"cat {kept}/old") == "precious"
    assert json.loads(report.read_text())["facts"]["Old data"] == kept
    assert sql("smdw", "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'same'") == SAME
    assert sql("smdw", "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'mapped'") == MAPPED


def test_case_14_standby_is_a_cluster_that_debian_knows() -> None:
    """The configuration is the master's, file by file, and pg_lsclusters sees a standby."""
    files = "! -name .hawq-mirroring"  # the mark of what was copied
    listing = f"find . {files} -printf '%p %y %m %u %g\\n' | sort && sha256sum $(find . -type f {files} | sort)"
    described = f"cd {CONFIGURATION} && {listing}"
    assert harness.on("smdw", described) == harness.on("mdw", described)
    listed = harness.on("smdw", "pg_lsclusters --no-header").split()
    assert listed[:5] == ["15", "main", "5432", "online,recovery", "postgres"]
    assert sql("smdw", "SHOW config_file") == f"{CONFIGURATION}/postgresql.conf"
    assert harness.on("mdw", f"readlink {DATA}/pg_wal") == "/srv/wal/main"
    # whatever the umask: what others must pass through, and what they must not
    modes = {
        "/srv/elsewhere": "755 root",
        MAPPED: "700 postgres",
        DATA: "700 postgres",
        "~postgres/.pgpass": "600 postgres",
    }
    assert {path: harness.on("smdw", f"stat -c '%a %U' {path}") for path in modes} == modes


def test_case_16_banner_unwritable_home_and_no_acl() -> None:
    """The two users ask each other with known keys, past the banner, with homes that they cannot write to."""
    for here, there in (("mdw", "smdw"), ("smdw", "mdw")):
        harness.on(here, "! runuser -u postgres -- touch ~postgres/file 2>/dev/null && ! command -v setfacl")
        call = "/usr/bin/python3 -I /usr/local/libexec/hawq-mirroring-peer postgresql@15-main state"
        ssh = f"ssh -o BatchMode=yes -o StrictHostKeyChecking=yes {there} {call} 2>&1"
        printed = harness.on(here, f"cd / && runuser -u postgres -- {ssh}").splitlines()
        assert any(line.startswith("Database system identifier") for line in printed)
        assert any("Authorised use only" in line for line in printed)
    assert harness.on("smdw", "runuser -l postgres -c 'echo $PGDATA'").splitlines()[-1] == DATA


def test_case_51_second_run_changes_nothing() -> None:
    assert harness.changed(init_standby()) == 0


def test_reboot_of_the_standby_ends_synchronized() -> None:
    """The distribution's own start brings it back."""
    harness.lab("power-off", "smdw")
    harness.lab("power-on", "smdw")
    harness.until(lambda: synchronized(10_002), 60, "Synchronized after the reboot")
    assert rows("smdw") == rows("mdw")


def test_case_13_tablespaces_of_an_earlier_standby_are_discarded_when_told() -> None:
    """The data directory is gone, its tablespaces are not: refused, then discarded. The configuration stays."""
    harness.on("smdw", f"systemctl stop {UNIT} && rm -r {DATA} && echo '# mine' >>{CONFIGURATION}/postgresql.conf")
    before = files("smdw", "/srv/tablespaces", "/srv/elsewhere", CONFIGURATION)

    said = init_standby(ok=False)

    assert f"{SAME} on smdw" in said
    assert f"{MAPPED} on smdw" in said
    assert "-e existing_data=keep" in said
    assert files("smdw", "/srv/tablespaces", "/srv/elsewhere", CONFIGURATION) == before

    init_standby("-e", "existing_data=discard")

    assert synchronized(10_003)
    assert rows("smdw") == rows("mdw") == {**ROWS, "goods": ROWS["goods"] + 3}
    assert harness.on("smdw", f"tail -n 1 {CONFIGURATION}/postgresql.conf") == "# mine"
    assert harness.on("smdw", f"ls -d {SAME}.* {MAPPED}.* {DATA}.* 2>/dev/null | cat") == harness.on(
        "smdw", f"ls -d {SAME}.kept-*"
    )


def test_failover_and_the_old_master_at_its_boot() -> None:
    """The cluster's own unit asks before it starts a second master."""
    before = rows("mdw")
    harness.on("mdw", f"kill -9 $(head -1 {DATA}/postmaster.pid)")
    harness.play("failover", "-i", str(INVENTORY))
    assert rows("smdw") == before
    sql("smdw", "INSERT INTO goods VALUES (20001, 'on the new master')")
    assert harness.on("smdw", "pg_lsclusters --no-header").split()[3] == "online"

    harness.on("mdw", f"rm {DATA}/standby.signal; systemctl reset-failed {UNIT}; systemctl start {UNIT}", check=False)
    said = harness.on("mdw", f"journalctl --no-pager -o cat -u {UNIT}")
    assert "smdw is a master of the same system, on timeline 2" in said
    assert harness.on("mdw", "pg_lsclusters --no-header").split()[3] == "down"
    assert harness.changed(harness.play("failover", "-i", str(INVENTORY))) > 0
    assert harness.changed(harness.play("failover", "-i", str(INVENTORY))) == 0


def test_case_42_the_old_master_follows_and_is_rewound_with_its_configuration_outside() -> None:
    """Tablespaces lie elsewhere on the other host; each configuration stays as it is."""
    before = files("mdw", CONFIGURATION), files("smdw", CONFIGURATION)
    assert "Way = follow" in harness.flat(harness.play("resync_standby", "-i", str(INVENTORY)))
    assert rows("mdw") == rows("smdw")
    harness.lab("cut", "mdw", "smdw")
    sql("smdw", "INSERT INTO goods VALUES (20002, 'only there')")
    harness.lab("power-off", "smdw")
    harness.lab("join", "mdw", "smdw")
    harness.play("failover", "-i", str(INVENTORY), "-e", "master_is_down=true", "-e", "accept_data_loss=true")
    sql("mdw", "INSERT INTO goods VALUES (20003, 'on the new master')")
    harness.lab("power-on", "smdw")
    harness.until(lambda: harness.on("smdw", "systemctl is-active ssh", check=False) == "active", 60, "the host")
    assert "Way = rewind" in harness.flat(harness.play("resync_standby", "-i", str(INVENTORY)))
    assert rows("mdw") == rows("smdw")
    assert (files("mdw", CONFIGURATION), files("smdw", CONFIGURATION)) == before
    harness.on("smdw", f"systemctl stop {UNIT}")
    sql("mdw", "UPDATE goods SET word = 'changed' WHERE n < 100")
    said = harness.flat(harness.play("resync_standby", "-i", str(INVENTORY), "-e", "resync_route=delta"))
    assert "Way = delta" in said
    assert rows("mdw") == rows("smdw")
    assert (files("mdw", CONFIGURATION), files("smdw", CONFIGURATION)) == before


def test_the_clusters_own_unit_waits_says_for_what_and_sees_the_permission() -> None:
    """A unit that forks, and whose program is no server of the collection's."""
    for host in ("mdw", "smdw"):
        harness.on(host, f"systemctl stop {UNIT}")
    harness.on("smdw", f"mv {DATA}/global/pg_control {DATA}/global/aside")
    harness.on("mdw", f"systemctl start --no-block {UNIT}")
    status = f"systemctl show {UNIT} -p ActiveState -p StatusText"
    waits = "StatusText=smdw has no data directory: is its file system mounted?"
    harness.until(lambda: waits in harness.on("mdw", status), 40, "it says what it waits for")
    assert "ActiveState=activating" in harness.on("mdw", status)
    harness.on("mdw", "touch /run/hawq-mirroring-postgresql@15-main.start")
    harness.until(lambda: sql_answers("mdw"), 30, "touch is enough")
    harness.on("smdw", f"mv {DATA}/global/aside {DATA}/global/pg_control; systemctl start {UNIT}")
    # nothing tells systemd that it stops: its last session is waited for longer than the unit's time
    environment = harness.on("mdw", f"tr '\\0' '\\n' < /proc/$(head -1 {DATA}/postmaster.pid)/environ")
    assert "NOTIFY_SOCKET" not in environment


def sql_answers(host: str) -> bool:
    """Whether the server gives sessions."""
    return harness.on(host, "pg_isready -q -h /var/run/postgresql && echo yes", check=False) == "yes"
