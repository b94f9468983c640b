# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running programs on a host."""

from __future__ import annotations

import os
import subprocess

from . import separation


class Runner:
    """Runs programs on the host, each with a time-out in seconds, in English and without libpq's variables.

    Ansible's own run_command now and then waits a second for a program that has already ended.
    """

    def __call__(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        """Return exit code (124 when the time was up), output and errors, in which other bytes than UTF-8 survive."""
        full = ["timeout", "--kill-after=5", str(timeout), *command]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment.update({"LC_ALL": "C", "LANGUAGE": "C"})
        # not pipes, which what it leaves running would keep open, nor files, for which a full disk has no room
        with open(os.memfd_create("output"), "w+b") as output, open(os.memfd_create("errors"), "w+b") as errors:
            done = subprocess.run(
                full,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment,
                cwd="/",
                check=False,
                close_fds=False,  # a process that has given up root cannot look at its own; Python's are not inherited
            )
            texts = []
            for file in (output, errors):
                file.seek(0)
                texts.append(file.read().decode(errors="surrogateescape"))
        return done.returncode, texts[0], texts[1]

    def root(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        """Let root run one of the commands that ``services`` permits; return the same."""
        code, output, errors = separation.ask("run", command, timeout)
        return code, output, errors
