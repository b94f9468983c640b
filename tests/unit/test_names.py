# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of any bytes on a real server: nothing stops at them, and what is shown of them obeys nobody.

Needs PostgreSQL's programs and root, which becomes the server's user.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    database,
    mirroring,
    observe,
    relations,
    server_info,
    spaces,
    views,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql.delta import comparison, master
from ansible_collections.hawq.mirroring.plugins.module_utils.host import separation
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import Instance
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from ansible_collections.hawq.mirroring.plugins.module_utils.values import text

USER, PORT = "postgres", 54399
PROGRAMS = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
ESCAPE = b"\x1b[2J\x1b]0;gone\x07"
#: name of a database as bytes, and how it is shown
DATABASES = {
    b"x\xff": r"x\xff",
    b"a\nb": r"a\nb".replace(r"\n", r"\x0a"),
    b"tab\there": r"tab\x09here",
    ESCAPE: r"\x1b[2J\x1b]0;gone\x07",
    b"\xc2\x9b31m": r"\u009b31m",
    b"Gr\xfc\xdfe": r"Gr\xfc\xdfe",
    "Grüße".encode(): "Grüße",
    b"dbname=postgres host=elsewhere": "dbname=postgres host=elsewhere",
    rb"literal\xff": r"literal\xff",
    b"'quoted' \"twice\" \\": "'quoted' \"twice\" \\",
}
ROLE, ROLE_SHOWN = b"r\xffole\n\x1b[31m", r"r\xffole\x0a\x1b[31m"
SPACE, SPACE_SHOWN = b"s\xffpace\r\n", r"s\xffpace\x0d\x0a"
LATIN = "Übergröße".encode("latin1")

pytestmark = pytest.mark.skipif(
    PROGRAMS is None or os.geteuid() != 0 or not database.HAS_PSYCOPG2,
    reason="needs PostgreSQL's programs, psycopg2, and root to become the server's user",
)


def quoted(name: bytes) -> bytes:
    return b'"' + name.replace(b'"', b'""') + b'"'


class Server:
    """A real server below a directory of its own, without a port that anybody else could reach."""

    def __init__(self, place: Path) -> None:
        self.place, self.data = place, place / "data"
        self.instance = Instance(
            USER, str(PROGRAMS), str(self.data), str(self.data), "hawq-master.service", "localhost", PORT
        )

    def program(self, name: str, *words: str, given: bytes = b"") -> bytes:
        command = ["runuser", "-u", USER, "--", f"{PROGRAMS}/{name}", *words]
        done = subprocess.run(command, input=given, capture_output=True, cwd="/", timeout=120, check=False)
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    def sql(self, statement: bytes, inside: str = "postgres") -> bytes:
        words = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.place), "-p", str(PORT), "-d", inside, "-f", "-"]
        return self.program("psql", *words, given=statement).strip()

    def start(self) -> None:
        self.program("initdb", "-D", str(self.data), "-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        settings = f"listen_addresses = ''\nunix_socket_directories = '{self.place}'\nport = {PORT}\nfsync = off\n"
        with (self.data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.write(settings)
        self.program("pg_ctl", "-D", str(self.data), "-l", str(self.place / "log"), "-w", "start")

    def fill(self) -> None:
        """Give it names that only a database without an encoding of its own lets in."""
        self.sql(b"CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
        latin = b" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        for name in DATABASES:
            self.sql(b"CREATE DATABASE " + quoted(name) + latin, "ascii")
        self.sql(b"CREATE ROLE " + quoted(ROLE), "ascii")
        place = os.fsencode(self.place) + b"/sp\xfface\n"
        os.mkdir(place)
        account = pwd.getpwnam(USER)
        os.chown(place, account.pw_uid, account.pw_gid)
        self.sql(b"CREATE TABLESPACE " + quoted(SPACE) + b" LOCATION '" + place + b"'", "ascii")

    def path_of(self, name: bytes, relation: bytes) -> str:
        """Return a relation of a database as WAL names its file."""
        found = self.sql(
            b"SET client_encoding = 'SQL_ASCII'; SELECT '1663/' || oid FROM pg_database WHERE datname = '"
            + name.replace(b"'", b"''") + b"'", "ascii",
        )  # fmt: skip
        with database.session(self.instance, os.fsdecode(name)) as cursor:
            row = database.rows(cursor, "SELECT pg_relation_filenode(%s::regclass) AS file", (os.fsdecode(relation),))
        return f"{found.decode()}/{row[0]['file']}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Server]:
    # not below pytest's own directory, which is root's alone, and whose name is too long for a socket
    place = Path("/tmp", f"hawq-names-{os.getpid()}")
    place.mkdir(mode=0o700)
    shutil.chown(place, USER, USER)
    found = Server(place)
    try:
        found.start()
        found.fill()
        yield found
    finally:
        if (found.data / "postmaster.pid").exists():
            found.program("pg_ctl", "-D", str(found.data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(os.fsencode(place))


def as_the_user(server: Server, work: t.Callable[[], t.Any]) -> t.Any:
    """Let a module's own process do it, as on a host, and return what Ansible would be told."""
    told = text.shown(separation.run_as(USER, work))
    json.dumps(told).encode("ascii")
    return told


def everything(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(inner)


def test_a_server_tells_all_of_itself(server: Server) -> None:
    found, error, _damage = as_the_user(server, lambda: server_info.gather(server.instance, True, True))
    assert error is None
    told = text.named(found)
    assert set(DATABASES.values()) <= set(told["databases"])
    assert {"name": SPACE_SHOWN, "location": rf"{server.place}/sp\xfface\x0a"} in told["tablespaces"]
    assert SPACE_SHOWN in [row["name"] for row in told["sizes"]]
    for each in everything(told):
        assert each.isprintable(), repr(each)
        each.encode("utf-8")


@pytest.mark.parametrize("name", DATABASES, ids=ascii)
def test_every_database_is_entered_by_its_name(server: Server, name: bytes) -> None:
    def ask(given: str) -> list[dict[str, t.Any]]:
        with database.session(server.instance, given) as cursor:
            return database.rows(cursor, "SELECT current_database() AS name, current_setting('client_encoding') AS e")

    found = as_the_user(server, lambda: ask(os.fsdecode(name)))
    assert text.named(found) == [{"name": DATABASES[name], "e": "SQL_ASCII"}]
    if name != rb"literal\xff":  # which is written as if it were a byte
        assert as_the_user(server, lambda: ask(text.raw(DATABASES[name]))) == found
    assert "PGDATABASE" not in os.environ


def test_a_database_that_is_not_there_is_an_error_that_can_be_shown(server: Server) -> None:
    def ask() -> None:
        with database.session(server.instance, "not\udcff\x1b[31m\nhere"):
            pass

    with pytest.raises(MirroringError, match="does not exist") as raised:
        separation.run_as(USER, ask)
    shown = text.shown(str(raised.value))
    assert "\n" not in shown
    assert "\x1b" not in shown
    shown.encode("utf-8")


def test_an_error_with_such_a_name_is_one_that_can_be_shown(server: Server) -> None:
    def ask() -> None:
        with database.session(server.instance, "ascii") as cursor:
            cursor.execute('SELECT * FROM "no\udcff\x1b[31m"')

    with pytest.raises(MirroringError, match="does not exist") as raised:
        separation.run_as(USER, ask)
    assert r"no\xff\x1b[31m" in text.shown(str(raised.value))


def test_relations_are_named_whatever_their_databases_are_called(server: Server) -> None:
    table = quoted(LATIN)
    paths = {}
    for name in (b"x\xff", b"a\nb", ESCAPE):
        with database.session(server.instance, os.fsdecode(name)) as cursor:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS public.{os.fsdecode(table)} (n int)")
        paths[name] = server.path_of(name, b"public." + table)
    found = text.named(as_the_user(server, lambda: relations.names(server.instance, list(paths.values()))))
    assert found == sorted(rf"{DATABASES[name]}.public.\xdcbergr\xf6\xdfe" for name in paths)


def test_a_database_that_lets_nobody_in_does_not_stop_the_others(server: Server) -> None:
    server.sql(b"CREATE DATABASE " + quoted(b"shut\xff") + b" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'", "ascii")
    with database.session(server.instance, "postgres") as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS public.open (n int)")
    there = server.path_of(b"postgres", b"public.open")
    shut = server.path_of(b"shut\xff", b"pg_catalog.pg_proc")
    server.sql(b"UPDATE pg_database SET datallowconn = false WHERE datname = 'shut\xff'", "ascii")
    found = text.named(as_the_user(server, lambda: relations.names(server.instance, [there, shut, "1663/1/99999"])))
    file = shut.rpartition("/")[2]
    assert found == [
        rf"database shut\xff: file {file}",
        "postgres.public.open",
        "template1: file 99999 (not in the master)",
    ]


def test_the_state_of_the_views_is_asked_of_a_database_as_people_type_it(server: Server) -> None:
    instance = server.instance
    found = as_the_user(
        server, lambda: views.observe(instance, Runner(), t.cast("t.Any", {"standby": False}), [r"x\xff", "none\xff"])
    )
    assert found["databases"] == []
    asked = as_the_user(server, lambda: mirroring._ask(instance, Runner(), None))
    assert asked[0]["error_message"] == "no view"


def test_a_delta_leaves_out_files_whose_names_no_server_has_made(server: Server) -> None:
    stray = os.fsencode(server.data) + b"/base/stray\xff\n"
    with open(stray, "wb") as file:
        file.write(b"x")
    plain = server.data / "base" / "Grüße"
    plain.write_bytes(b"y")

    def look() -> t.Any:
        with database.session(server.instance) as cursor:
            source = master.Master(cursor)
            _directories, files = source.files()
            pieces = [piece for batch in comparison.pieces(files[:50]) for piece in batch]
            return [file.path for file in files], [each is None for each in source.hashes(pieces)]

    try:
        names, missing = as_the_user(server, look)
    finally:
        os.unlink(stray)
        plain.unlink()
    assert [name for name in names if "stray" in name] == []
    assert "base/Grüße" in names
    assert not any(missing)


def test_files_of_any_names_are_observed(server: Server) -> None:
    """Also in the data directory, and beside it."""
    data = os.fsencode(server.data)
    made = [
        data + b"/.\xff\n\x1b[31m",
        data + b"/pg_wal/\xff.history",
        data + b".kept-\xff",
        data + b"/pg_replslot/\xff",
    ]
    for path in made:
        os.mkdir(path)
    conf = server.data / "postgresql.auto.conf"
    kept = conf.read_bytes()
    conf.write_bytes(kept + b"hawq_mirroring.note = '\xff'\nprimary_conninfo = 'host=m\xff user=\xff'\n")

    def look() -> t.Any:
        told, _slot = observe.settings_on_disk(server.instance)
        return [
            observe.data_directory(server.instance, True),
            observe.histories(server.instance),
            observe.follows(told),
            observe.control(server.instance, Runner()),
            spaces.directory(text.raw(rf"{server.place}/sp\xfface\x0a")),
        ]

    try:
        found = text.named(as_the_user(server, look))
    finally:
        conf.write_bytes(kept)
        for path in made:
            os.rmdir(path)
    assert found[0]["entries"][0] == r".\xff\x0a\x1b[31m"
    assert found[0]["slots"] == [r"\xff"]
    assert found[2] == {"host": r"m\xff", "port": None, "user": r"\xff", "database": None}
    assert found[3]["system_identifier"]
    assert found[4]["path"] == rf"{server.place}/sp\xfface\x0a"
    assert len(found[4]["entries"]) == 1
    for each in everything(found):
        assert each.isprintable(), repr(each)


def test_a_connection_of_other_bytes_is_an_answer_and_no_crash(server: Server) -> None:
    assert "utf-8" in as_the_user(server, lambda: database.replication_answer("host=/tmp user='\udcff'"))
