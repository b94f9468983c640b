# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each refusal names what was found and what goes on, and leaves both hosts as they were. The tests tell one story."""

from __future__ import annotations

import contextlib
import json
import typing as t
from pathlib import Path

import pytest
import yaml
from harness import (
    DATA,
    ROOT,
    SERVICE,
    changed,
    differences,
    fingerprint,
    flat,
    lab,
    leftovers,
    mirroring,
    on,
    play,
    reset_standby,
    sql,
    until,
)

HOSTS = ("mdw", "smdw")
BIN = "/usr/lib/postgresql/15/bin"
AS_GPADMIN = "cd / && runuser -u gpadmin --"


@contextlib.contextmanager
def unchanged() -> t.Iterator[None]:
    """Nothing happens on either host."""
    before = {host: fingerprint(host) for host in HOSTS}
    yield
    for host in HOSTS:
        assert differences(before[host], fingerprint(host)) == []


def refused(*arguments: str, says: list[str], playbook: str = "init_standby") -> None:
    """Run a playbook that must refuse with these words and change nothing."""
    with unchanged():
        output = play(playbook, *arguments, ok=False)
    for words in says:
        assert words in flat(output), output
    assert changed(output) == 0


def inventory(folder: Path, masters: dict[str, dict[str, str]]) -> list[str]:
    """Return the arguments for the lab's inventory with further hosts or variables in the group masters."""
    path = folder / "further.yml"
    path.write_text(yaml.safe_dump({"masters": {"hosts": masters}}))
    return ["-i", str(ROOT / "inventories" / "lab"), "-i", str(path)]


def restart_master(between: str = "true") -> None:
    on("mdw", f"systemctl stop {SERVICE} && {between} && systemctl start {SERVICE}")
    until(lambda: on("mdw", f"{BIN}/pg_isready -q -h /tmp && echo yes", check=False), 60, "the master's sessions")


def identifier(host: str, directory: str) -> str:
    """Return the system identifier of a directory's control file."""
    return on(host, f"LC_ALL=C {BIN}/pg_controldata {directory} | sed -n 's/Database system identifier: *//p'")


def test_empty_hosts_ask_for_a_master() -> None:
    refused(says=["no host accepts writes", "hawq.mirroring.init_master -e master_host=mdw"])
    refused(
        playbook="init_master", says=["the group masters has 2 hosts", "-e master_host=mdw or", "-e master_host=smdw"]
    )


def test_a_master_is_made_once() -> None:
    settings = {"server_settings": {"wal_level": "minimal", "max_wal_senders": 0}}
    # a guard would write its settings at any time
    asynchronous = ("-e", "mirroring_mode=asynchronous")
    play("init_master", "-e", "master_host=mdw", "-e", json.dumps(settings), *asynchronous)
    sql("mdw", "CREATE TABLE ledger AS SELECT n, 'before' AS word FROM generate_series(1, 1000) AS n")
    with unchanged():
        output = play("init_master")
    assert changed(output) == 0
    assert "Master on mdw: was there already, nothing changed" in output
    already = ["mdw already is a master, not smdw", "hawq.mirroring.init_standby"]
    refused("-e", "master_host=smdw", playbook="init_master", says=already)


def test_misspelt_and_wrong_variables() -> None:
    misspelt = ["standby_hots=smdw", "standby_snapshot_compresion=none", "gpadmin_user_colour=red"]
    refused(
        *(word for given in misspelt for word in ("-e", given)),
        says=[
            "standby_hots (did you mean standby_host?)",
            "standby_snapshot_compresion (did you mean standby_snapshot_compression?)",
            "gpadmin_user_colour",
        ],
    )
    refused("-e", "server_port=high", "-e", "existing_data=delete", says=["server_port", "refuse, keep, discard"])


def test_which_host_is_the_standby(tmp_path: Path) -> None:
    refused("-e", "standby_host=mdw", says=["mdw is the master", "-e standby_host=HOST"])
    unknown = ["elsewhere is not in the inventory's group masters (mdw, smdw)", "-e standby_host="]
    refused("-e", "standby_host=elsewhere", says=unknown)
    three = inventory(tmp_path, {"sdw1": {}})
    refused(*three, says=["has 2 hosts beside the master (smdw, sdw1)", "-e standby_host=sdw1"])


def test_case_01_the_masters_own_machine(tmp_path: Path) -> None:
    same = inventory(tmp_path, {"smdw": {"ansible_host": "mdw"}})
    refused(*same, says=["smdw and mdw are the same machine (mdw)", "Name another host"])


def test_settings_that_need_a_restart() -> None:
    restart_master(f"{AS_GPADMIN} {BIN}/pg_checksums --disable -D {DATA}")
    refused(
        says=[
            "wal_level = replica (now minimal)",
            "max_wal_senders = 10 (now 0)",
            "wal_log_hints = on (now off)",
            "-e master_restart_allowed=true",
            "ALTER SYSTEM SET wal_level = 'replica'",
            f"systemctl restart {SERVICE}",
        ]
    )


def test_case_09_no_free_walsender_or_slot() -> None:
    settings = "wal_level = replica\\nmax_wal_senders = 2\\nmax_replication_slots = 1\\n"
    restart_master(f"printf '{settings}' >> {DATA}/postgresql.conf")
    sql("mdw", "SELECT pg_create_physical_replication_slot('foreign', true)")
    receiver = f"{BIN}/pg_receivewal -h /tmp -D /srv/foreign --slot=foreign"
    on("mdw", f"install -d -o gpadmin /srv/foreign; systemd-run --unit=foreign --uid=gpadmin {receiver}")
    until(lambda: sql("mdw", "SELECT count(*) FROM pg_stat_replication") == "1", 30, "the foreign receiver")
    refused(
        says=[
            "max_replication_slots = 11 (now 1)",
            "max_wal_senders = 11 (now 2)",
            "-e master_restart_allowed=true",
            "ALTER SYSTEM SET max_replication_slots = '11'",
        ]
    )


def test_cases_02_and_12_every_reason_at_once(tmp_path: Path) -> None:
    on("smdw", "id gpadmin || useradd --create-home gpadmin")
    on("smdw", f"install -d -o gpadmin /data/hawq && cd / && {AS_GPADMIN.partition('&& ')[2]} {BIN}/initdb -D {DATA}")
    on("smdw", "systemd-run --unit=squatter python3 -m http.server 5432")
    on("smdw", f"mkdir -p /opt/16/bin && cp -s {BIN}/* /opt/16/bin && rm /opt/16/bin/postgres")
    on(
        "smdw",
        "printf '#!/bin/sh\\necho postgres \\\\(PostgreSQL\\\\) 16.4\\n' | install /dev/stdin /opt/16/bin/postgres",
    )
    until(lambda: on("smdw", "ss -Hltn sport = :5432"), 30, "the other program's port")
    lab("cut", "mdw", "smdw")
    try:
        refused(
            *inventory(tmp_path, {"smdw": {"binaries_prefix": "/opt/16"}}),
            says=[
                "/opt/16/bin on smdw holds major version 16, the master runs 15",
                "Set binaries_version=15 and binaries_prefix",
                "smdw cannot open mdw:5432",
                "port 5432 on smdw is taken by another program",
                f"{DATA} on smdw holds the data of a master whose server is stopped",
                f"belongs to another system (identifier {identifier('smdw', DATA)},"
                f" the master's is {identifier('mdw', DATA)})",
                "To move it aside: ansible-playbook",
                "-e existing_data=keep",
                "To delete it: ansible-playbook",
                "max_wal_senders",
            ],
        )
    finally:
        lab("join", "mdw", "smdw")
        on("smdw", "systemctl stop squatter; rm -r /opt/16")


def test_cases_02_and_09_keep_and_restart_as_told(tmp_path: Path) -> None:
    foreign, started = identifier("smdw", DATA), sql("mdw", "SELECT pg_postmaster_start_time()")
    everything = "cd {} && find . -type f -print0 | sort -z | xargs -0 sha256sum"
    before = on("smdw", everything.format(DATA))
    told = ("standby_host=smdw", "existing_data=keep", "master_restart_allowed=true")
    three = inventory(tmp_path, {"sdw1": {}})
    play("init_standby", *three, *(word for given in told for word in ("-e", given)))

    assert mirroring()[0] == "Synchronized"
    assert sql("mdw", "SELECT pg_postmaster_start_time()") != started
    assert sql("mdw", "SHOW wal_log_hints") == "on"
    count = "SELECT count(*), sum(n) FROM ledger"
    assert sql("smdw", count) == sql("mdw", count) == "1000|500500"
    kept = on("smdw", f"ls -d {DATA}.kept-*")
    assert identifier("smdw", kept) == foreign
    assert on("smdw", everything.format(kept)) == before
    assert on("sdw1", "ls /data 2>/dev/null; id gpadmin 2>&1", check=False) == "id: 'gpadmin': no such user"
    on("smdw", f"rm -r {kept}")


def test_an_ordinary_master_again() -> None:
    """Not a case: what the tests above did to the master is undone, and the standby taken away."""
    on("mdw", "systemctl stop foreign")
    until(
        lambda: sql("mdw", "SELECT count(*) FROM pg_replication_slots WHERE active AND slot_name = 'foreign'") == "0",
        30,
        "no receiver",
    )
    reset_standby()
    mend = "'/^(wal_level|max_wal_senders|max_replication_slots)/d'"
    restart_master(f"sed -E -i {mend} {DATA}/postgresql.conf && {AS_GPADMIN} {BIN}/pg_checksums --enable -D {DATA}")
    assert sql("mdw", "SELECT count(*) FROM pg_replication_slots") == "0"
    on("smdw", f"install -d -o gpadmin {DATA} && echo precious > {DATA}/notes.txt")


#: what mdw has and smdw has not: a library, certificates, a place for logs
NAMED = """
shared_preload_libraries = 'nosuch'
logging_collector = on
log_directory = '/srv/log/pg'
ssl = on
ssl_cert_file = '/srv/tls/server.crt'
ssl_key_file = '/srv/tls/server.key'
"""
CERTIFICATE = (
    "install -d -o gpadmin /srv/tls && cd /srv/tls"
    " && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=smdw -keyout server.key -out server.crt 2>/dev/null"
    " && chown gpadmin server.*"
)


def test_cases_66_67_83_the_copy_would_not_start(tmp_path: Path) -> None:
    """The configuration of the master names what smdw has not: all of it is told before anything is changed."""
    on("mdw", f"cp -p {DATA}/postgresql.conf /root/before && cat >> {DATA}/postgresql.conf <<'END'{NAMED}END")
    sql("mdw", "ALTER SYSTEM SET listen_addresses = 'mdw'")
    restart_master(
        f"sed -i 's/nosuch//; s/^ssl = on/ssl = off/; s/^logging.*on/logging_collector = off/' {DATA}/postgresql.conf"
    )
    on("mdw", f"cp -p /root/before {DATA}/postgresql.conf && cat >> {DATA}/postgresql.conf <<'END'{NAMED}END")
    on("smdw", "cp /etc/hosts /root/hosts; { echo 127.0.1.1 smdw; grep -v smdw /root/hosts; } > /etc/hosts")
    discard = ("-e", "existing_data=discard")
    refused(
        *discard,
        says=[
            'does not start on smdw, as a dry start there has shown (FATAL: could not access file "nosuch"',
            "log_directory names /srv/log/pg, which is not there on smdw",
            "install -d -o gpadmin -m 700 /srv/log/pg",
            "ssl_cert_file names /srv/tls/server.crt, which is not there on smdw",
            "listen_addresses names smdw, and on smdw that is 127.0.1.1, which no other host reaches",
            "Correct /etc/hosts on smdw",
        ],
    )
    assert on("smdw", "ls -d /tmp/hawq-start-* 2>/dev/null", check=False) == ""
    on("smdw", f"cat /root/hosts > /etc/hosts; install -d -o gpadmin /srv/log; {CERTIFICATE}; chmod 640 server.key")
    on("mdw", f"sed -i '/nosuch/d' {DATA}/postgresql.conf; echo work_memory = 4MB >> {DATA}/postgresql.conf")
    refused(
        *discard,
        says=[
            'unrecognized configuration parameter "work_memory" in file',
            "ssl_key_file names /srv/tls/server.key, which can be read by others than gpadmin",
            "chmod 600 /srv/tls/server.key",
        ],
    )
    on("mdw", f"cp -p /root/before {DATA}/postgresql.conf")
    sql("mdw", "ALTER SYSTEM RESET listen_addresses")
    restart_master()


GIVEN = """
SELECT rolname, rolpassword FROM pg_authid ORDER BY 1;
SELECT setrole, setconfig FROM pg_db_role_setting;
SELECT slot_name FROM pg_replication_slots;
"""


@pytest.fixture(scope="module")
def another_server() -> t.Iterator[None]:
    """Have a server of somebody else on sdw1."""
    on("sdw1", f"cd / && install -d -o postgres /srv/pg && runuser -u postgres -- {BIN}/initdb -D /srv/pg")
    server = f"{BIN}/postgres -D /srv/pg -c listen_addresses=* -c unix_socket_directories=/tmp"
    on("sdw1", f"systemd-run --unit=somebody --uid=postgres {server}")
    until(lambda: on("sdw1", f"{BIN}/pg_isready -q -h /tmp && echo yes", check=False), 60, "somebody's server")
    yield
    on("sdw1", "systemctl stop somebody")


@pytest.mark.parametrize(
    ("masters", "arguments", "says"),
    [
        ({}, ["-e", "master_replication_sslmode=require"], "server does not support SSL"),
        # that host is not the master's, as the login that its interlock would rely on shows first
        ({"mdw": {"server_address": "sdw1"}}, [], "gpadmin cannot ask mdw by SSH, at sdw1 port 22"),
    ],
    ids=["tls", "address"],
)
def test_case_10_replication_refused(
    another_server: None, tmp_path: Path, masters: dict[str, dict[str, str]], arguments: list[str], says: str
) -> None:
    def master() -> str:
        kept = sql("mdw", "SHOW max_slot_wal_keep_size")
        return sql("mdw", GIVEN) + kept + on("mdw", f"sha256sum {DATA}/pg_hba.conf")

    before = master()
    output = play("init_standby", *inventory(tmp_path, masters), "-e", "existing_data=discard", *arguments, ok=False)
    assert says in flat(output)
    assert "What this run had made is taken back" in flat(output)
    assert master() == before
    assert leftovers() == ""
    assert on("smdw", f"cat {DATA}/notes.txt") == "precious"
    assert sql("mdw", "SELECT count(*) FROM ledger") == "1000"


LIBRARIES = "/usr/lib/postgresql/15/lib"
LOCALES = "/usr/lib/locale"
#: what only mdw has
ONLY = f"{LIBRARIES}/only_preloaded.so {LIBRARIES}/only_here.so /opt/shop/only_path.so {LOCALES}/de_DE.utf8"
HAVE = (
    f"mkdir -p /opt/shop; cp {LIBRARIES}/auto_explain.so {LIBRARIES}/only_preloaded.so"
    f" && cp {LIBRARIES}/pg_trgm.so {LIBRARIES}/only_here.so && cp {LIBRARIES}/pg_trgm.so /opt/shop/only_path.so"
    f" && cp -r {LOCALES}/C.utf8 {LOCALES}/de_DE.utf8"
)
OLDER = """
import glob, re
place, = glob.glob("/lib/*/libc.so.6")
content = open(place, "rb").read()
open("/opt/older/libc.so.6", "wb").write(re.sub(rb"(?<!GLIBC_)2\\.36(?=\\0)", b"2.28", content))
"""
ACCEPTED = ("-e", "accept_collation_difference=true")
DROP_IN = f"/etc/systemd/system/{SERVICE}.d/older.conf"


def test_what_only_the_masters_host_has() -> None:
    """Not a case: libraries and a locale are there, and the C library of smdw calls itself an older one in its unit."""
    on("mdw", HAVE)
    restart_master(f"echo \"shared_preload_libraries = 'only_preloaded'\" >> {DATA}/postgresql.conf")
    sql("mdw", "CREATE DATABASE shop TEMPLATE template0 LOCALE 'de_DE.UTF-8'")
    for name, library in (("near", "$libdir/only_here"), ("far", "/opt/shop/only_path")):
        statement = f"CREATE FUNCTION {name}() RETURNS real AS '{library}', 'show_limit' LANGUAGE C"
        sql("mdw", statement, database="shop")
    on("smdw", f"mkdir -p /opt/older {DROP_IN.rpartition('/')[0]} && python3 -c '{OLDER}'")
    on("smdw", f"printf '[Service]\\nEnvironment=LD_LIBRARY_PATH=/opt/older\\n' >{DROP_IN}; systemctl daemon-reload")


def test_cases_02_66_68_87_refused_then_discarded() -> None:
    order = "libc 2.36 on mdw and by libc 2.28 on smdw (database shop)"
    refused(
        says=[
            f"{DATA} on smdw holds a directory with files that are not a server's",
            "notes.txt",
            "To delete it: ansible-playbook",
            "-e existing_data=discard",
            "only_preloaded (shared_preload_libraries): a server there would not start",
            "/opt/shop/only_path (function far of database shop)",
            "only_here (function near of database shop)",
            f"dpkg -S {LIBRARIES}/only_here.so /opt/shop/only_path.so",
            "smdw lacks a locale that is needed: de_DE.UTF-8 (database shop)",
            order,
            "-e accept_collation_difference=true",
        ]
    )
    on("smdw", HAVE)
    play("init_standby", "-e", "existing_data=discard", *ACCEPTED)
    assert mirroring()[0] == "Synchronized"
    on("smdw", f"mkdir /opt/away && mv {ONLY} /opt/away")
    said = flat(play("state", ok=False))
    # while shop gives no session there, nobody knows of a library by its path
    for words in ("only_preloaded", "only_here", "de_DE.UTF-8", order):
        assert words in said
    assert "Switchover = refused" in said
    on("smdw", f"rm -r /opt/away && {HAVE}")
    assert on("smdw", f"ls {DATA}/notes.txt 2>/dev/null", check=False) == ""
    assert leftovers() == ""
    assert sql("smdw", "SELECT count(*) FROM ledger") == "1000"


def test_case_72_the_servers_own_words() -> None:
    """With its log collected, the journal has only what systemd says."""
    on("smdw", f"printf 'logging_collector = on\\nlog_destination = csvlog\\n' >> {DATA}/postgresql.conf")
    on("smdw", f"systemctl stop {SERVICE} && mv {DATA}/pg_twophase {DATA}/aside")
    output = flat(play("resync_standby", ok=False))
    assert 'FATAL: could not open directory "pg_twophase": No such file or directory' in output
    on("smdw", f"mv {DATA}/aside {DATA}/pg_twophase; sed -i /csvlog/d {DATA}/postgresql.conf")
    play("resync_standby")


def test_case_77_each_host_keeps_its_key() -> None:
    """Neither a delta nor a copy stops at a key that its owner cannot write to, or brings the master's along."""
    for host in HOSTS:
        on(host, f"cd {DATA} && echo {host} | tee server.crt > server.key; chown gpadmin server.*; chmod 400 server.*")
    on("smdw", f"systemctl stop {SERVICE} && chmod 750 {DATA}")
    key = f"cd {DATA} && cat server.crt server.key && stat -c '%a %U' server.key"
    mine = "smdw\nsmdw\n400 gpadmin"
    assert "Way = delta " in flat(play("resync_standby", "-e", "resync_route=delta"))
    assert on("smdw", key) == mine
    assert on("smdw", f"stat -c %a {DATA} {DATA}/global/pg_control") == "750\n640"
    on("smdw", f"systemctl stop {SERVICE}")
    assert "copied and verified" in flat(play("init_standby", "-e", "existing_data=discard", *ACCEPTED))
    assert on("smdw", key) == mine
    assert on("smdw", f"stat -c %a {DATA}") == on("mdw", f"stat -c %a {DATA}")
    for host in HOSTS:
        on(host, f"rm {DATA}/server.*")


def test_master_stopped() -> None:
    on("mdw", f"systemctl stop {SERVICE}")
    start = f"systemctl start {SERVICE}"
    refused(says=["no host accepts writes", "mdw: the data of a master whose server is stopped", start])
    refused("-e", "master_host=mdw", playbook="init_master", says=["mdw holds the data of a master", start])
    with unchanged():
        said = flat(play("failover", "--check"))
    assert "Indexes on texts = were sorted by another version than smdw has" in said
    on("smdw", f"rm {DROP_IN}; systemctl daemon-reload; systemctl restart {SERVICE}")
    until(lambda: on("smdw", f"{BIN}/pg_isready -q -h /tmp && echo yes", check=False), 60, "the standby again")


def test_former_masters_data_after_a_manual_promotion() -> None:
    on("smdw", f"{AS_GPADMIN} {BIN}/pg_ctl promote -D {DATA}")
    sql("smdw", "INSERT INTO ledger VALUES (2001, 'on the new master')")
    refused(
        says=[
            f"{DATA} on mdw holds the data of a master whose server is stopped",
            "it may hold the last copy of something",
            "To move it aside: ansible-playbook",
            "-e existing_data=keep",
            "To delete it: ansible-playbook",
        ]
    )


def test_two_masters(tmp_path: Path) -> None:
    on("mdw", f"systemctl start {SERVICE}", check=False)
    assert "smdw is a master of the same system" in on("mdw", f"journalctl --no-pager -o cat -u {SERVICE}")
    # past its unit nobody is asked
    on("mdw", f"{AS_GPADMIN} {BIN}/pg_ctl start -D {DATA} -l /dev/null >/dev/null")
    until(lambda: on("mdw", f"{BIN}/pg_isready -q -h /tmp && echo yes", check=False), 60, "the second master")
    sql("mdw", "INSERT INTO ledger VALUES (1001, 'on the former master')")
    refused(says=["mdw and smdw both accept writes", f"systemctl stop {SERVICE} on smdw"])
    with unchanged():
        output = play("state", "-e", f"state_file={tmp_path}/state.json", ok=False)
    assert "mdw and smdw both accept writes" in flat(output)
    document = json.loads((tmp_path / "state.json").read_text())
    assert (document["master"], document["masters"]) == (None, ["mdw", "smdw"])


def test_the_former_master_becomes_the_standby_and_its_data_is_kept() -> None:
    on("mdw", f"{AS_GPADMIN} {BIN}/pg_ctl stop -m fast -D {DATA}")
    output = play("init_standby", "-e", "existing_data=keep")
    assert "Standby on mdw, mirrored from smdw" in output
    assert mirroring("smdw")[0] == "Synchronized"
    words = "SELECT n, word FROM ledger WHERE n > 1000"
    assert sql("smdw", words) == "2001|on the new master"
    until(lambda: sql("mdw", words) == "2001|on the new master", 30, "the new master's row on its standby")
    assert sql("mdw", "SELECT pg_is_in_recovery()") == "t"
    assert sql("smdw", "SELECT slot_name, active FROM pg_replication_slots") == "hawq_mirroring_mdw|t"
    kept = on("mdw", f"ls -d {DATA}.kept-*")
    row = on("mdw", f"{AS_GPADMIN} {BIN}/postgres --single -D {kept} postgres <<< '{words}' 2>/dev/null")
    assert 'word = "on the former master"' in row
    assert "on the new master" not in row
    assert changed(play("init_standby")) == 0
    play("state")
