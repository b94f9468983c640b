# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module here shares: the option ``instance``, a clean environment, bounded commands, one kind of error."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time
import traceback
import typing as t
from dataclasses import dataclass

from ansible.module_utils.basic import AnsibleModule


class MirroringError(Exception):
    """Something that the operator must know, as one sentence; ``details`` become return values."""

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Instance:
    """Where one host keeps its database server."""

    user: str
    bin_directory: str
    data_directory: str
    config_directory: str
    service: str
    address: str
    port: int

    def program(self, name: str) -> str:
        """Return the path of one of the engine's programs."""
        return os.path.join(self.bin_directory, name)


LOCK = "/run/hawq-mirroring.lock"
LOCK_SECONDS = 90


@contextlib.contextmanager
def alone() -> t.Iterator[None]:
    """Keep the modules of another run off this host meanwhile. The lock ends with its holder, however that ends."""
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise MirroringError(
                        f"another run has been changing this host for {LOCK_SECONDS} s (it holds {LOCK}):"
                        " run this again when it has ended"
                    ) from error
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


INSTANCE_OPTION: dict[str, t.Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "user": {"type": "str", "required": True},
        "bin_directory": {"type": "path", "required": True},
        "data_directory": {"type": "path", "required": True},
        "config_directory": {"type": "path"},
        "service": {"type": "str", "required": True},
        "address": {"type": "str", "required": True},
        "port": {"type": "int", "default": 5432},
    },
}


def instance_of(options: dict[str, t.Any]) -> Instance:
    """Return the module option ``instance`` as a value; the configuration lives in the data directory if not said."""
    options = dict(options)
    options["config_directory"] = options["config_directory"] or options["data_directory"]
    return Instance(**options)


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


def run_module(main: t.Callable[[AnsibleModule], dict[str, t.Any]], **spec: t.Any) -> None:
    """Build the module, call ``main`` and exit with what it returns, or fail with its MirroringError."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    module = AnsibleModule(**spec)
    try:
        result = main(module)
    except MirroringError as error:
        module.fail_json(msg=str(error), **error.details)
    except OSError as error:
        module.fail_json(msg=f"the operating system refuses: {error}", exception=traceback.format_exc())
    module.exit_json(**result)
