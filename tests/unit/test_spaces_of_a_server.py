# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A real standby whose WAL makes a tablespace in a directory that is missing: what is seen of it, and what mends it."""

from __future__ import annotations

import os
import shutil
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, observe, spaces
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql.delta import comparison, master
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from test_names import PORT, PROGRAMS, USER, Server, as_the_user

pytestmark = pytest.mark.skipif(
    PROGRAMS is None or os.geteuid() != 0 or not database.HAS_PSYCOPG2,
    reason="needs PostgreSQL's programs, psycopg2, and root to become the server's user",
)
SETTINGS = "listen_addresses = ''\nport = {}\nunix_socket_directories = '{}'\nfsync = off\nmax_wal_senders = 4\n"


def begin(server: Server, port: int, wait: str = "-w") -> None:
    with (server.data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
        file.write(SETTINGS.format(port, server.place))
    server.program("pg_ctl", "-D", str(server.data), "-l", str(server.place / "log"), wait, "start")


def until(condition: t.Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture
def hosts() -> t.Iterator[tuple[Server, Server]]:
    """A master and its standby, whose replay is paused."""
    # not below pytest's own directory, which is root's alone, and whose name is too long for a socket
    first, second = (Server(Path("/tmp", f"hawq-{name}-{os.getpid()}")) for name in ("first", "second"))
    for server in (first, second):
        server.place.mkdir(mode=0o700)
        shutil.chown(server.place, USER, USER)
    first.program("initdb", "-D", str(first.data), "-U", USER, "--auth=trust", "--locale=C.UTF-8", "-N")
    begin(first, PORT)
    host = ["-h", str(first.place), "-p", str(PORT)]
    second.program("pg_basebackup", "-D", str(second.data), "-R", "-c", "fast", *host)
    begin(second, PORT)
    second.sql(b"SELECT pg_wal_replay_pause()")
    yield first, second
    for server in (first, second):
        if (server.data / "postmaster.pid").exists():
            server.program("pg_ctl", "-D", str(server.data), "-m", "immediate", "stop")
        shutil.rmtree(server.place)


def seen(server: Server) -> list[t.Any]:
    def look() -> t.Any:
        run = Runner()
        control = observe.neutral_control(observe.control(server.instance, run))
        return spaces.observe(server.instance, run, control, observe.histories(server.instance), True)

    return list(as_the_user(server, look))


def test_a_directory_that_the_wal_needs(hosts: tuple[Server, Server]) -> None:
    first, second = hosts
    place = first.place / "late"
    place.mkdir()
    shutil.chown(place, USER)
    first.sql(b"CREATE TABLESPACE late LOCATION '" + os.fsencode(place) + b"'")
    lsn = first.sql(b"SELECT pg_current_wal_flush_lsn()")
    until(lambda: second.sql(b"SELECT pg_last_wal_receive_lsn() >= '" + lsn + b"'") == b"t")
    (place / "PG_13_202007201").mkdir()
    (place / "lost+found").mkdir(mode=0o700)  # root's
    with database.session(first.instance) as cursor:  # one that is somebody else's is neither listed nor looked into
        rows = database.rows(cursor, master.FILES, ([*master.EMPTY, *comparison.OWN],))
    inner = {row["path"].split("/")[2] for row in rows if row["path"].count("/") == 2 and "pg_tblspc" in row["path"]}
    assert [name.rpartition("_")[0] for name in inner] == [f"PG_{(first.data / 'PG_VERSION').read_text().strip()}"]
    for server in hosts:
        server.program("pg_ctl", "-D", str(server.data), "-m", "immediate", "stop")
    away = place.rename(first.place / "away")
    (row,) = seen(second)
    assert (row["path"], row["linked"], row["there"], row["trouble"]) == (str(place), False, "nothing", None)
    begin(second, PORT, "-W")  # it ends, as on the host of a standby that lacks the directory
    until(lambda: "does not exist" in (second.place / "log").read_text())
    until(lambda: not (second.data / "postmaster.pid").exists())
    (row,) = seen(second)
    assert (row["linked"], row["there"]) == (False, "nothing")
    place.mkdir()
    shutil.chown(place, USER)
    assert seen(second)[0]["there"] == "directory"
    begin(second, PORT)
    until(lambda: second.sql(b"SELECT count(*) FROM pg_tablespace WHERE spcname = 'late'") == b"1")
    assert away.is_dir()
    assert [(row["oid"], row["linked"]) for row in seen(second)] == [(row["oid"], True)]
