# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The snapshot job: copy and verification as one transient unit, started and forgotten.

Sources: systemd manual, "systemd-run"; PostgreSQL manual, "pg_basebackup", "pg_verifybackup".
"""

from __future__ import annotations

import json
import os
import typing as t

from ...host import files, separation, user_places
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import conninfo, places
from . import deployment, staging


def copy_command(instance: Instance, copy: str, request: dict[str, t.Any]) -> list[str]:
    """Return the pg_basebackup command of a request."""
    source = conninfo.allowed(request["source"], {"application_name": staging.APPLICATION}, conninfo.JOB)
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
        conninfo.allowed(
            request["source"],
            {"dbname": "replication", "replication": "true", "connect_timeout": 10},
            conninfo.ASKING,
        )
    )
    command = [instance.program("psql"), "--no-psqlrc", "--no-password", "--tuples-only", "--no-align"]
    code, output, errors = run([*command, "-c", "IDENTIFY_SYSTEM", source])
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
    """Make the staging place and note what it is for, before anything is moved out of its way."""
    staged = staging.Staging(instance.data_directory)
    user_places.make(staged.place)
    user_places.write(staged.request, json.dumps(request, indent=2, sort_keys=True) + "\n")


def start(instance: Instance, request: dict[str, t.Any], timeout: int) -> None:
    """Start copy and verification as one transient unit."""
    staged = staging.Staging(instance.data_directory)
    for path in request["tablespaces"]:
        # the request makes its tablespaces ours to empty: nobody else's files may be in them
        if os.path.isdir(path) and os.listdir(path):
            raise MirroringError(f"{path} is not empty: run again with -e existing_data=keep or discard")
    for path in (staged.copy, os.path.dirname(staged.verified), *request["tablespaces"]):
        user_places.make(path)
    separation.ask(
        "start_job",
        {
            "before": copy_command(instance, staged.copy, request),
            "command": [instance.program("pg_verifybackup"), "--quiet", staged.copy],
            "after": ["/usr/bin/touch", staged.verified],
            "timeout": timeout,
        },
    )


def log_tail(instance: Instance, lines: int = 4) -> str:
    """Return the last words of the copying and verifying programs, without how they tidy up after themselves."""
    try:
        text = files.read(places.snapshot_log(instance.service)) or ""
    except OSError:
        text = ""
    words = [line.strip() for line in text.splitlines() if ": removing " not in line]
    return " | ".join(words[-lines:]) or "it left no log"


def clear(instance: Instance, run: Runner) -> bool:
    """End the job and remove its half copy, tablespace directories included; return whether there was anything."""
    staged = staging.Staging(instance.data_directory)
    there = forget(instance, run)
    if not os.path.isdir(staged.place):
        return there
    # a verified copy that has left the place is deployed: its tablespaces are a data directory's by now
    if os.path.isdir(staged.copy) or not os.path.exists(staged.verified):
        try:
            request = json.loads(files.read(staged.request) or "")
            for path in request["tablespaces"]:
                deployment.empty_tablespace(path, request.get("tablespace_version"))
            for path, kept in request["kept"].items():
                deployment.put_back_tablespace(path, kept, instance.data_directory)
        except (OSError, ValueError, KeyError, TypeError, MirroringError):
            pass
    user_places.remove(staged.place)
    return True


def forget(instance: Instance, run: Runner) -> bool:
    """Stop the job's unit and let systemd forget it; return whether it was known."""
    if staging.job(instance, run)["phase"] == "none":
        return False
    unit = places.snapshot_unit(instance.service)
    run.root(["systemctl", "stop", unit], timeout=60)
    run.root(["systemctl", "reset-failed", unit], timeout=10)
    separation.ask("unlink", places.snapshot_log(instance.service))
    return True
