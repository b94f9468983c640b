# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every way shares that brings a stopped server's directory back in place: nobody may start it half-way.

A mark beside the directory says so, the configuration is kept aside, and a password file lets it read the master.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
import typing as t

from ...host import files, user_places
from ...host.errors import MirroringError
from ...host.lock import alone
from ...host.module import Instance
from ...host.run import Runner
from ...values import conninfo, places, text
from . import database, observe, own_files, stopping

STOP_SECONDS = 60
#: the master notices soon that a host which reads its files is gone
READER = {
    **conninfo.KEEPALIVE,
    "options": "-c tcp_user_timeout=10000 -c tcp_keepalives_idle=3 -c tcp_keepalives_interval=2"
    " -c tcp_keepalives_count=3 -c idle_session_timeout=0",
}


def attempt(work: t.Callable[[], None], result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Do it alone on this host; one that does not work is no failure, since another way is left: say why."""
    begin = time.monotonic()
    with alone():
        try:
            work()
        except (MirroringError, OSError) as error:
            result["reason"] = text.named(str(error))
    return {**result, "seconds": round(time.monotonic() - begin, 2)}


def stop(instance: Instance, run: Runner) -> None:
    """End whatever server runs in the directory, and a pg_rewind that has lost its module."""
    stopping.end_rewind(instance.data_directory)
    process = observe.process(instance, database.postmaster(instance))
    if not stopping.stop(
        run, instance.service, instance.data_directory, process["pid"], process["frozen"], STOP_SECONDS
    ):
        raise MirroringError(f"the server in {instance.data_directory} does not end, not even killed")


def write_passfile(instance: Instance, password: str, keywords: dict[str, str]) -> str:
    """Write the password file of the work, readable by the server's user alone; return its path."""
    place = places.scratch(instance.data_directory)
    user_places.make(place)
    path = os.path.join(place, "pass")
    line = conninfo.passfile_line(
        keywords["host"], int(keywords["port"]), keywords["dbname"], keywords["user"], password
    )
    files.write(path, line + "\n", act=True)
    return path


def set_mark(data_directory: str) -> None:
    """Keep the directory from being started. Everybody may read it: the other hosts' interlocks do."""
    mark = places.unfinished(data_directory)
    note = {"inode": os.stat(data_directory).st_ino, "at": time.time()}
    user_places.write(mark, json.dumps(note) + "\n")


def take_mark(data_directory: str) -> None:
    """Let it be started again."""
    user_places.unlink(places.unfinished(data_directory))


def save_configuration(instance: Instance) -> None:
    """Keep the configuration and the certificates in the data directory aside, since the master's takes its place."""
    place = places.configuration(instance.data_directory)
    if not os.path.isdir(place):
        os.makedirs(f"{place}.new", mode=0o700, exist_ok=True)
        for name in os.listdir(instance.data_directory):
            path = os.path.join(instance.data_directory, name)
            if name.endswith(".conf") and os.path.isfile(path):
                shutil.copy2(path, f"{place}.new")
            elif name == "conf.d" and os.path.isdir(path):
                shutil.copytree(path, os.path.join(f"{place}.new", name), dirs_exist_ok=True)
        for name in own_files.named(instance.data_directory, instance.config_directory).values():
            own_files.keep(os.path.join(instance.data_directory, name), os.path.join(f"{place}.new", name))
        os.rename(f"{place}.new", place)


def restore_configuration(instance: Instance) -> None:
    """Put back the configuration that was kept aside, now or by an attempt that was interrupted, if any was."""
    place = places.configuration(instance.data_directory)
    if not os.path.isdir(place):
        return
    for parent, _inner, names in os.walk(place):
        target = os.path.normpath(os.path.join(instance.data_directory, os.path.relpath(parent, place)))
        os.makedirs(target, mode=0o700, exist_ok=True)
        for name in names:
            own_files.put(os.path.join(target, name), os.path.join(parent, name))


def clear(instance: Instance) -> None:
    """Remove what was needed meanwhile; a configuration that cannot be put back for want of room stays for later."""
    place = places.scratch(instance.data_directory)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(place, "pass"))
    with contextlib.suppress(OSError):
        restore_configuration(instance)
        user_places.remove(place)
