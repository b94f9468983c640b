# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The snapshot job: copy and verification as one transient unit, started and forgotten.

Sources: systemd manual, "systemd-run"; PostgreSQL manual, "pg_basebackup", "pg_verifybackup".
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import conninfo
from . import deployment, staging


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
        **conninfo.KEEPALIVE,
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
    files.sync_directory(staged.place)


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
                deployment.empty_directory(path)
            for path, kept in request["kept"].items():
                deployment.put_back_tablespace(path, kept, instance.data_directory)
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
