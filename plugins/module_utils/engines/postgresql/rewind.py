# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking a diverged server back to where its history left its master's, with pg_rewind.

pg_rewind recovers a crashed target by itself first, and that removes the WAL which it then needs. So it is recovered
here, as a standby that keeps all WAL. Sources: PostgreSQL manual, "pg_rewind", "Standby Server Operation".
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import time
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.lock import alone
from ...host.module import Instance
from ...host.run import Runner
from ...values import conninfo, lsn, places, wal
from . import database, divergence, observe, salvage, server, snapshot

CLEAN = ("shut down", "shut down in recovery")
RECOVERING = "in archive recovery"
STOP_SECONDS = 60
#: until a server that is being started can be told from one that has died
START_SECONDS = 3
#: the master notices soon that a host which reads its files is gone
READER = {
    **snapshot.KEEPALIVE,
    "options": "-c tcp_user_timeout=10000 -c tcp_keepalives_idle=3 -c tcp_keepalives_interval=2"
    " -c tcp_keepalives_count=3",
}
#: a segment may be a gigabyte, and so long no answer may be
PART, PART_BYTES = "SELECT pg_read_binary_file(%s, %s, %s, false) AS bytes", 4 << 20
SOCKETS = "/run/hawq-mirroring-rewind"
#: the startup process has replayed all that there is (PostgreSQL manual, "Wait Events of Type Timeout")
WAITS = """
SELECT FROM pg_stat_activity WHERE backend_type = 'startup' AND wait_event = 'RecoveryRetrieveRetryInterval'
"""
#: what must not change while the WAL is replayed up to its end, and nothing more
ALONE = {
    "listen_addresses": "",
    "unix_socket_directories": SOCKETS,
    "primary_conninfo": "",
    "restore_command": "",
    "archive_mode": "off",
    "recovery_min_apply_delay": "0",
    "wal_keep_size": "1000000",
    "hot_standby": "on",
    "logging_collector": "off",
    "ssl": "off",
}


class Source(t.NamedTuple):
    """How the master is reached, and the password file that lets in."""

    keywords: dict[str, str]
    passfile: str


def attempt(work: t.Callable[[], None], result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Do it alone on this host; one that does not work is no failure, since another way is left: say why."""
    begin = time.monotonic()
    with alone():
        try:
            work()
        except (MirroringError, OSError) as error:
            result["reason"] = str(error)
    return {**result, "seconds": round(time.monotonic() - begin, 2)}


def keep_lost(instance: Instance, run: Runner, history: list[divergence.Part], found: dict[str, t.Any]) -> str:
    """Keep control data and the WAL beyond the fork aside, with what is in it; return where. Done once."""
    place = places.lost(instance.data_directory, found["end_lsn"])
    summary = os.path.join(place, "lost.json")
    if os.path.exists(summary):
        return place
    control = observe.control(instance, run) or {}
    size, directory = int(control.get("wal_segment_bytes") or 16 << 20), salvage.wal_directory(instance)
    numbers = range(lsn.parse(found["fork_lsn"]) // size, max(0, lsn.parse(found["end_lsn"]) - 1) // size + 1)
    names = [wal.segment_name(wal.timeline_at((each + 1) * size, history), each * size, size) for each in numbers]
    names = [name for name in names if os.path.exists(os.path.join(directory, name))]
    free = shutil.disk_usage(os.path.dirname(place)).free
    if free < len(names) * size + salvage.SPARE_BYTES:
        raise MirroringError(
            f"{os.path.dirname(place)} has {free >> 20} MB free for {len(names) * size >> 20} MB of WAL that only this"
            " host has and that is to be kept aside: make room there, then run again"
        )
    for directory_kept in (place, os.path.join(place, "pg_wal")):
        os.makedirs(directory_kept, mode=0o700, exist_ok=True)
    for name in names:
        shutil.copy2(os.path.join(directory, name), os.path.join(place, "pg_wal", name))
    shutil.copy2(os.path.join(instance.data_directory, "global", "pg_control"), place)
    with open(f"{summary}.new", "w", encoding="utf-8") as file:
        json.dump({**found, "control": control}, file, indent=2, sort_keys=True)
    own(instance, place)
    os.sync()
    os.replace(f"{summary}.new", summary)
    snapshot.sync_directory(place)
    return place


def own(instance: Instance, place: str) -> None:
    """Give a directory and all in it to the server's user."""
    owner = pwd.getpwnam(instance.user)
    for parent, _directories, names in os.walk(place):
        for path in (parent, *(os.path.join(parent, name) for name in names)):
            os.chown(path, owner.pw_uid, owner.pw_gid)


def recover(instance: Instance, run: Runner, timeout: int) -> None:
    """Replay what a crashed server left, as a standby that follows nobody, until its files are as its WAL says."""
    control = observe.control(instance, run) or {}
    if control.get("state") in CLEAN:
        return
    owner, place = pwd.getpwnam(instance.user), places.scratch(instance.data_directory)
    os.makedirs(SOCKETS, mode=0o700, exist_ok=True)
    os.chown(SOCKETS, owner.pw_uid, owner.pw_gid)
    log = os.path.join(place, "recovery.log")
    settings = {**ALONE, "port": str(instance.port)}
    if instance.config_directory != instance.data_directory:
        settings["config_file"] = os.path.join(instance.config_directory, "postgresql.conf")
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    control_program = [instance.program("pg_ctl"), "--silent", f"--pgdata={instance.data_directory}"]
    start = [*control_program, "start", "--no-wait", f"--log={log}", f"--options={options}"]
    code, _output, errors = run(start, timeout=60, user=instance.user)
    if code != 0:
        raise MirroringError(f"its crash recovery does not start: {' '.join(errors.split())}")
    begin = time.monotonic()
    while True:
        state = (observe.control(instance, run) or {}).get("state")
        running = observe.process(instance, database.postmaster(instance))["running"]
        if running and state == RECOVERING and (control.get("state") != RECOVERING or _waits(instance)):
            break
        waited = time.monotonic() - begin
        dead = waited > START_SECONDS and not server.workers(instance.data_directory)
        if waited > timeout or dead:
            why = "has ended" if dead else f"is not done after {timeout} s"
            last = " | ".join((files.text_of(log) or "no log").splitlines()[-3:])
            stop(instance, run)
            raise MirroringError(f"its crash recovery {why} ({state}): {last}")
        time.sleep(0.1)
    stop(instance, run)
    shutil.rmtree(SOCKETS, ignore_errors=True)
    state = (observe.control(instance, run) or {}).get("state")
    if state not in CLEAN:
        raise MirroringError(f"its crash recovery did not end cleanly: the control file says {state}")


def _waits(instance: Instance) -> bool:
    """Whether it waits for more WAL. One that crashed in recovery says from its start on that it recovers."""
    try:
        with database.session(instance) as cursor:
            return bool(database.rows(cursor, WAITS))
    except MirroringError:
        return False


def stop(instance: Instance, run: Runner) -> None:
    """End whatever server runs in the directory, and a pg_rewind that has lost its module."""
    server.end_rewind(instance.data_directory)
    process = observe.process(instance, database.postmaster(instance))
    if not server.stop(run, instance.service, instance.data_directory, process["pid"], process["frozen"], STOP_SECONDS):
        raise MirroringError(f"the server in {instance.data_directory} does not end, not even killed")


def fetch(instance: Instance, run: Runner, source: Source, names: list[str]) -> int:
    """Get segments from before the fork, which the master still has and this host has removed; return their number."""
    directory, owner = salvage.wal_directory(instance), pwd.getpwnam(instance.user)
    with database.remote(instance, {**source.keywords, "passfile": source.passfile}) as cursor:
        for name in names:
            temporary = os.path.join(directory, f"{name}.hawq")
            with open(temporary, "wb") as file:
                while True:
                    cursor.execute(PART, (f"pg_wal/{name}", file.tell(), PART_BYTES))
                    part = bytes(cursor.fetchone()["bytes"])
                    file.write(part)
                    if len(part) < PART_BYTES:
                        break
                os.fchown(file.fileno(), owner.pw_uid, owner.pw_gid)
                os.fchmod(file.fileno(), 0o600)
            os.replace(temporary, os.path.join(directory, name))
    return len(names)


def write_passfile(instance: Instance, password: str, keywords: dict[str, str], module: t.Any) -> str:
    """Write the password file of the rewind, readable by the server's user alone; return its path."""
    place = places.scratch(instance.data_directory)
    os.makedirs(place, mode=0o700, exist_ok=True)
    path = os.path.join(place, "pass")
    line = conninfo.passfile_line(
        keywords["host"], int(keywords["port"]), keywords["dbname"], keywords["user"], password
    )
    own(instance, place)
    files.write(module, path, line + "\n", instance.user)
    return path


def set_mark(module: t.Any, data_directory: str) -> None:
    """Keep the directory from being started. Everybody may read it: the other hosts' interlocks do."""
    mark = places.unfinished(data_directory)
    note = {"inode": os.stat(data_directory).st_ino, "at": time.time()}
    files.write(module, mark, json.dumps(note) + "\n", "root", 0o644)
    snapshot.sync_directory(os.path.dirname(mark))


def take_mark(data_directory: str) -> None:
    """Let it be started again."""
    mark = places.unfinished(data_directory)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(mark)
    snapshot.sync_directory(os.path.dirname(mark))


def save_configuration(instance: Instance) -> None:
    """Keep the configuration in the data directory aside, since a rewind brings the master's."""
    place = places.configuration(instance.data_directory)
    if not os.path.isdir(place):
        os.makedirs(f"{place}.new", mode=0o700, exist_ok=True)
        for name in os.listdir(instance.data_directory):
            path = os.path.join(instance.data_directory, name)
            if name.endswith(".conf") and os.path.isfile(path):
                shutil.copy2(path, f"{place}.new")
            elif name == "conf.d" and os.path.isdir(path):
                shutil.copytree(path, os.path.join(f"{place}.new", name), dirs_exist_ok=True)
        os.rename(f"{place}.new", place)


def restore_configuration(instance: Instance) -> None:
    """Put back the configuration that was kept aside, now or by an attempt that was interrupted, if any was."""
    place = places.configuration(instance.data_directory)
    if not os.path.isdir(place):
        return
    shutil.copytree(place, instance.data_directory, dirs_exist_ok=True)
    own(instance, place)
    owner = pwd.getpwnam(instance.user)
    for parent, _directories, names in os.walk(place):
        for name in names:
            inner = os.path.relpath(os.path.join(parent, name), place)
            os.chown(os.path.join(instance.data_directory, inner), owner.pw_uid, owner.pw_gid)


def clear(instance: Instance) -> None:
    """Remove what was needed meanwhile; a configuration that cannot be put back for want of room stays for later."""
    place = places.scratch(instance.data_directory)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(place, "pass"))
    with contextlib.suppress(OSError):
        restore_configuration(instance)
        shutil.rmtree(place)


def command_of(instance: Instance, source: Source) -> list[str]:
    """Return pg_rewind's command."""
    told = conninfo.render({**source.keywords, **READER, "passfile": source.passfile})
    command = [instance.program("pg_rewind"), f"--target-pgdata={instance.data_directory}"]
    command += ["--no-ensure-shutdown", "--progress"]
    command.append(f"--source-server={told}")
    if instance.config_directory != instance.data_directory:
        command.append(f"--config-file={instance.config_directory}/postgresql.conf")
    return command
