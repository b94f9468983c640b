# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the scenarios' tests share: the lab, playbooks, SQL, a client that writes, waiting with a bound."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import threading
import time
import typing as t
from pathlib import Path

import psycopg2

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / "molecule" / "lab" / "lab"
#: the inventory of playbooks that are not given another
INVENTORY = ROOT / "inventories" / "lab"
DATA = "/data/hawq/master"
SERVICE = "hawq-master.service"
#: lets the interlock start a server once although nobody can be asked
PERMISSION = "/run/hawq-mirroring-hawq-master.start"
SLOT = "hawq_mirroring_smdw"
CLIENT_PASSWORD = "client"


def lab(*words: str) -> str:
    """Run a verb of the lab; fail with what it says."""
    forget_connections()  # a host that is switched off or cut off says no good-bye
    done = subprocess.run([str(LAB), *words], capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, f"lab {' '.join(words)}: {done.stderr}{done.stdout}"
    return done.stdout


def connections() -> Path:
    """Return the folder of the connections that are kept open, of this process alone."""
    return Path(os.environ["LAB_STATE"]) / "cp" / f"h{os.getpid()}"


def forget_connections() -> None:
    """Let the next command of each host begin a new connection; what goes on in the old ones ends by itself."""
    for socket in connections().glob("*"):
        socket.unlink(missing_ok=True)


def ssh(host: str, command: str) -> list[str]:
    """Return the command line that runs a shell command on a host as root.

    A new connection costs more than most commands, so one is kept open for a while. A host that falls silent is given
    up as soon as by a new connection.
    """
    connections().mkdir(parents=True, exist_ok=True)
    kept = {
        "ControlMaster": "auto",
        "ControlPath": f"{connections()}/%h",
        "ControlPersist": "20",
        "ServerAliveInterval": "1",
        "ServerAliveCountMax": "4",
    }
    options = [word for name, value in kept.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-F", f"{os.environ['LAB_STATE']}/ssh_config", *options, host, command]


def on(host: str, command: str, check: bool = True, seconds: int = 180) -> str:
    """Run a shell command on a host as root; return what it prints."""
    words = ssh(host, command)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False)
    assert not check or done.returncode == 0, f"{host}: {command}: {done.stderr}{done.stdout}"
    return done.stdout.strip()


def sql(host: str, query: str, user: str = "gpadmin", database: str = "postgres", socket: str = "/tmp") -> str:
    """Run SQL on a host over its socket; rows as psql prints them unaligned."""
    command = ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", socket, "-d", database, "-f", "-"]
    words = ssh(host, f"cd / && runuser -u {user} -- {' '.join(command)}")
    done = subprocess.run(words, input=query, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, f"{host}: {query}: {done.stderr}"
    return done.stdout.strip()


def command_of(playbook: str, *arguments: str) -> list[str]:
    """Return the command that runs one of the collection's playbooks; on the lab, unless an inventory comes first."""
    path = str(ROOT / "playbooks" / f"{playbook}.yml")
    inventory = [] if arguments[:1] == ("-i",) else ["-i", str(INVENTORY)]
    return ["ansible-playbook", *inventory, path, *arguments]


def environment() -> dict[str, str]:
    """Return the environment of an operator in the checkout: its ansible.cfg, and nothing of Molecule's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_"))}
    return {**kept, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_INJECT_FACT_VARS": "false"}


def play(playbook: str, *arguments: str, ok: bool = True, timeout: int = 300) -> str:
    """Run a playbook to its end; return all that it printed. ``ok=False`` expects it to fail."""
    done = subprocess.run(
        command_of(playbook, *arguments),
        env=environment(),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert (done.returncode == 0) is ok, f"{playbook} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def play_at_terminal(playbook: str, *arguments: str, question: str, answer: str) -> tuple[int, str]:
    """Run a playbook as at a terminal, type an answer when it asks; return exit code and output.

    Ansible throws away what was typed before it began to read, so the answer is typed again while nothing happens.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        command = command_of(playbook, *arguments)
        os.execvpe(command[0], command, {**environment(), "TERM": "dumb"})
    output, typed, deadline = "", False, time.monotonic() + 300
    with contextlib.suppress(OSError):  # the end of a terminal
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                if question in " ".join(output.split()):
                    typed = bool(os.write(terminal, f"{answer}\r".encode()))
                continue
            output += os.read(terminal, 4096).decode(errors="replace")
    _pid, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert typed, output
    return os.waitstatus_to_exitcode(status), output


class Running:
    """A playbook that runs in the background, in a process group of its own, so that it can be killed as a whole."""

    def __init__(self, playbook: str, *arguments: str, given: dict[str, str] | None = None) -> None:
        """Start it; what is given is added to its environment."""
        self.output = ""
        self.process = subprocess.Popen(
            command_of(playbook, *arguments),
            env={**environment(), "PYTHONUNBUFFERED": "1", **(given or {})},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.output += line

    def wait_for_output(self, text: str, seconds: float = 90) -> None:
        """Wait until it has printed this text."""
        until(lambda: text in self.output or self.process.poll() is not None, seconds, f"{text!r} in the output")
        assert text in self.output, self.output

    def reaches(self, text: str, seconds: float = 90) -> bool:
        """Wait until it has printed this text; return False when it ends without."""
        until(lambda: text in self.output or self.process.poll() is not None, seconds, f"{text!r} or its end")
        return text in self.output

    def kill(self) -> None:
        """Kill it as a power cut of the controller would: all of it, at once, if it has not ended already."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)

    def end(self, seconds: float = 300) -> tuple[int, str]:
        """Wait for its end; return exit code and output."""
        code = self.process.wait(timeout=seconds)
        self._reader.join(timeout=10)
        return code, self.output


def until(condition: t.Callable[[], object], seconds: float, what: str) -> None:
    """Wait for a condition, bounded."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def changed(output: str) -> int:
    """Return the number of changed tasks in a playbook's recap."""
    return sum(int(word.split("=")[1]) for word in output.split() if word.startswith("changed="))


def flat(output: str) -> str:
    """Return a playbook's output as one line: messages are wrapped and their quotes doubled."""
    return " ".join(output.replace("''", "'").split())


def unwrapped(output: str) -> str:
    """Return a report with every label and sentence on one line."""
    return re.sub(r"\n {6}(?=\S)", " ", output)


def mirroring(host: str = "mdw") -> list[str]:
    """Return summary, detail, time and message of gp_master_mirroring, as any client of the master sees them."""
    return sql(host, "SELECT * FROM gp_master_mirroring").split("|")


def let_clients_in(host: str) -> None:
    """Let ordinary clients of the network in; each host has a pg_hba.conf of its own."""
    hba = sql(host, "SHOW hba_file")
    on(host, f"grep -q ' client ' {hba} || echo 'host all client samenet scram-sha-256' >> {hba}")
    sql(host, "SELECT pg_reload_conf()")


def open_to_clients(host: str = "mdw") -> None:
    """Let the controller in as an ordinary client."""
    let_clients_in(host)
    sql(
        host,
        f"""
        DO $$ BEGIN
            IF to_regrole('client') IS NULL THEN CREATE ROLE client LOGIN PASSWORD '{CLIENT_PASSWORD}'; END IF;
        END $$;
        CREATE TABLE IF NOT EXISTS ledger (n bigint PRIMARY KEY, at timestamptz DEFAULT now());
        GRANT SELECT, INSERT ON ledger TO client;
        """,
    )


class Writer:
    """A client that commits numbered rows one by one over the network and keeps count of what was acknowledged."""

    def __init__(self, host: str = "mdw", start: int = 0) -> None:
        """Connect and begin to write."""
        self.acknowledged: list[int] = []
        self._host, self._next, self._stop = host, start, threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _write(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(psycopg2.Error):
                self._session()
            self._stop.wait(0.1)

    def _session(self) -> None:
        connection = psycopg2.connect(
            host=self._host, user="client", password=CLIENT_PASSWORD, dbname="postgres", connect_timeout=2
        )
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            while not self._stop.wait(0.005):
                number = self._next
                self._next += 1
                cursor.execute("INSERT INTO ledger (n) VALUES (%s)", (number,))
                self.acknowledged.append(number)

    def stop(self) -> list[int]:
        """Stop; return the numbers that the server acknowledged."""
        self._stop.set()
        self._thread.join(timeout=10)
        return self.acknowledged

    def missing_on(self, host: str) -> list[int]:
        """Return acknowledged rows that the host does not have."""
        there = {int(line) for line in sql(host, "SELECT n FROM ledger").split()}
        return [number for number in self.acknowledged if number not in there]


class Pair(t.NamedTuple):
    """Who is what when a test begins."""

    master: str
    standby: str


def accepts_writes(host: str) -> bool:
    """Whether the host's server is a master."""
    asked = "cd / && runuser -u gpadmin -- psql -h /tmp -XAtd postgres -c 'SELECT NOT pg_is_in_recovery()' 2>/dev/null"
    return on(host, asked, check=False) == "t"


class Ledger(Writer):
    """A client that commits through the address of the master, and one for each host that looks for a second writer."""

    def __init__(self, address: str, hosts: tuple[str, ...], start: int = 0) -> None:
        """Connect to the address (or several) and begin to write; look at each host for itself."""
        #: how often the test lets the master change
        self.swaps = 1
        #: when each acknowledgement came (time.monotonic)
        self.times: list[float] = []
        self._last_moment: list[int] = []
        self._writers: list[tuple[float, str]] = []
        self._lookers = [threading.Thread(target=self._look, args=(host,), daemon=True) for host in hosts]
        super().__init__(address, start)
        for looker in self._lookers:
            looker.start()

    def _connect(self, host: str) -> t.Any:
        connection = psycopg2.connect(
            host=host,
            user="client",
            password=CLIENT_PASSWORD,
            dbname="postgres",
            target_session_attrs="read-write",
            connect_timeout=2,
            tcp_user_timeout=3000,
            keepalives_idle=1,
            keepalives_interval=1,
            keepalives_count=2,
        )
        connection.autocommit = True
        return connection

    def _session(self) -> None:
        with contextlib.closing(self._connect(self._host)) as connection, connection.cursor() as cursor:
            while not self._stop.wait(0.01):
                number = self._next
                self._next += 1
                cursor.execute("INSERT INTO ledger (n) VALUES (%s)", (number,))
                self.acknowledged.append(number)
                self.times.append(time.monotonic())

    def _look(self, host: str) -> None:
        while not self._stop.wait(0.2):
            with (
                contextlib.suppress(psycopg2.Error),
                contextlib.closing(self._connect(host)) as connection,
                connection.cursor() as cursor,
            ):
                cursor.execute("CREATE TEMPORARY TABLE writes (n int)")
                self._writers.append((time.monotonic(), host))

    def stop(self) -> list[int]:
        """Stop all; return the numbers that were acknowledged."""
        numbers = super().stop()
        for looker in self._lookers:
            looker.join(timeout=10)
        return numbers

    def lose(self, standby: str, how: t.Callable[[], object]) -> None:
        """Lose the master's host, disk and all, when the standby has what was acknowledged until just before."""
        last = self.acknowledged[-1]
        until(lambda: last not in self.missing_on(standby), 30, "the standby has it")
        how()
        self._last_moment = [number for number in self.acknowledged if number > last]

    def lost_on(self, host: str) -> list[int]:
        """Return acknowledged rows that are lost there.

        A master that waits for no standby may have taken the very last ones of a lost host with it, and no others.
        """
        missing = self.missing_on(host)
        return [] if missing == self._last_moment[len(self._last_moment) - len(missing) :] else missing

    def two_writers(self) -> list[tuple[float, str]]:
        """Return the writes on another host than the one before, beyond the changes of hands that the test has made."""
        found: list[tuple[float, str]] = []
        last = None
        for at, host in sorted(self._writers):
            if last not in (None, host):
                found.append((at, host))
            last = host
        return found[self.swaps :]


def reset_standby(host: str = "smdw", master: str = "mdw") -> None:
    """Make the lab as it was before init_standby.yml: no standby, no slot, no role, no interlock, no lines of ours."""
    on(
        host,
        f"systemctl stop {SERVICE} hawq-mirroring-snapshot-hawq-master.service 2>/dev/null;"
        " systemctl reset-failed 2>/dev/null;"
        f" rm -rf {DATA} {DATA}.*; rm -f ~gpadmin/.pgpass",
        check=False,
    )
    # its interlock would wait for a standby whose data is gone, and not by the collection
    on(master, f"rm -f /etc/systemd/system/{SERVICE}.d/*hawq-mirroring.conf; systemctl daemon-reload")
    on(master, "sed -i '/# BEGIN hawq.mirroring/,/# END hawq.mirroring/d' " + sql(master, "SHOW hba_file"))
    on(master, "rm -f ~gpadmin/.pgpass")
    sql(
        master,
        """
        SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid IS NOT NULL;
        SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active;
        DROP ROLE IF EXISTS hawq_mirroring;
        ALTER SYSTEM RESET ALL;
        SELECT pg_reload_conf();
        """,
    )


def leftovers(host: str = "smdw") -> str:
    """Return what a snapshot has left on a host: staging places and units. Empty when it is tidy."""
    return on(
        host,
        f"ls -d {DATA}.* 2>/dev/null; systemctl list-units --all --no-legend 'hawq-mirroring-snapshot-*' | cat",
        check=False,
    )


#: where a playbook could leave something
PLACES = (
    "/data /home/gpadmin /etc/passwd /etc/postgresql* /etc/security/limits.d /etc/systemd/system"
    " /usr/share/postgresql/*/extension"
)
#: what a running server writes by itself
LIVE = r"-path '*/hawq/master/base' -o -path '*/hawq/master/global' -o -path '*/hawq/master/pg_*' -type d"


def fingerprint(host: str, without: str = "") -> str:
    """Return checksum, owner, mode and time of every file that a playbook could touch, and what the server holds.

    But for what a guard says of itself, at any time.
    """
    runs = bool(on(host, "cd / && runuser -u gpadmin -- psql -h /tmp -XAtd postgres -c 'SELECT 1' 2>&-", check=False))
    find = f"find {PLACES} \\( {without or (LIVE if runs else '-false')} \\) -prune -o"
    files = on(
        host,
        f"exec 2>/dev/null; {find} -type f -print0 | sort -z | xargs -0 sha256sum;"
        f" {find} -printf '%p %y %m %u %g %l\\n' | sort; {find} -type f -printf '%p %T@\\n' | sort;"
        " systemctl list-units --all --no-legend --plain 'hawq*'",
        check=False,
    )
    return files + (sql(host, HELD) if runs else "")


def differences(before: str, after: str) -> list[str]:
    """Return the lines that only one of two fingerprints has."""
    return sorted(set(before.splitlines()) ^ set(after.splitlines()))


HELD = """
SELECT rolname, rolpassword, rolreplication, rolsuper FROM pg_authid ORDER BY 1;
SELECT setdatabase, setrole, array(SELECT c FROM unnest(setconfig) c WHERE c !~ '^hawq_mirroring.guard=')
FROM pg_db_role_setting ORDER BY 1, 2;
SELECT slot_name, slot_type, wal_status FROM pg_replication_slots ORDER BY 1;
SELECT sourcefile, name, setting, applied, error FROM pg_file_settings ORDER BY 1, 2;
SELECT name, setting FROM pg_settings WHERE source <> 'default' ORDER BY 1;
SELECT type, database, user_name, address, netmask, auth_method FROM pg_hba_file_rules ORDER BY line_number;
SELECT extname, extversion FROM pg_extension ORDER BY 1;
"""
