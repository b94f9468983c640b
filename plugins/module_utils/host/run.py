# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running programs on a host."""

from __future__ import annotations

import os
import subprocess


class Runner:
    """Runs programs on the host, each with a time-out in seconds, in English and without libpq's variables.

    Ansible's own run_command now and then waits a second for a program that has already ended.
    """

    def __call__(self, command: list[str], timeout: int = 30, user: str | None = None) -> tuple[int, str, str]:
        """Return exit code (124 when the time was up), output and errors; ``user`` runs it as that user."""
        full = ["timeout", "--kill-after=5", str(timeout), *command]
        if user is not None:
            full = ["runuser", "-u", user, "--", *full]
        environment = {**os.environ, "LC_ALL": "C", "LANGUAGE": "C"}
        # not pipes, which what it leaves running would keep open, nor files, for which a full disk has no room
        with open(os.memfd_create("output"), "w+b") as output, open(os.memfd_create("errors"), "w+b") as errors:
            done = subprocess.run(
                full, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment, cwd="/", check=False
            )
            texts = []
            for file in (output, errors):
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
        return done.returncode, texts[0], texts[1]
