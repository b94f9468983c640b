# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The WAL that a backup needs, streamed beside it into the directory that it is for.

Source: PostgreSQL manual, "pg_receivewal".
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import conninfo
from . import staging, wal_files

END_SECONDS = 30
#: for what is left when the backup has ended: mostly one WAL file
FINISH_SECONDS = 600


class Receiver:
    """pg_receivewal through a slot, as the server's user, which this process is."""

    def __init__(self, instance: Instance, run: Runner, keywords: dict[str, t.Any], slot: str) -> None:
        self._instance, self._run = instance, run
        told = conninfo.allowed(keywords, {"application_name": staging.APPLICATION}, conninfo.JOB)
        self._command = [
            instance.program("pg_receivewal"),
            "--no-password",
            f"--dbname={conninfo.render(told)}",
            f"--directory={wal_files.directory(instance)}",
            f"--slot={slot}",
            "--status-interval=1",
        ]

    @contextlib.contextmanager
    def running(self) -> t.Iterator[None]:
        """Stream meanwhile. It ends with this process, however that ends."""
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", *self._command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            close_fds=False,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def finish(self, end: str) -> None:
        """Get what is left up to an LSN, and make the last, partly received segment one that a server reads."""
        code, _output, errors = self._run([*self._command, "--no-loop", f"--endpos={end}"], timeout=FINISH_SECONDS)
        if code != 0:
            raise MirroringError(f"the WAL up to {end} did not come: {' '.join(errors.split())}")
        directory = wal_files.directory(self._instance)
        for name in os.listdir(directory):
            if name.endswith(".partial"):
                os.replace(os.path.join(directory, name), os.path.join(directory, name[: -len(".partial")]))
