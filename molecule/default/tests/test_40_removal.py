# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The standby is taken away and comes back, with its host there and with its host gone; clients write all the while."""

from __future__ import annotations

import itertools
import json
import time
import typing as t
from pathlib import Path

import psycopg2
import pytest
import yaml
from harness import (
    CLIENT_PASSWORD,
    DATA,
    SERVICE,
    SLOT,
    Ledger,
    accepts_writes,
    changed,
    differences,
    fingerprint,
    flat,
    lab,
    mirroring,
    on,
    open_to_clients,
    play,
    sql,
    until,
)

HOSTS = ("mdw", "smdw")
ROOT = Path(__file__).resolve().parents[3]
UNIT_FILE = "/etc/systemd/system/hawq-master.service"
#: what a client may have to wait for one commit: 5 s for a standby that is lost (mirroring_degrade_after), and what a
#: busy machine needs; the interlock alone would make it wait 30 s
PATIENCE = 5 + 5


#: what this collection has on a host
PLACES = (
    "/etc/hawq-mirroring",
    "/etc/systemd/system/hawq-m*",
    "/etc/security/limits.d/hawq-*",
    "/usr/local/libexec/hawq-*",
    "/run/hawq-mirroring*.start",
    "~gpadmin/.bash_profile",
    "~gpadmin/.pgpass",
)


@pytest.fixture
def ledger() -> t.Iterator[Ledger]:
    """A client that commits numbered rows on the master, and sees to it that nobody else takes any."""
    open_to_clients()
    last = int(sql("mdw", "SELECT coalesce(max(n), 0) + 1 FROM ledger"))
    with Ledger("mdw", HOSTS, start=last) as client:
        until(lambda: len(client.acknowledged) > 20, 30, "the first acknowledged rows")
        yield client
    assert client.two_writers() == []
    assert client.missing_on("mdw") == []


def assert_never_interrupted(ledger: Ledger) -> None:
    """Every row that the client ever sent was acknowledged, in one session, and none took long."""
    served = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > served + 20, 30, "commits after the removal")
    numbers = ledger.stop()
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert max(later - earlier for earlier, later in itertools.pairwise(ledger.times)) < PATIENCE


def assert_nothing_left_on_the_master(*options: str) -> None:
    """As an ordinary client sees it, and in what only an administrator sees."""
    client = psycopg2.connect(host="mdw", user="client", password=CLIENT_PASSWORD, dbname="postgres")
    with client.cursor() as cursor:
        cursor.execute("SELECT * FROM gp_master_mirroring")
        assert cursor.fetchall() == [("Not Configured", None, None, None)]
        cursor.execute("SELECT role::text FROM gp_segment_configuration")
        assert cursor.fetchall() == [("m",)]
    client.close()
    assert sql("mdw", "SELECT count(*) FROM pg_replication_slots") == "0"
    assert sql("mdw", "SELECT to_regrole('hawq_mirroring') IS NULL") == "t"
    assert sql("mdw", "SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text ~ 'hawq_mirroring'") == "0"
    assert sql("mdw", "SELECT count(*) FROM pg_hba_file_rules WHERE 'hawq_mirroring' = ANY (user_name)") == "0"
    assert sql("mdw", "SELECT pg_conf_load_time() > (pg_stat_file('pg_hba.conf')).modification") == "t"
    assert sql("mdw", "SHOW synchronous_standby_names") == ""
    assert on("mdw", "grep -c hawq_mirroring ~gpadmin/.pgpass 2>/dev/null", check=False) in ("", "0")
    assert json.loads(on("mdw", "cat /etc/hawq-mirroring/hawq-master/interlock.json"))["peers"] == []
    assert "Mirroring state = Not Configured" in flat(play("state", *options))


def test_check_changes_nothing() -> None:
    until(lambda: mirroring()[0] == "Synchronized", 60, "Synchronized before the test")
    before = {host: fingerprint(host) for host in HOSTS}
    output = play("remove_standby", "--check", "--diff", "-e", "existing_data=discard")
    for host in HOSTS:
        assert differences(before[host], fingerprint(host)) == []
    assert mirroring()[0] == "Synchronized"
    assert changed(output) > 5
    for shown in (
        "Nothing was changed. A run would remove: Standby smdw of mdw",
        "-host replication hawq_mirroring",
        "-registration",
        "-server runs",
        f"-{DATA}",
    ):
        assert shown in output, shown


def test_the_standby_is_removed_while_a_client_writes(ledger: Ledger) -> None:
    """Its data stays. Commits wait for the standby until it is removed."""
    sql("mdw", "ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (smdw)'; SELECT pg_reload_conf();")
    until(lambda: sql("mdw", "SELECT sync_state FROM pg_stat_replication") == "sync", 30, "a synchronous standby")
    output = play("remove_standby")
    assert_never_interrupted(ledger)
    assert "Standby smdw removed, mdw goes on without it" in output
    assert "synchronous_standby_names was FIRST 1 (smdw), is empty" in flat(output)
    assert_nothing_left_on_the_master()

    assert on("smdw", f"systemctl is-enabled {SERVICE}; systemctl is-active {SERVICE}", check=False).split() == [
        "disabled",
        "inactive",
    ]
    assert on(
        "smdw", f"ls {DATA}/standby.signal {DATA}/PG_VERSION ~gpadmin/.pgpass 2>/dev/null", check=False
    ).split() == [
        f"{DATA}/PG_VERSION",
        f"{DATA}/standby.signal",
    ]
    assert json.loads(on("smdw", f"cat {DATA}/hawq_mirroring.fence"))["was"] == "standby"

    again = play("remove_standby")
    assert changed(again) == 0
    assert "mdw has no standby: nothing to remove, nothing changed" in again

    # the master asks nobody any more before it starts
    lab("power-off", "smdw")
    begin = time.monotonic()
    on("mdw", f"systemctl restart {SERVICE}")
    until(lambda: accepts_writes("mdw"), 20, "a master that starts without its former standby")
    assert time.monotonic() - begin < 20
    lab("power-on", "smdw")
    assert on("smdw", f"systemctl is-active {SERVICE}", check=False) == "inactive"


def test_it_is_made_a_standby_again() -> None:
    refusal = flat(play("init_standby", ok=False))
    assert f"{DATA} on smdw holds a standby whose server is stopped, removed by remove_standby" in refusal
    assert "-e existing_data=keep" in refusal
    play("init_standby", "-e", "existing_data=keep")
    assert mirroring()[0] == "Synchronized"
    assert on("smdw", f"systemctl is-enabled {SERVICE}") == "enabled"
    (peer,) = json.loads(on("mdw", "cat /etc/hawq-mirroring/hawq-master/interlock.json"))["peers"]
    assert peer["name"] == "smdw"
    on("smdw", f"rm -r {DATA}.kept-*")


def test_its_host_is_gone_and_comes_back(ledger: Ledger) -> None:
    """Then it is a standby that follows nobody, whose data is deleted when told."""
    lab("power-off", "smdw")
    soon = ("-e", "ssh_connect_timeout=2")
    try:
        output = play("remove_standby", "-e", "standby_host=smdw", *soon)
        assert_never_interrupted(ledger)
        assert "Standby smdw removed, mdw goes on without it" in output
        assert "smdw is not reachable by SSH" in flat(output)
        assert "When it is back, run again, since a failover would take it for a standby: ansible-playbook" in flat(
            output
        )
        assert_nothing_left_on_the_master(*soon)
        assert changed(play("remove_standby", "-e", "standby_host=smdw", *soon)) == 0
    finally:
        lab("power-on", "smdw")
    ready = "cd / && runuser -u gpadmin -- psql -h /tmp -XAtd postgres -c 'SELECT pg_is_in_recovery()' 2>/dev/null"
    until(lambda: on("smdw", ready, check=False) == "t", 60, "the standby after the boot")
    assert sql("mdw", "SELECT count(*) FROM pg_stat_replication") == "0"
    output = play("remove_standby", "-e", "existing_data=discard")
    assert "Server of the standby = stopped" in flat(output)
    assert "Data of the standby = deleted" in flat(output)
    assert on("smdw", f"ls -d {DATA} {DATA}.* 2>/dev/null", check=False) == ""
    assert on("smdw", f"ls -d {' '.join(PLACES)} 2>/dev/null", check=False) == ""
    assert (
        on("smdw", "grep -c hawq ~gpadmin/.ssh/authorized_keys ~gpadmin/.ssh/known_hosts", check=False).count(":0") == 2
    )
    assert "hawq-mirroring-peer" not in on("mdw", "cat ~gpadmin/.ssh/authorized_keys")
    assert sql("mdw", "SHOW max_slot_wal_keep_size") == "-1"
    play("init_standby")
    assert mirroring()[0] == "Synchronized"
    assert sql("mdw", "SELECT slot_name FROM pg_replication_slots") == SLOT


def test_n10_other_names_in_the_inventory(tmp_path: Path) -> None:
    """The pair goes on under whole names, and is registered under them without a copy or a restart."""
    whole = renamed(tmp_path)
    began = sql("smdw", "SELECT pg_postmaster_start_time()")
    # the interlock knows the hosts by their earlier names
    said = flat(play("state", *whole, ok=False))
    assert "smdw.example.org was made a standby under the name smdw" in said
    assert "Mirroring state = Synchronized" in said
    assert "Snapshot = not needed" in flat(play("init_standby", *whole))
    assert sql("mdw", "SELECT slot_name, active FROM pg_replication_slots") == "hawq_mirroring_smdw_example_org|t"
    assert sql("smdw", "SELECT pg_postmaster_start_time()") == began
    assert changed(play("init_standby", *whole)) == 0
    play("state", *whole)


def renamed(place: Path) -> tuple[str, ...]:
    """Return the arguments of an inventory with whole names."""
    lab_hosts = yaml.safe_load((ROOT / "inventories/lab/hosts.yml").read_text())
    hosts = {f"{name}.example.org": {"ansible_host": name} for name in HOSTS}
    lab_hosts["all"]["children"] = {"masters": {"hosts": hosts}}
    (place / "hosts.yml").write_text(yaml.safe_dump(lab_hosts))
    return "-i", str(place / "hosts.yml")


def test_all_of_it_is_taken_away_and_the_master_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    whole = renamed(tmp_path)
    began = sql("mdw", "SELECT pg_postmaster_start_time()")
    assert "smdw.example.org is a standby of mdw.example.org" in flat(play("uninstall", *whole, ok=False))
    play("uninstall", *whole, "-e", "remove_standbys=true", "-e", "existing_data=discard")
    assert_never_interrupted(ledger)
    assert sql("mdw", "SELECT pg_postmaster_start_time()") == began
    for host in HOSTS:
        left = on(host, f"ls -d {' '.join(PLACES)} /var/lib/hawq-mirroring 2>/dev/null", check=False).split()
        assert left == ([UNIT_FILE] if host == "mdw" else []), host
    assert sql("mdw", "SELECT count(*) FROM pg_roles WHERE rolname ~ 'hawq'") == "0"
    assert sql("mdw", "SELECT count(*) FROM pg_extension WHERE extname ~ 'hawq'") == "0"
    assert changed(play("uninstall", *whole)) == 0
    on("mdw", f"systemctl restart {SERVICE}")
    until(lambda: accepts_writes("mdw"), 20, "an ordinary server that starts")
