# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Acting on the snapshot job: start it, clear it away, move the verified copy into place."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import time
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import conninfo, places
from . import database, observe, server, staging

#: a peer that falls silent is noticed within half a minute, on either side of the connection
KEEPALIVE: dict[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30000,
    # the master's side, or a frozen host that takes nothing more off it keeps sender, slot and checkpointer waiting
    "options": "-c tcp_user_timeout=60000",
}


def _quote(words: list[str]) -> str:
    """Quote a command for systemd-run's Exec properties: as in a unit file, but specifiers (%) are not expanded."""

    def one(word: str) -> str:
        for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("$", "$$")):
            word = word.replace(raw, escaped)
        return f'"{word}"'

    return " ".join(one(word) for word in words)


def copy_command(instance: Instance, copy: str, request: dict[str, t.Any]) -> list[str]:
    """Return the pg_basebackup command of a request."""
    source = {
        **request["source"],
        "application_name": staging.APPLICATION,
        **KEEPALIVE,
    }
    command = [
        instance.program("pg_basebackup"),
        "--no-password",
        f"--dbname={conninfo.render(source)}",
        f"--pgdata={copy}",
        "--format=plain",
        "--wal-method=stream",
        f"--slot={request['slot']}",
        f"--checkpoint={request['checkpoint']}",
        # the slot follows what the WAL receiver reports: every second, so that a burst of WAL does not cost the slot
        "--status-interval=1",
    ]
    if request["rate_limit"]:
        command.append(f"--max-rate={request['rate_limit']}")
    if request["compression"] != "none":
        command.append(f"--compress={request['compression']}")
    for old, new in sorted(request["tablespace_mapping"].items()):
        command.append(f"--tablespace-mapping={old.replace('=', chr(92) + '=')}={new.replace('=', chr(92) + '=')}")
    return command


def check_source(instance: Instance, run: Runner, request: dict[str, t.Any]) -> None:
    """Open a replication connection as the standby will: the master must let it in, and be the one that was meant."""
    source = conninfo.render(
        {**request["source"], "dbname": "replication", "replication": "true", "connect_timeout": 10}
    )
    command = [instance.program("psql"), "--no-psqlrc", "--no-password", "--tuples-only", "--no-align"]
    code, output, errors = run([*command, "-c", "IDENTIFY_SYSTEM", source], user=instance.user)
    address = f"{request['source']['host']}:{request['source']['port']}"
    if code != 0:
        raise MirroringError(f"the master at {address} refuses replication from here: {' '.join(errors.split())}")
    identifier = output.split("|")[0].strip()
    if identifier != request["system_identifier"]:
        raise MirroringError(
            f"{address} leads to another system (identifier {identifier}, not {request['system_identifier']}):"
            " correct server_address"
        )


def make_place(instance: Instance, request: dict[str, t.Any]) -> None:
    """Make the staging place and note what it is for, before anything is moved out of its way.

    The note says what clear() may empty and put back as root: the server's user must not be able to write it.
    """
    staged = staging.Staging(instance.data_directory)
    os.umask(0o022)
    os.makedirs(staged.place, mode=0o711, exist_ok=True)
    with open(staged.request, "w", encoding="utf-8") as file:
        json.dump(request, file, indent=2, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    sync_directory(staged.place)


def start(instance: Instance, run: Runner, request: dict[str, t.Any], timeout: int) -> None:
    """Start copy and verification as one transient unit."""
    staged = staging.Staging(instance.data_directory)
    for path in request["tablespaces"]:
        # the request makes its tablespaces ours to empty: nobody else's files may be in them
        if os.path.isdir(path) and os.listdir(path):
            raise MirroringError(f"{path} is not empty: run again with -e existing_data=keep or discard")
    owner = pwd.getpwnam(instance.user)
    os.umask(0o022)  # the server's user must pass through the directories above, whatever the login's umask is
    for path in (staged.copy, os.path.dirname(staged.verified), *request["tablespaces"]):
        os.makedirs(path, mode=0o700, exist_ok=True)
        os.chown(path, owner.pw_uid, owner.pw_gid)
        os.chmod(path, 0o700)
    verify = [instance.program("pg_verifybackup"), "--quiet", staged.copy]
    command = [
        "systemd-run",
        f"--unit={staging.UNIT}",
        "--quiet",
        "--no-block",
        "--service-type=oneshot",
        "--remain-after-exit",
    ]
    properties = {
        "User": instance.user,
        "UMask": "0077",
        "WorkingDirectory": staged.place,
        "TimeoutStartSec": f"{timeout}s",
        "TimeoutStopSec": "10s",
        "StandardOutput": f"append:{staging.LOG}",
        "StandardError": f"append:{staging.LOG}",
        "ExecStartPre": _quote(copy_command(instance, staged.copy, request)),
        # without +, which systemd 252 forgets at a daemon-reload
        "ExecStartPost": _quote(["touch", staged.verified]),
    }
    command += [f"--property={name}={value}" for name, value in properties.items()]
    code, _output, errors = run([*command, "--", *verify])
    if code != 0 and "already" not in errors:
        raise MirroringError(f"systemd-run could not start the snapshot job: {' '.join(errors.split())}")


def log_tail(lines: int = 4) -> str:
    """Return the last words of the copying and verifying programs, without how they tidy up after themselves."""
    try:
        with open(staging.LOG, encoding="utf-8", errors="replace") as file:
            words = [line.strip() for line in file if ": removing " not in line]
    except OSError:
        words = []
    return " | ".join(words[-lines:]) or "it left no log"


def copy_id(instance: Instance) -> int | None:
    """Return what tells this copy from others, also after it has been moved into place; None when there is none."""
    try:
        return os.stat(staging.Staging(instance.data_directory).copy).st_ino
    except OSError:
        return None


def is_deployed(instance: Instance, wanted: int | None) -> bool:
    """Whether the copy of that identity already is the data directory: another run was faster."""
    try:
        return wanted is not None and os.stat(instance.data_directory).st_ino == wanted
    except OSError:
        return False


def clear(instance: Instance, run: Runner) -> bool:
    """End the job and remove its half copy, tablespace directories included; return whether there was anything."""
    staged = staging.Staging(instance.data_directory)
    there = forget(run)
    if not os.path.isdir(staged.place):
        return there
    # a verified copy that has left the place is deployed: its tablespaces are a data directory's by now
    if os.path.isdir(staged.copy) or not os.path.exists(staged.verified):
        try:
            with open(staged.request, encoding="utf-8") as file:
                request = json.load(file)
            for path in request["tablespaces"]:
                empty_directory(path)
            for path, kept in request["kept"].items():
                put_back_tablespace(path, kept, instance.data_directory)
        except (OSError, ValueError, KeyError):
            pass
    shutil.rmtree(staged.place)
    return True


def forget(run: Runner) -> bool:
    """Stop the job's unit and let systemd forget it; return whether it was known."""
    if staging.job(run)["phase"] == "none":
        return False
    run(["systemctl", "stop", staging.UNIT], timeout=60)
    run(["systemctl", "reset-failed", staging.UNIT], timeout=10)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(staging.LOG)
    return True


def empty_directory(path: str) -> None:
    """Remove what is in a directory, not the directory: it may be a mount point."""
    for name in os.listdir(path) if os.path.isdir(path) else []:
        inner = os.path.join(path, name)
        if os.path.isdir(inner) and not os.path.islink(inner):
            shutil.rmtree(inner)
        else:
            os.unlink(inner)


def aside(path: str) -> str:
    """Return the name under which existing data is kept."""
    return f"{path.rstrip('/')}.kept-{time.strftime('%Y%m%dT%H%M%S')}"


def refuse_running(instance: Instance) -> None:
    """Refuse to touch a data directory that a server has started in since it was judged."""
    if observe.process(instance, database.postmaster(instance))["running"]:
        raise MirroringError(
            f"a server has been started in {instance.data_directory} meanwhile: if its data may go, stop it"
            f" (systemctl stop {instance.service}), then run again"
        )


def keep_tablespace(path: str, kept: str, data_directory: str) -> None:
    """Move a tablespace aside, and let the old data directory's link follow it."""
    try:
        os.rename(path, kept)
    except OSError as error:
        raise MirroringError(
            f"{path} cannot be moved aside ({error.strerror}; a mount point?): move its files away yourself,"
            " or run again with -e existing_data=discard"
        ) from error
    relink(data_directory, path, kept)


def put_back_tablespace(path: str, kept: str, data_directory: str) -> None:
    """Undo keep_tablespace: the copy that needed the place has failed."""
    if os.path.isdir(kept):
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(path)
        os.rename(kept, path)
        relink(data_directory, kept, path)


def relink(data_directory: str, old: str, new: str) -> None:
    """Let the links of a data directory to one tablespace lead to another place."""
    links = os.path.join(data_directory, "pg_tblspc")
    for name in os.listdir(links) if os.path.isdir(links) else []:
        link = os.path.join(links, name)
        if os.path.islink(link) and os.readlink(link) == old:
            os.unlink(link)
            os.symlink(new, link)


def deploy(instance: Instance, existing: str) -> str | None:
    """Put the verified copy in the data directory's place; return where the old data is kept, if it is."""
    staged, target = staging.Staging(instance.data_directory), instance.data_directory
    kept = None
    refuse_running(instance)
    server.end_rewind(target)
    if not os.path.exists(os.path.join(staged.copy, "standby.signal")):
        raise MirroringError(
            f"{staged.copy} is no standby yet and would start as a second master: run the playbook again"
        )
    sync_directory(staged.copy)
    if os.path.lexists(target) and not (os.path.isdir(target) and not os.listdir(target)):
        if existing not in ("keep", "discard"):
            raise MirroringError(
                f"{target} is not empty any more: somebody wrote there during the copy. Look at it, then run again"
            )
        # what is discarded goes with the staging place, whoever removes that
        kept = aside(target) if existing == "keep" else None
        os.rename(target, kept or staged.old)
    os.rename(staged.copy, target)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(places.unfinished(target))
    if os.path.isdir(places.scratch(target)):  # of a rewind that was interrupted
        shutil.rmtree(places.scratch(target))
    sync_directory(os.path.dirname(target))
    # first, so that no clear() after a kill in mid-removal takes the tablespaces for a half copy's
    with contextlib.suppress(FileNotFoundError):
        os.unlink(staged.request)
    shutil.rmtree(staged.place)
    return kept


def sync_directory(path: str) -> None:
    """Make the names in a directory outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
