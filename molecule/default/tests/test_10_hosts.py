# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fresh standby looks like, on both hosts and to a client."""

from __future__ import annotations

import psycopg2
import pytest
from harness import (
    CLIENT_PASSWORD,
    DATA,
    SERVICE,
    SLOT,
    Writer,
    mirroring,
    on,
    open_to_clients,
    sql,
    until,
)

HOSTS = ("mdw", "smdw")
OTHER = {"mdw": "smdw", "smdw": "mdw"}


def test_the_standby_follows_and_takes_no_writes() -> None:
    open_to_clients()
    assert sql("mdw", "SELECT pg_is_in_recovery()") == "f"
    assert sql("smdw", "SELECT pg_is_in_recovery()") == "t"
    with Writer() as writer:
        until(lambda: len(writer.acknowledged) > 50, 30, "50 commits")
    until(lambda: not writer.missing_on("smdw"), 30, "every commit on the standby")
    refused = "EXCEPTION WHEN read_only_sql_transaction THEN NULL"
    sql("smdw", f"DO $$ BEGIN INSERT INTO ledger (n) VALUES (-1); RAISE 'written'; {refused}; END $$")


def test_an_ordinary_client_sees_the_view_of_a_superuser() -> None:
    open_to_clients()
    client = psycopg2.connect(host="mdw", user="client", password=CLIENT_PASSWORD, dbname="postgres")
    with client.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, pg_has_role('pg_monitor', 'member') FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False)
        cursor.execute("SELECT summary_state, detail_state, log_time::text, error_message FROM gp_master_mirroring")
        seen = [column or "" for column in cursor.fetchone() or ()]
    client.close()
    assert seen == mirroring()
    assert seen[0] == "Synchronized"


def test_new_databases_have_the_view() -> None:
    sql("mdw", "CREATE DATABASE later")
    try:
        assert sql("mdw", "SELECT summary_state FROM gp_master_mirroring", database="later") == "Synchronized"
    finally:
        sql("mdw", "DROP DATABASE later")


@pytest.mark.parametrize("host", HOSTS)
def test_the_service_starts_at_boot(host: str) -> None:
    assert on(host, f"systemctl is-enabled {SERVICE}; systemctl is-active {SERVICE}").split() == ["enabled", "active"]


def test_the_slot_keeps_wal_up_to_a_limit() -> None:
    assert sql("mdw", "SELECT slot_name, active, wal_status FROM pg_replication_slots") == f"{SLOT}|t|reserved"
    assert sql("mdw", "SHOW max_slot_wal_keep_size") == "10GB"
    assert sql("smdw", "SHOW primary_slot_name") == SLOT


@pytest.mark.parametrize("host", HOSTS)
def test_the_password_is_in_one_file_only(host: str) -> None:
    assert on(host, "stat -c '%a %U' ~gpadmin/.pgpass") == "600 gpadmin"
    lines = [line.split(":") for line in on(host, "cat ~gpadmin/.pgpass").splitlines()]
    assert [line[:4] for line in lines] == [[name, "5432", "replication", "hawq_mirroring"] for name in HOSTS]
    assert len({line[4] for line in lines}) == 1
    assert len(lines[0][4]) >= 32
    assert on("mdw", "cat ~gpadmin/.pgpass") == on("smdw", "cat ~gpadmin/.pgpass")
    assert "password" not in on(host, f"cat {DATA}/postgresql.auto.conf")


def test_the_role_may_replicate_and_nothing_else() -> None:
    query = (
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, left(rolpassword, 14) FROM pg_authid"
        " WHERE rolname = 'hawq_mirroring'"
    )
    assert sql("mdw", query) == "f|f|f|t|SCRAM-SHA-256$"


@pytest.mark.parametrize("host", HOSTS)
def test_exactly_the_two_hosts_may_replicate(host: str) -> None:
    own = {name: on(name, "ip -o addr show scope global | awk '{print $4}' | cut -d/ -f1").split() for name in HOSTS}
    rules = sql(
        host,
        "SELECT address, netmask, auth_method FROM pg_hba_file_rules"
        " WHERE 'replication' = ANY (database) AND type <> 'local' AND address NOT IN ('127.0.0.1', '::1')",
    ).splitlines()
    masks = {"255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}
    assert {rule.split("|")[1] for rule in rules} <= masks
    assert {rule.split("|")[2] for rule in rules} == {"scram-sha-256"}
    addresses = [rule.split("|")[0] for rule in rules]
    assert len(set(addresses)) == len(addresses)
    assert set(addresses) <= {address for name in HOSTS for address in own[name]}
    assert all(set(addresses) & set(own[name]) for name in HOSTS)


@pytest.mark.parametrize("host", HOSTS)
def test_one_master_may_ask_the_other_by_ssh_and_do_nothing_else(host: str) -> None:
    other = OTHER[host]

    def tried(command: str) -> str:
        return on(host, f"cd / && runuser -u gpadmin -- timeout 20 {command} 2>&1 </dev/null", check=False)

    strict = "-F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes"
    call = "/usr/bin/python3 -I /usr/local/libexec/hawq-mirroring-peer hawq-master"
    assert "Database system identifier" in tried(f"ssh {strict} {other} '{call} state'")
    for command in ("id", "", f"{call} wal ../../../../etc/passwd", f"{call} state; id"):
        assert tried(f"ssh {strict} {other} '{command}'").endswith("for its WAL files, and for nothing else"), command
    assert "PTY allocation request failed" in tried(f"ssh -tt {strict} {other} bash")
    assert "forwarding failed" in tried(f"ssh {strict} -N -o ExitOnForwardFailure=yes -R 9999:localhost:22 {other}")
    for command in (f"scp {strict}", f"scp -O {strict}"):
        tried(f"{command} /etc/hostname {other}:/tmp/brought")
    assert on(other, "test -e /tmp/brought", check=False) == on(other, "ls /tmp/brought 2>/dev/null", check=False) == ""


@pytest.mark.parametrize("host", HOSTS)
def test_only_login_shells_know_the_server(host: str) -> None:
    names = "PGPORT PGDATA MASTER_DATA_DIRECTORY"
    login = on(host, f"runuser -l gpadmin -c 'printenv {names}; command -v pg_ctl'").split()
    assert login == ["5432", DATA, DATA, "/usr/lib/postgresql/15/bin/pg_ctl"]
    assert on(host, f"cd / && runuser -u gpadmin -- bash -c 'printenv {names}; command -v pg_ctl'", check=False) == ""
    service = on(host, f"tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID {SERVICE})/environ")
    assert "MASTER_DATA_DIRECTORY" not in service
