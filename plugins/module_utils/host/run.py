# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running programs on a host."""

from __future__ import annotations

import os
import subprocess
import typing as t

from . import separation


class Runner:
    """Runs programs on the host, each with a time-out in seconds, in English and without libpq's variables.

    Ansible's own run_command now and then waits a second for a program that has already ended.
    """

    def __call__(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        """Return exit code (124 when the time was up), output and errors, in which other bytes than UTF-8 survive."""
        # not pipes, which what it leaves running would keep open, nor files, for which a full disk has no room
        with open(os.memfd_create("output"), "w+b") as output, open(os.memfd_create("errors"), "w+b") as errors:
            code = self._started(command, timeout, output, errors).wait()
            texts = []
            for file in (output, errors):
                file.seek(0)
                texts.append(file.read().decode(errors="surrogateescape"))
        return code, texts[0], texts[1]

    def reading(self, command: list[str], take: t.Callable[[t.IO[bytes]], None], timeout: float) -> tuple[int, str]:
        """Let ``take`` read what the program prints, as it comes; return exit code and errors."""
        with open(os.memfd_create("errors"), "w+b") as errors:
            process = self._started(command, timeout, subprocess.PIPE, errors)
            output = t.cast("t.IO[bytes]", process.stdout)
            try:
                take(output)
            finally:
                output.close()  # what has more to print than is wanted ends by that
                code = process.wait()
            errors.seek(0)
            return code, errors.read().decode(errors="surrogateescape")

    @staticmethod
    def _started(command: list[str], timeout: float, output: t.Any, errors: t.Any) -> subprocess.Popen[bytes]:
        # another thread may give libpq one of its variables meanwhile: none of theirs is read
        environment = {name: os.environ[name] for name in os.environ if not name.startswith("PG")}
        environment.update({"LC_ALL": "C", "LANGUAGE": "C"})
        return subprocess.Popen(
            ["timeout", "--kill-after=5", str(timeout), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=environment,
            cwd="/",
            close_fds=False,  # a process that has given up root cannot look at its own; Python's are not inherited
        )

    def root(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        """Let root run one of the commands that ``services`` permits; return the same."""
        code, output, errors = separation.ask("run", command, timeout)
        return code, output, errors
