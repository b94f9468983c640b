# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A master, its standby and witnesses on this machine, with the programs of guard and witnesses, and a client."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

from programs import ROLES
from test_names import PROGRAMS, USER

ROOT = ROLES.parent
UTILS = ROOT / "plugins/module_utils"
GUARD, WITNESS = ROLES / "guard/files/hawq-mirroring-guard", ROLES / "witness/files/hawq-mirroring-witness"
#: what the roles put beside the programs
COPIED = ("judge/guard.py", "values/ledger.py", "host/ledger_file.py", "engines/postgresql/bounded_session.py")
EXTENSION = [ROLES / f"master/files/hawq_mirroring--{name}.sql" for name in ("1.1", "1.1--1.2")]
MASTER, STANDBY = "mdw", "smdw"


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


def until(what: t.Callable[[], t.Any], seconds: float, words: str = "") -> float:
    """Wait for something, and return how long that took; fail when it takes too long."""
    begin = time.monotonic()
    while not what():
        took = time.monotonic() - begin
        assert took < seconds, f"after {seconds} s: {words}"
        time.sleep(0.02)
    return time.monotonic() - begin


def shown(value: t.Any) -> str:
    if value is None:
        return ""
    return ("t" if value else "f") if isinstance(value, bool) else str(value)


class Server:
    """A server of this name below the place of the pair."""

    def __init__(self, place: Path, name: str) -> None:
        self.place, self.name, self.port = place, name, free_port()
        self.data = place / name
        self.session: t.Any = None

    def program(self, name: str, *words: str, given: str = "", seconds: int = 60) -> str:
        command = ["runuser", "-u", USER, "--", f"{PROGRAMS}/{name}", *words]
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, cwd="/", timeout=seconds, check=False
        )
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout.strip()

    def sql(self, statement: str) -> str:
        """Return what the server answers, as psql would write it; a session is kept."""
        import psycopg2

        try:
            return self._answer(statement)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):  # the server was started anew
            self.session = None
            return self._answer(statement)

    def _answer(self, statement: str) -> str:
        import psycopg2

        if self.session is None:
            own = "-c synchronous_commit=local -c statement_timeout=30s"
            where = {"host": str(self.place), "port": self.port, "user": USER, "dbname": "postgres"}
            self.session = psycopg2.connect(options=own, **where)
            self.session.autocommit = True
        with self.session.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        return "\n".join("|".join(shown(value) for value in row) for row in rows)

    def set(self, **settings: t.Any) -> None:
        with (self.data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self) -> None:
        self.program("pg_ctl", "-D", str(self.data), "-l", f"{self.data}.log", "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        self.signal(signal.SIGCONT)
        if self.pids():
            self.program("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def pids(self) -> list[int]:
        """Return its processes, the first one first."""
        with contextlib.suppress(OSError, ValueError):
            first = int((self.data / "postmaster.pid").read_text().split()[0])
            found = Path(f"/proc/{first}/task/{first}/children").read_text().split()
            return [first, *map(int, found)]
        return []

    def signal(self, number: int) -> None:
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


class Program:
    """One of the collection's programs, with its settings."""

    def __init__(self, program: Path, place: Path, name: str, settings: dict[str, t.Any]) -> None:
        self.program, self.name, self.settings = program, name, settings
        self.path, self.log = place / f"{name}.json", place / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.told()

    def told(self, **changed: t.Any) -> None:
        self.settings.update(changed)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.settings))
        new.replace(self.path)

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-I", str(self.program), str(self.path)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/")

    def signal(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def cpu(self) -> float:
        """Return the seconds of a core that it has used."""
        assert self.process
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def says(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


class Client(threading.Thread):
    """Commits one row after the other, and remembers which were acknowledged, and when."""

    def __init__(self, server: Server, settings: str = "") -> None:
        super().__init__(daemon=True)
        self.server, self.settings = server, settings
        self.acknowledged: list[int] = []
        self.times: list[tuple[float, float]] = []
        self.waiting_since: float | None = None
        self.over = threading.Event()
        self.error = ""

    def run(self) -> None:
        import psycopg2

        try:
            connection = psycopg2.connect(
                host=str(self.server.place), port=self.server.port, user=USER, dbname="postgres", options=self.settings
            )
            connection.autocommit = True
            cursor = connection.cursor()
            while not self.over.is_set():
                self.waiting_since = begin = time.monotonic()
                cursor.execute("INSERT INTO public.ledger DEFAULT VALUES RETURNING n")
                self.acknowledged.append(cursor.fetchone()[0])
                self.waiting_since = None
                self.times.append((begin, time.monotonic()))
                self.over.wait(0.01)
            connection.close()
        except psycopg2.Error as error:
            self.error = str(error)

    def longest(self, since: float = 0) -> float:
        """Return the longest commit that ended after this moment, or that still waits."""
        waits = time.monotonic() - (self.waiting_since or time.monotonic())
        return max([waits, *(end - begin for begin, end in self.times if end >= since)])

    def stop(self) -> None:
        self.over.set()
        self.join(10)
        assert not self.is_alive()


class Pair:
    """The whole of it, below a directory of its own."""

    def __init__(self, place: Path, witnesses: int = 3) -> None:
        self.place = place
        place.mkdir(mode=0o755)
        shutil.chown(place, USER, USER)
        self.library = place / "lib"
        self.library.mkdir()
        for name in COPIED:
            path = self.library / "hawq_mirroring" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(UTILS / name)
        self.master, self.standby = Server(place, MASTER), Server(place, STANDBY)
        names = [f"w{number}" for number in range(1, witnesses + 1)]
        self.guard = self.guard_of(self.master, [STANDBY, MASTER], names)
        self.witnesses = [self._witness(name) for name in names]

    def guard_of(self, server: Server, masters: list[str], witnesses: list[str]) -> Program:
        settings = {
            "library": str(self.library),
            "host": server.name,
            "user": USER,
            "socket_directory": str(self.place),
            "port": server.port,
            "data_directory": str(server.data),
            "mode": "synchronous",
            "degrade_after": 2,
            "count": 1,
            "witnesses": witnesses,
        }
        return Program(GUARD, self.place, f"guard-{server.name}", settings)

    def _witness(self, name: str) -> Program:
        settings = {
            "library": str(self.library),
            "hostname": name,
            "role": "hawq_mirroring_segment",
            "passfile": "/nonexistent",
            "masters": [{"address": "127.0.0.1", "port": each.port} for each in (self.master, self.standby)],
            "record": str(self.place / f"{name}-record.json"),
            "interval_seconds": 0.4,
        }
        return Program(WITNESS, self.place, name, settings)

    def make(self) -> None:
        """Make the servers, with what init_standby.yml makes, and start all."""
        one = self.master
        one.program("initdb", "-D", str(one.data), "-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        one.set(listen_addresses="127.0.0.1", unix_socket_directories=self.place, port=one.port)
        one.start()
        scripts = "".join(path.read_text() for path in EXTENSION)
        # outside of an extension these two are of no use
        scripts = re.sub(r"^(\\echo|SELECT pg_catalog.pg_extension_config_dump).*$", "", scripts, flags=re.M)
        one.sql(f"""
            SELECT pg_create_physical_replication_slot('hawq_mirroring_{STANDBY}');
            CREATE ROLE repl REPLICATION LOGIN;
            ALTER ROLE repl SET hawq_mirroring.standbys = '{STANDBY}';
            ALTER ROLE repl SET hawq_mirroring.master = '{MASTER}';
            CREATE ROLE hawq_mirroring_segment LOGIN;
            CREATE TABLE public.ledger (n bigint GENERATED ALWAYS AS IDENTITY);
            BEGIN; {scripts}; COMMIT;
            GRANT EXECUTE ON FUNCTION public.hawq_mirroring_witness(text, text, text) TO hawq_mirroring_segment;
        """)
        two = self.standby
        source = f"host=127.0.0.1 port={one.port} user=repl"
        two.program("pg_basebackup", "-D", str(two.data), "-d", source, "-X", "stream", "-c", "fast")
        two.set(
            port=two.port,
            primary_conninfo=f"{source} application_name={STANDBY}",
            primary_slot_name=f"hawq_mirroring_{STANDBY}",
        )
        (two.data / "standby.signal").touch()
        two.start()

    def system(self) -> str:
        return self.master.sql("SELECT system_identifier FROM pg_control_system()")

    def state(self) -> dict[str, t.Any]:
        found = json.loads(self.master.sql("SELECT coalesce(public.hawq_mirroring_guard(), '{}')::text"))
        return t.cast("dict[str, t.Any]", found)

    def names(self) -> str:
        return self.master.sql("SHOW synchronous_standby_names")

    def end(self) -> None:
        for program in (self.guard, *self.witnesses):
            with contextlib.suppress(Exception):
                program.signal(signal.SIGCONT)
            program.kill()
        for server in (self.standby, self.master):
            with contextlib.suppress(Exception):
                server.stop()
        shutil.rmtree(self.place)
