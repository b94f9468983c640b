# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking a diverged server back to where its history left its master's, with pg_rewind.

pg_rewind recovers a crashed target by itself first, and that removes the WAL which it then needs. So it is recovered
here, as a standby that keeps all WAL. Sources: PostgreSQL manual, "pg_rewind", "Standby Server Operation".
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import typing as t

from ...host import files, user_places
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import conninfo, places
from ...values import history as histories
from ..table import POSTGRESQL
from . import database, divergence, in_place, observe, own_files, own_words, stopping, wal_files

CLEAN = ("shut down", "shut down in recovery")
RECOVERING = "in archive recovery"
#: until a server that is being started can be told from one that has died
START_SECONDS = 3
#: a WAL file may be a gigabyte, and so long no answer may be
PART, PART_BYTES = "SELECT pg_read_binary_file(%s, %s, %s, false) AS bytes", 4 << 20
#: the startup process has replayed all that there is (PostgreSQL manual, "Wait Events of Type Timeout")
WAITS = """
SELECT FROM pg_stat_activity WHERE backend_type = 'startup' AND wait_event = 'RecoveryRetrieveRetryInterval'
"""
#: what must not change while the WAL is replayed up to its end, and nothing more
ALONE = {
    "listen_addresses": "",
    "primary_conninfo": "",
    # a newer server does not start with a setting that it does not have
    **{name: value for name, value in POSTGRESQL.standby_settings.items() if name != "promote_trigger_file"},
    "archive_mode": "off",
    "wal_keep_size": "1000000",
    "logging_collector": "off",
    "ssl": "off",
}
MEGABYTES = re.compile(r"need to copy (\d+) MB")


class Source(t.NamedTuple):
    """How the master is reached, and the password file that lets in."""

    keywords: dict[str, str]
    passfile: str


def recover(instance: Instance, run: Runner, timeout: int) -> None:
    """Replay what a crashed server left, as a standby that follows nobody, until its files are as its WAL says."""
    control = observe.control(instance, run) or {}
    if control.get("state") in CLEAN:
        return
    sockets = tempfile.mkdtemp(prefix="hawq-", dir="/tmp")
    try:
        _replay(instance, run, control, sockets, timeout)
    finally:
        shutil.rmtree(sockets, ignore_errors=True)
    state = (observe.control(instance, run) or {}).get("state")
    if state not in CLEAN:
        raise MirroringError(f"its crash recovery did not end cleanly: the control file says {state}")


def _replay(instance: Instance, run: Runner, control: dict[str, t.Any], sockets: str, timeout: int) -> None:
    """Start the server, with its socket where nobody else looks for it, and stop it when all is replayed."""
    log = os.path.join(places.scratch(instance.data_directory), "recovery.log")
    settings = {**ALONE, "unix_socket_directories": sockets, "port": str(instance.port)}
    if instance.config_directory != instance.data_directory:
        settings["config_file"] = os.path.join(instance.config_directory, "postgresql.conf")
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    control_program = [instance.program("pg_ctl"), "--silent", f"--pgdata={instance.data_directory}"]
    start = [*control_program, "start", "--no-wait", f"--log={log}", f"--options={options}"]
    code, _output, errors = run(start, timeout=60)
    if code != 0:
        raise MirroringError(f"its crash recovery does not start: {' '.join(errors.split())}")
    begin = time.monotonic()
    while True:
        state = (observe.control(instance, run) or {}).get("state")
        running = observe.process(instance, database.postmaster(instance))["running"]
        if running and state == RECOVERING and (control.get("state") != RECOVERING or _waits(instance)):
            break
        waited = time.monotonic() - begin
        dead = waited > START_SECONDS and not stopping.workers(instance.data_directory)
        if waited > timeout or dead:
            why = "has ended" if dead else f"is not done after {timeout} s"
            text = files.text_of(log) or "no log"
            last = own_words.of_text(text) or " | ".join(text.splitlines()[-3:])
            in_place.stop(instance, run)
            raise MirroringError(f"its crash recovery {why} ({state}): {last}")
        time.sleep(0.1)
    in_place.stop(instance, run)


def _waits(instance: Instance) -> bool:
    """Whether it waits for more WAL. One that crashed in recovery says from its start on that it recovers."""
    try:
        with database.session(instance) as cursor:
            return bool(database.rows(cursor, WAITS))
    except MirroringError:
        return False


def fetch(instance: Instance, run: Runner, source: Source, names: list[str]) -> int:
    """Get WAL files from before the fork, which the master still has and this host has removed; return their number."""
    directory = wal_files.directory(instance)
    with database.remote({**source.keywords, "passfile": source.passfile}) as cursor:
        for name in names:
            temporary = os.path.join(directory, f"{name}.hawq")
            with files.created(temporary) as file:
                while True:
                    cursor.execute(PART, (f"pg_wal/{name}", file.tell(), PART_BYTES))
                    part = bytes(cursor.fetchone()["bytes"])
                    file.write(part)
                    if len(part) < PART_BYTES:
                        break
            os.replace(temporary, os.path.join(directory, name))
    return len(names)


def command_of(instance: Instance, source: Source) -> list[str]:
    """Return pg_rewind's command."""
    told = conninfo.render(conninfo.allowed(source.keywords, in_place.READER, {"passfile": source.passfile}))
    command = [instance.program("pg_rewind"), f"--target-pgdata={instance.data_directory}"]
    command += ["--no-ensure-shutdown", "--progress"]
    command.append(f"--source-server={told}")
    if instance.config_directory != instance.data_directory:
        command.append(f"--config-file={instance.config_directory}/postgresql.conf")
    return command


def _last_words(text: str) -> str:
    """Return the last lines of a program, as one sentence."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "kB" not in line]
    return " | ".join(lines[-2:]) or "no word"


def _prepare(
    instance: Instance,
    run: Runner,
    source: Source,
    history: list[histories.Part],
    fork: str,
    timeout: int,
    result: dict[str, t.Any],
) -> None:
    """Do all that leaves the directory a server's that could be started again."""
    recover(instance, run, timeout)
    size = int((observe.control(instance, run) or {}).get("wal_segment_bytes") or 0)
    while True:
        lsn, missing = divergence.checkpoint_before(instance, run, history, fork, size, timeout)
        if not missing:
            break
        result["fetched"] += fetch(instance, run, source, missing)
    if lsn is None:
        raise MirroringError(f"no checkpoint before {fork} is left in its WAL")


def _copy(instance: Instance, run: Runner, source: Source, timeout: int, result: dict[str, t.Any]) -> None:
    """Run pg_rewind. It says what it has to copy when it has read all and written nothing yet (13 to 18)."""
    code, output, errors = run(command_of(instance, source), timeout=timeout)
    found = MEGABYTES.search(output + errors)
    # one that outlives the time-out may have begun since
    goes_on = code != 0 and stopping.end_rewind(instance.data_directory)
    if code != 0 and not found and not goes_on:
        result["unfinished"] = False
        raise MirroringError(f"pg_rewind does not work: {_last_words(output + errors)}")
    if code != 0:
        raise MirroringError(f"pg_rewind stopped half-way: {_last_words(output + errors)}")
    result["copied_bytes"] = int(found.group(1)) << 20 if found else 0


def rewind(
    instance: Instance,
    run: Runner,
    act: bool,
    *,
    primary: dict[str, t.Any],
    role: str,
    passfile: str,
    password_of: str,
    fork: str,
    history: list[histories.Part],
    timeout: int,
) -> dict[str, t.Any]:
    """Prepare, mark, rewind, make it a standby, take the mark away."""
    result: dict[str, t.Any] = {"changed": True, "rewound": False, "unfinished": False, "fetched": 0}
    result["diff"] = {"before": "its own history\n", "after": f"as its master at {fork}\n"}
    if not act:
        return {**result, "rewound": True, "seconds": 0.0}
    data = instance.data_directory

    def work() -> None:
        if observe.unfinished(data):
            result.update(unfinished=True, changed=False)
            raise MirroringError("an earlier attempt has left it half-way")
        keywords = {**primary, "user": role, "dbname": primary.get("dbname") or database.DATABASES[0]}
        keywords.pop("application_name", None)
        password = conninfo.password_in(files.read(passfile) or "", password_of) or ""
        user_places.make(places.scratch(data))
        files.write(os.path.join(data, "standby.signal"), "", act=True)
        source = Source(keywords, in_place.write_passfile(instance, password, keywords))
        try:
            in_place.stop(instance, run)
            _prepare(instance, run, source, history, fork, timeout, result)
            in_place.save_configuration(instance)
            in_place.set_mark(data)
            own_files.let_write(data)
            result["unfinished"] = True
            _copy(instance, run, source, timeout, result)
            files.write(os.path.join(data, "standby.signal"), "", act=True)
            in_place.restore_configuration(instance)
            files.sync_directory(data)
            result.update(rewound=True, unfinished=False)
        finally:
            if not result["unfinished"]:
                in_place.take_mark(data)
            in_place.clear(instance)

    return in_place.attempt(work, result)
