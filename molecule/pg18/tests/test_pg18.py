# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL 18 over IPv6, with the collection's tarball installed. Each test goes on from where the last one ended."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
import typing as t
from pathlib import Path

import harness
import pytest

PREFIX = "/usr/local/pgsql-18"
MASTER, STANDBY = "fd77::11", "fd77::12"
STANDBY_PORT = 5433
ROWS = 20_000
PARTS = ("meta/", "playbooks/", "plugins/", "roles/", "changelogs/", "inventories/example/", "docs/")
PAGES = ("ARCHITECTURE.md", "CHANGELOG.rst", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md", "bindep.txt")
#: what builds the site
BUILDS = ("docs/build", "docs/conf.py")


class Elsewhere(t.NamedTuple):
    """A directory of a user who has no checkout: home, inventory and installed collection."""

    place: Path
    tarball: Path

    def run(self, *command: str, ok: bool = True) -> str:
        """Run a command there, with no setting of ours; return all that it prints in one line, as words wrap."""
        ours = ("ANSIBLE_", "MOLECULE_", "PYTHON")
        kept = {name: word for name, word in os.environ.items() if not name.startswith(ours)}
        done = subprocess.run(
            command,
            cwd=self.place,
            env={**kept, "HOME": str(self.place)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode == 0) is ok, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
        return " ".join(done.stdout.split())

    def play(self, name: str, *arguments: str, ok: bool = True) -> str:
        """Run a playbook by its name in the collection."""
        return self.run("ansible-playbook", "-i", "hosts.yml", f"hawq.mirroring.{name}", *arguments, ok=ok)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    """Build the tarball, install it as a user would, write an inventory."""
    place = tmp_path_factory.mktemp("elsewhere")
    user = Elsewhere(place, place / "hawq-mirroring-0.1.0.tar.gz")
    user.run("ansible-galaxy", "collection", "build", "--output-path", str(place), str(harness.ROOT))
    user.run("ansible-galaxy", "collection", "install", "--offline", "--no-deps", str(user.tarball))
    common = {
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "gpadmin_user_limits": {},
        # what a slot remembers is shown where no guard has noted it
        "mirroring_mode": "asynchronous",
        "binaries_method": "archive",
        "binaries_version": 18,
        "binaries_prefix": PREFIX,
        "binaries_archive": harness.lab("archive", "18").strip(),
        "standby_snapshot_compression": "server-gzip",
    }
    hosts = {"mdw": {"server_address": MASTER}, "smdw": {"server_address": STANDBY, "server_port": STANDBY_PORT}}
    (place / "hosts.yml").write_text(json.dumps({"masters": {"hosts": hosts, "vars": common}}))
    return user


def on_standby(query: str) -> str:
    return harness.on(
        "smdw",
        f'cd / && runuser -u gpadmin -- {PREFIX}/bin/psql -XAt -h /tmp -p {STANDBY_PORT} -d postgres -c "{query}"',
    )


def control(host: str) -> dict[str, str]:
    lines = harness.on(host, f"{PREFIX}/bin/pg_controldata {harness.DATA}").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_tarball_holds_the_collection_and_nothing_else(elsewhere: Elsewhere) -> None:
    with tarfile.open(elsewhere.tarball) as tar:
        held = {member.name for member in tar if member.isfile()} - {"MANIFEST.json", "FILES.json"}
        directories = {member.name for member in tar if member.isdir()}
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=harness.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    wanted = {name for name in listed if name.startswith(PARTS) or name in PAGES} - {*BUILDS}
    assert held == {name for name in wanted if (harness.ROOT / name).exists()}
    assert directories == {str(parent) for name in held for parent in Path(name).parents} - {"."}


def test_master_from_an_archive(elsewhere: Elsewhere) -> None:
    said = elsewhere.play("init_master", "-e", "master_host=mdw")

    # what it advises can be typed where there is no checkout
    assert re.search(r"ansible-playbook -i \S+ hawq\.mirroring\.init_standby", said)
    assert harness.sql("mdw", "SHOW server_version_num").startswith("18")
    assert harness.sql("mdw", "SHOW data_checksums") == "on"
    assert harness.on("smdw", f"! test -e {PREFIX} && ! test -e {harness.DATA} && echo nothing") == "nothing"
    harness.open_to_clients()
    harness.sql("mdw", f"CREATE TABLE goods AS SELECT n, md5(n::text) AS word FROM generate_series(1, {ROWS}) n")


def test_case_15_without_checksums_the_master_must_restart_once(elsewhere: Elsewhere) -> None:
    """A later rewind needs checksums or wal_log_hints: refused, with the command that goes on, and nothing changed."""
    harness.sql("mdw", "ALTER SYSTEM SET wal_level = 'logical'")  # for the slots of later tests
    harness.on(
        "mdw",
        f"systemctl stop {harness.SERVICE} && cd / && runuser -u gpadmin -- {PREFIX}/bin/pg_checksums --disable"
        f" -D {harness.DATA} >/dev/null && systemctl start {harness.SERVICE}",
    )
    harness.until(
        lambda: harness.on("mdw", f"{PREFIX}/bin/pg_isready -q -h /tmp && echo up", check=False), 30, "the master"
    )
    state = (
        "SELECT pg_postmaster_start_time(), to_regrole('hawq_mirroring'), (SELECT count(*) FROM pg_replication_slots)"
    )
    before = harness.sql("mdw", state), harness.on("mdw", f"sha256sum {harness.DATA}/*.conf")

    said = elsewhere.play("init_standby", ok=False)

    assert "refused, nothing was changed" in said
    assert "wal_log_hints = on (now off)" in said
    assert "-e master_restart_allowed=true" in said
    assert f"systemctl restart {harness.SERVICE}" in said
    assert str(elsewhere.place) in said
    assert str(harness.ROOT) not in said
    assert (harness.sql("mdw", state), harness.on("mdw", f"sha256sum {harness.DATA}/*.conf")) == before
    assert harness.on("smdw", f"! test -e {PREFIX} && ! test -e {harness.DATA} && echo nothing") == "nothing"


def test_case_15_16_standby_over_ipv6_on_another_port(elsewhere: Elsewhere) -> None:
    """Nothing is lost that was committed while the copy ran, and a later rewind is possible."""
    with harness.Writer() as writer:
        elsewhere.play("init_standby", "-e", "master_restart_allowed=true", "-e", "report_file=report.json")
        harness.until(lambda: len(writer.acknowledged) > 100, 30, "rows of the client")
    last = harness.sql("mdw", "SELECT pg_current_wal_lsn()")
    harness.until(lambda: on_standby(f"SELECT pg_last_wal_replay_lsn() >= '{last}'") == "t", 30, "replay")

    there = {int(number) for number in on_standby("SELECT n FROM ledger").split()}
    assert [number for number in writer.acknowledged if number not in there] == []
    assert on_standby("SELECT count(*), max(n) FROM goods") == f"{ROWS}|{ROWS}"
    assert harness.mirroring()[0] == "Synchronized"
    assert harness.sql("mdw", "SELECT host(client_addr) FROM pg_stat_replication") == STANDBY
    assert f"host={MASTER}" in on_standby("SHOW primary_conninfo")
    assert on_standby("SHOW port") == str(STANDBY_PORT)
    assert on_standby("SHOW data_checksums") == "off"
    for host in ("mdw", "smdw"):
        assert control(host)["wal_log_hints setting"] == "on"
        block = harness.on(host, f"sed -n '/BEGIN hawq/,/END hawq/p' {harness.DATA}/pg_hba.conf").splitlines()[1:-1]
        assert block == [
            f"host replication hawq_mirroring {address}/128 scram-sha-256" for address in (MASTER, STANDBY)
        ]
        assert harness.on(host, "stat -c '%a %U' ~gpadmin/.pgpass") == "600 gpadmin"
        assert [line.rpartition(":")[0] for line in harness.on(host, "cat ~gpadmin/.pgpass").splitlines()] == [
            r"fd77\:\:11:5432:replication:hawq_mirroring",
            rf"fd77\:\:12:{STANDBY_PORT}:replication:hawq_mirroring",
        ]
    assert harness.leftovers() == ""
    assert harness.sql("mdw", "SELECT slot_name FROM pg_replication_slots") == harness.SLOT


def test_case_51_second_run_changes_nothing(elsewhere: Elsewhere) -> None:
    assert harness.changed(elsewhere.play("init_standby")) == 0


def test_views_know_since_when_the_standby_is_gone(elsewhere: Elsewhere) -> None:
    """PostgreSQL 18 remembers when a slot became inactive: the view and state.yml show that time."""
    began = harness.sql("mdw", "SELECT clock_timestamp()")
    harness.on("smdw", f"systemctl stop {harness.SERVICE}")
    harness.until(lambda: harness.mirroring()[0] == "Not Synchronized", 30, "the master knows")

    assert harness.mirroring()[1] == "Connection error"
    assert harness.mirroring()[3] == "standby smdw is not connected"
    since = f"log_time BETWEEN '{began}' AND clock_timestamp() AND log_time = inactive_since"
    assert harness.sql("mdw", f"SELECT {since} FROM gp_master_mirroring, pg_replication_slots") == "t"

    said = elsewhere.play("state", "-e", "state_file=state.json", ok=False)
    assert "Not Synchronized" in said
    document = json.loads((elsewhere.place / "state.json").read_text())
    epoch = float(harness.sql("mdw", "SELECT extract(epoch FROM log_time) FROM gp_master_mirroring"))
    assert document["mirroring"]["since"] == pytest.approx(epoch, abs=0.001)
    assert document["standby"] == "smdw"

    harness.on("smdw", f"systemctl start {harness.SERVICE}")
    harness.until(lambda: harness.mirroring()[0] == "Synchronized", 60, "Synchronized again")
    assert re.search(r"\*\*\* Synchronized ok: ", elsewhere.play("state", "-e", "state_query=mirroring.summary_state"))


def test_failover_over_ipv6_salvages_what_never_arrived(elsewhere: Elsewhere) -> None:
    """The WAL comes over SSH between two IPv6 addresses; the new master listens on another port."""
    harness.lab("cut", "mdw", "smdw")
    harness.sql("mdw", f"INSERT INTO goods SELECT n, 'late' FROM generate_series({ROWS + 1}, {2 * ROWS}) n")
    harness.on("mdw", f"kill -9 $(head -1 {harness.DATA}/postmaster.pid)")
    harness.lab("join", "mdw", "smdw")

    said = elsewhere.play("failover")

    assert "smdw is the master now" in said
    assert "none: all WAL of the old master is in the new one" in said
    assert f"host={MASTER},{STANDBY} port=5432,{STANDBY_PORT}" in said
    assert on_standby("SELECT count(*), max(n), pg_is_in_recovery() FROM goods") == f"{2 * ROWS}|{2 * ROWS}|f"
    again = elsewhere.play("failover")
    assert harness.changed(again) == 0
    harness.on("mdw", f"systemctl reset-failed {harness.SERVICE}; systemctl start {harness.SERVICE}")
    ready = f"{PREFIX}/bin/pg_isready -q -h /tmp && echo up"
    harness.until(lambda: harness.on("mdw", ready, check=False), 30, "the fenced server, which takes no writes")
    assert harness.sql("mdw", "SELECT pg_is_in_recovery()") == "t"


SYNCED = "SELECT synced AND NOT temporary FROM pg_replication_slots WHERE slot_name = 'debezium'"


CONSUME = (
    "SELECT count(*) FROM pg_logical_slot_get_binary_changes("
    "'debezium', NULL, NULL, 'proto_version', '1', 'publication_names', 'p')"
)


def on_mdw(query: str) -> str:
    return harness.sql("mdw", query)


def _read_until_the_standby_has_the_slot(master: t.Callable[[str], str], standby: t.Callable[[str], str]) -> None:
    """Let the slot's consumer read on: a standby keeps it only once the master's has passed its own."""

    def has_it() -> bool:
        master("INSERT INTO goods VALUES (0, 'read')")
        master("SELECT pg_log_standby_snapshot()")
        master(CONSUME)
        return standby(SYNCED) == "t"

    harness.until(has_it, 90, "the slot on the standby")


def test_follow_and_rewind(elsewhere: Elsewhere) -> None:
    """The fenced server that runs already follows; what parts later is rewound by hints alone."""
    said = elsewhere.play("resync_standby")
    assert "Way = follow" in said
    assert on_standby("SELECT summary_state FROM gp_master_mirroring") == "Synchronized"
    harness.lab("cut", "mdw", "smdw")
    on_standby("INSERT INTO goods SELECT n, 'lost' FROM generate_series(100001, 101000) n")
    harness.lab("power-off", "smdw")
    harness.lab("join", "mdw", "smdw")
    elsewhere.play("failover", "-e", "master_is_down=true", "-e", "accept_data_loss=true")
    harness.lab("power-on", "smdw")
    state = f"systemctl is-active {harness.SERVICE}"
    harness.until(lambda: harness.on("smdw", state, check=False) == "failed", 60, "the interlock")

    said = elsewhere.play("resync_standby")

    assert "Way = rewind" in said
    assert "Tables that they touched = postgres.public.goods" in said
    assert on_standby("SELECT count(*), max(n) FROM goods") == f"{2 * ROWS}|{2 * ROWS}"
    assert harness.mirroring()[0] == "Synchronized"


def test_case_76_a_switchover_takes_along_a_slot_that_the_standby_has(elsewhere: Elsewhere) -> None:
    """PostgreSQL 17 and newer keep such a slot on the standby, when both servers are told to."""
    harness.sql("mdw", "CREATE PUBLICATION p FOR TABLE goods WITH (publish = 'insert')")
    harness.sql("mdw", "SELECT pg_create_logical_replication_slot('debezium', 'pgoutput', false, false, true)")
    said = elsewhere.play("state", ok=False)
    assert "smdw is not told to synchronise slots, and mdw has some that it is to have: debezium" in said
    elsewhere.play("init_standby")
    assert harness.sql("mdw", "SHOW synchronized_standby_slots") == harness.SLOT
    _read_until_the_standby_has_the_slot(on_mdw, on_standby)
    said = elsewhere.play("switchover", "-e", "master_host=smdw")
    assert "Swapped: smdw is the master now, mdw was" in said
    assert "Slots of others = kept: debezium" in said
    assert "Way = follow" in said
    assert on_standby("SELECT pg_is_in_recovery(), summary_state FROM gp_master_mirroring") == "f|Synchronized"
    # its consumer goes on there, where it was
    on_standby("INSERT INTO goods VALUES (0, 'after')")
    assert int(on_standby(CONSUME)) >= 3
    _read_until_the_standby_has_the_slot(on_standby, on_mdw)


def test_a_delta_is_as_verified_as_a_copy(elsewhere: Elsewhere) -> None:
    harness.on("mdw", f"systemctl stop {harness.SERVICE}")
    on_standby("UPDATE goods SET word = 'changed' WHERE n <= 100; CREATE TABLE later AS SELECT 1 AS n")
    said = elsewhere.play("resync_standby", "-e", "resync_route=delta")
    assert "Way = delta" in said
    assert on_standby("SELECT summary_state FROM gp_master_mirroring") == "Synchronized"
    asked = "SELECT md5(string_agg(g::text, ',' ORDER BY n)) FROM goods g"
    assert harness.sql("mdw", asked) == on_standby(asked)
