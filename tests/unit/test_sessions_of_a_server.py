# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Our sessions with a real server for all of whose sessions somebody has set what would stop them (78)."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, in_place, segment_role
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql.delta import comparison, master
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo
from programs import SEGMENT, VIRTUAL_IP, loaded
from test_names import PORT, PROGRAMS, USER, Server

pytestmark = pytest.mark.skipif(
    PROGRAMS is None or os.geteuid() != 0 or not database.HAS_PSYCOPG2,
    reason="needs PostgreSQL's programs, psycopg2, and root to become the server's user",
)
#: what a session that reads the master's files may do (``rewind_source``)
READER = """
CREATE FUNCTION public.audit() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO ddl VALUES (tg_tag); END';
CREATE EVENT TRIGGER audit ON ddl_command_end EXECUTE FUNCTION public.audit();
SET session_replication_role = replica;
CREATE ROLE reader LOGIN;
GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean) TO reader;
"""
EVERYWHERE = """
ALTER SYSTEM SET statement_timeout = '1ms';
ALTER SYSTEM SET lock_timeout = '1ms';
ALTER SYSTEM SET idle_session_timeout = '1ms';
ALTER SYSTEM SET default_transaction_read_only = on;
ALTER SYSTEM SET default_transaction_isolation = 'serializable';
ALTER SYSTEM SET search_path = 'nowhere';
ALTER SYSTEM SET standard_conforming_strings = off;
ALTER SYSTEM SET default_tablespace = 'pg_global';
ALTER SYSTEM SET log_statement = 'all';
ALTER SYSTEM SET wal_sender_timeout = '10ms';
SELECT pg_reload_conf();
"""


@pytest.fixture(scope="module")
def server() -> t.Iterator[Server]:
    place = Path("/tmp", f"hawq-set-{os.getpid()}")
    place.mkdir(mode=0o755)
    shutil.chown(place, USER, USER)
    found = Server(place)
    try:
        found.start()
        found.sql(READER.encode())
        found.sql(EVERYWHERE.encode())
        yield found
    finally:
        if (found.data / "postmaster.pid").exists():
            found.program("pg_ctl", "-D", str(found.data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(place)


def psql(server: Server, told: dict[str, t.Any], *words: str, given: str = "") -> str:
    where = {"host": str(server.place), "port": PORT, **told}
    command = [f"{PROGRAMS}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *words, conninfo.render(where)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_session_with_the_hosts_own(server: Server) -> None:
    with database.session(server.instance) as cursor:
        cursor.execute("SELECT pg_sleep(0.01)")
        cursor.execute("CREATE TABLE public.ours (n int)")
        database.keep_out_of_the_log(cursor)
        cursor.execute("CREATE ROLE other PASSWORD 'in no log'")
    assert "in no log" not in (server.place / "log").read_text()


def test_a_session_that_reads_the_masters_files(server: Server) -> None:
    keywords = {"host": str(server.place), "port": str(PORT), "user": "reader", "dbname": "postgres"}
    with database.remote(keywords, in_place.READER) as cursor:
        found = database.rows(cursor, master.FILES, ([*master.EMPTY, *comparison.OWN],))
    assert "global/pg_control" in {row["path"] for row in found}


def test_programs_that_ask_or_copy(server: Server) -> None:
    for ours in (conninfo.JOB, conninfo.ASKING):
        told = {"user": USER, "dbname": "replication", "replication": "true", **ours}
        answer = psql(server, told, "-c", "IDENTIFY_SYSTEM", "-c", "SHOW wal_sender_timeout").splitlines()
        assert len(answer) == 2
        assert answer[1] == ("1min" if ours is conninfo.JOB else "10ms")


def test_a_segment(server: Server) -> None:
    segment = loaded(SEGMENT)
    options = " ".join(f"-c {name}={value}" for name, value in segment.OPTIONS.items())
    told = {"user": "reader", "dbname": "postgres", "target_session_attrs": "read-write", "options": options}
    first = segment.STATEMENT.partition("SELECT pg_catalog.row_to_json")[0]
    given = f"{first}SHOW default_transaction_isolation;\nSELECT pg_catalog.pg_sleep(0.01) IS NULL;\n"
    assert psql(server, told, given=given).split("\n")[0] == "read committed"


def test_who_holds_the_address(server: Server) -> None:
    options = " ".join(f"-c {each}" for each in loaded(VIRTUAL_IP).SESSION)
    asked = ("-c", "SHOW default_transaction_isolation", "-c", "SELECT NOT pg_catalog.pg_is_in_recovery()")
    assert psql(server, {"user": USER, "dbname": "postgres", "options": options}, *asked) == "read committed\nt\n"


def test_a_server_without_the_database_that_all_have(server: Server) -> None:
    """Somebody has renamed it, or closed it: another one answers what is asked of the server."""
    whole = "SELECT current_database() AS name"
    with database.session(server.instance, "template1") as cursor:
        cursor.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS false")
        cursor.execute("ALTER DATABASE template1 CONNECTION LIMIT 0")
    with database.session(server.instance) as cursor:
        assert database.rows(cursor, whole) == [{"name": "template1"}]
    with pytest.raises(MirroringError, match="none"), database.session(server.instance, "none"):
        pass
    with database.session(server.instance, "template1") as cursor:
        cursor.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS true")
        cursor.execute("ALTER DATABASE postgres RENAME TO first")
    with database.session(server.instance) as cursor:
        assert database.rows(cursor, whole) == [{"name": "template1"}]
        cursor.execute("ALTER DATABASE first RENAME TO postgres")
    database._instead.clear()  # as in the next process
    with database.session(server.instance) as cursor:
        assert database.rows(cursor, whole) == [{"name": "postgres"}]


REGISTER = """
CREATE FUNCTION public.hawq_mirroring_register(
    text, integer, text, OUT master text, OUT timeline integer, OUT lsn text, OUT summary_state text
) LANGUAGE sql AS $$ SELECT 'mdw', 1, '0/3017F88', 'Synchronized' $$
"""


def test_a_segment_and_a_line_to_type_where_the_first_database_was_renamed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = loaded(SEGMENT)
    settings = {
        "hostname": "sdw1",
        "own_address": "127.0.0.1",
        "port": 1,
        "role": USER,
        "passfile": "/nonexistent",
        "psql": f"{PROGRAMS}/psql",
        "masters": [{"address": str(server.place), "port": PORT}],
    }
    monkeypatch.setattr(database, "_instead", {})
    with database.session(server.instance, "template1") as cursor:
        cursor.execute(REGISTER)
        cursor.execute("ALTER DATABASE postgres RENAME TO first")
    try:
        answer = segment.register(settings)
        assert (answer["master"], segment.DATABASES) == ("mdw", ["template1", "postgres"])
        with database.session(server.instance) as cursor:
            assert database.rows(cursor, "SELECT 1 AS n") == [{"n": 1}]
        line = database.typed(server.instance, """SELECT 'a "b"', current_database()""", "SELECT '$HOME'")
        # whoever types it has no such settings
        monkeypatch.setenv("PGOPTIONS", "-c idle_session_timeout=0 -c statement_timeout=0")
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd="/", timeout=30, check=False)
        assert all(word in done.stdout for word in ('a "b"', "template1", "$HOME")), (line, done)
    finally:
        with database.session(server.instance, "template1") as cursor:
            cursor.execute("ALTER DATABASE first RENAME TO postgres")
            cursor.execute("DROP FUNCTION public.hawq_mirroring_register")


def test_what_was_taken_from_all_roles(server: Server) -> None:
    with database.session(server.instance) as cursor:
        cursor.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        cursor.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        cursor.execute('CREATE ROLE "Seg"')

        def is_open(role: str) -> bool:
            return bool(database.rows(cursor, segment_role.WAY_IN, (f'"{role}"',))[0]["open"])

        assert (is_open("Seg"), is_open("none")) == (False, True)
        cursor.execute(f'GRANT CONNECT ON DATABASE {database.current(cursor)} TO "Seg"')
        cursor.execute('GRANT USAGE ON SCHEMA public TO "Seg"')
        assert is_open("Seg")


@pytest.mark.parametrize("status", ["ready", "standby"])
def test_a_server_without_a_socket(server: Server, tmp_path: Path, status: str) -> None:
    """As PostgreSQL 15 writes it where unix_socket_directories is empty, or names an abstract one."""
    (tmp_path / "postmaster.pid").write_text(f"1\n/data\n1\n5432\n\n*\n 1 2\n{status}  \n")
    instance = dataclasses.replace(server.instance, data_directory=str(tmp_path))
    with pytest.raises(MirroringError, match="Set unix_socket_directories"), database.session(instance):
        pass
