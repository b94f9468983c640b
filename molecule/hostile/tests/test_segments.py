# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whoever has a segment's host, its password and its memory can register and delay a failover, and do no more."""

from __future__ import annotations

import json
import typing as t

import pytest
from harness import Pair, accepts_writes, changed, flat, lab, mirroring, on, play, sql, until

MEMORY = "/var/lib/hawq-mirroring-segment/segment.json"
SERVICE = "hawq-mirroring-segment.service"
DOWN = ("-e", "master_is_down=true")
IGNORE = ("-e", "ignore_witness=sdw1")


def asked(words: str, query: str, host: str = "mdw", role: str = "hawq_mirroring_segment") -> str:
    """What the server answers to the segment's password from the segment's host."""
    login = f"host={host} user={role} passfile=/etc/hawq-mirroring/segment.pgpass {words}"
    return on("sdw1", f'cd / && runuser -u gpadmin -- psql "{login}" -wXAtc "{query}" 2>&1', check=False)


REFUSED = {
    "no base backup": (
        "dbname=postgres replication=database",
        "IDENTIFY_SYSTEM",
        "must be superuser or replication role",
    ),
    "no stream": ("replication=true", "IDENTIFY_SYSTEM", "no pg_hba.conf entry"),
    "no other database": ("dbname=template1", "SELECT 1", "no pg_hba.conf entry"),
    "no table of ours": ("dbname=postgres", "TABLE public.hawq_mirroring_segment", "permission denied"),
    "no other table": ("dbname=postgres", "TABLE public.secret", "permission denied"),
    "no verifier": ("dbname=postgres", "TABLE pg_catalog.pg_authid", "permission denied"),
    "no slot": (
        "dbname=postgres",
        "SELECT pg_drop_replication_slot('hawq_mirroring_smdw')",
        "must be superuser or replication",
    ),
    "no file": ("dbname=postgres", "SELECT pg_read_file('PG_VERSION')", "permission denied"),
    "no object in public": ("dbname=postgres", "CREATE TABLE public.mine ()", "permission denied"),
}


@pytest.fixture(scope="module")
def secret(cluster: Pair) -> None:
    """Have a table of somebody else."""
    sql(cluster.master, "CREATE TABLE IF NOT EXISTS secret AS SELECT 42 AS answer")


@pytest.mark.parametrize(("words", "query", "answer"), REFUSED.values(), ids=REFUSED)
def test_the_password_of_a_segment_opens_nothing(secret: None, words: str, query: str, answer: str) -> None:
    assert answer in asked(words, query)


def test_the_password_of_a_segment_lets_it_register(cluster: Pair) -> None:
    told = asked("dbname=postgres", "SELECT * FROM public.hawq_mirroring_register('sdw1', 40000, '')")
    identifier = sql(cluster.master, "SELECT system_identifier FROM pg_control_system()")
    assert told.split("|")[0] == cluster.master
    assert told.split("|")[3:] == ["Synchronized", identifier]
    assert json.loads(on("sdw1", f"cat {MEMORY}"))["system_identifier"] == identifier
    # nobody else may, not even the role that replicates
    sql(cluster.master, "DROP ROLE IF EXISTS mallory; CREATE ROLE mallory LOGIN")
    for role in ("mallory", "hawq_mirroring"):
        may = (
            f"SELECT has_function_privilege('{role}', 'public.hawq_mirroring_register(text, integer, text)', 'EXECUTE')"
        )
        assert sql(cluster.master, may) == "f"
    sql(cluster.master, "DROP ROLE mallory")


def test_segments_are_let_in_to_no_replication(cluster: Pair) -> None:
    for host in cluster:
        rules = sql(host, "SELECT database, user_name, address FROM pg_hba_file_rules WHERE address = '10.77.0.13'")
        assert rules == "{postgres}|{hawq_mirroring_segment}|10.77.0.13"
    replication = sql(
        cluster.master, "SELECT address FROM pg_hba_file_rules WHERE user_name = '{hawq_mirroring}' ORDER BY 1"
    )
    assert replication.split() == ["10.77.0.11", "10.77.0.12", "fd77::11", "fd77::12"]


def test_the_service_may_do_little(cluster: Pair) -> None:
    shown = on(
        "sdw1", f"systemctl show {SERVICE} -p User,NoNewPrivileges,ProtectSystem,CapabilityBoundingSet,ActiveState"
    )
    assert set(shown.splitlines()) == {
        "User=gpadmin",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "ActiveState=active",
    }
    assert on("sdw1", f"stat -c '%a %U' {MEMORY} /etc/hawq-mirroring/segment.pgpass").split("\n") == ["600 gpadmin"] * 2


@pytest.fixture
def lost(cluster: Pair) -> t.Iterator[dict[str, t.Any]]:
    """Lose the master's host; give what the segment remembers, which stays as the test writes it."""
    until(lambda: mirroring(cluster.master)[0] == "Synchronized", 60, "a synchronised pair")
    on("sdw1", f"systemctl stop {SERVICE}")
    lab("power-off", cluster.master)
    yield json.loads(on("sdw1", f"cat {MEMORY}"))
    lab("power-on", cluster.master)
    on("sdw1", f"systemctl start {SERVICE}")


def remember(text: str) -> None:
    on("sdw1", f"cat > {MEMORY} <<'END'\n{text}\nEND")


def test_a_lie_is_told_with_its_witness_and_can_be_ignored(cluster: Pair, lost: dict[str, t.Any]) -> None:
    # of a trouble that the standby has outlived nobody speaks any more
    has = sql(cluster.standby, "SELECT pg_last_wal_receive_lsn()")
    lies = ({"lsn": "FFFFFFFF/0"}, {"timeline": 99}, {"summary_state": "Not Synchronized", "lsn": has})
    for lie in lies:
        remember(json.dumps({**lost, **lie}))
        said = flat(play("failover", *DOWN, ok=False))
        assert "sdw1 remembers mdw at LSN" in said
        assert str(next(iter(lie.values()))) in said
        assert "If sdw1 cannot be right: ansible-playbook" in said
        assert "-e ignore_witness=sdw1" in said
        assert "Nothing was changed. A run would make smdw the master" in flat(
            play("failover", "--check", *DOWN, *IGNORE)
        )
    for text, note in (
        (
            json.dumps({**lost, "lsn": "FFFFFFFF/0", "system_identifier": "77"}),
            "is of another system (77) and not believed",
        ),
        ("{", "is damaged and not believed: it is no JSON"),
        (json.dumps({**lost, "lsn": ["x"]}), "is damaged and not believed: lsn cannot be right"),
    ):
        remember(text)
        said = flat(play("failover", "--check", *DOWN))
        assert note in said
        assert "A run would make smdw the master" in said
    on("sdw1", f"rm {MEMORY} && ln -s /dev/zero {MEMORY}")
    assert "is damaged and not believed: it cannot be opened" in flat(play("failover", "--check", *DOWN))
    on("sdw1", f"rm {MEMORY}")
    assert "ignore_witness names mdw, not in the groups segments and witnesses" in flat(
        play("failover", *DOWN, "-e", "ignore_witness=sdw1,mdw", ok=False)
    )
    remember(json.dumps({**lost, "lsn": "FFFFFFFF/0"}))
    on("sdw1", f"chown gpadmin: {MEMORY}")
    said = flat(play("failover", *DOWN, *IGNORE))
    assert "ignored witness: sdw1" in said
    assert "Ignored witnesses = sdw1" in said
    assert accepts_writes(cluster.standby)


def test_the_segment_registers_with_the_new_master(cluster: Pair) -> None:
    """The role and its right have come over with the WAL, the way in was there."""
    play("resync_standby")
    rows = "SELECT status FROM gp_segment_configuration WHERE hostname = 'sdw1'"
    until(lambda: sql(cluster.standby, rows) == "u", 60, "the segment registers")
    assert json.loads(on("sdw1", f"cat {MEMORY}"))["master"] == cluster.standby
    assert changed(play("init_segments")) == 0
    play("switchover", "-e", f"master_host={cluster.master}")
    until(lambda: sql(cluster.master, rows) == "u", 60, "the segment registers")
    assert changed(play("init_segments")) == 0


def test_the_segments_keep_their_role_when_the_last_standby_is_removed(cluster: Pair) -> None:
    play("remove_standby")
    sql(cluster.master, "UPDATE hawq_mirroring_segment SET reported = '-infinity'")
    rows = "SELECT status FROM gp_segment_configuration WHERE hostname = 'sdw1'"
    until(lambda: sql(cluster.master, rows) == "u", 30, "the segment still registers")
    play("init_standby", "-e", "existing_data=discard")
    assert changed(play("init_segments")) == 0
