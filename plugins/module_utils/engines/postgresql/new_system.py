# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Making a new database system beside its place, and moving it there when it is complete.

Source: PostgreSQL manual, "initdb".
"""

from __future__ import annotations

import os
import typing as t

from ...host import files, removed_mark, user_places
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import settings_file

POLICY = ("--data-checksums", "--auth-local=peer", "--auth-host=scram-sha-256", "--encoding=UTF8")


def make(
    instance: Instance, run: Runner, act: bool, *, locale: str, settings: dict[str, t.Any], timeout: int
) -> dict[str, t.Any]:
    """Make it unless there is one. A killed run leaves nothing that could be started."""
    data = instance.data_directory.rstrip("/")
    if os.path.exists(os.path.join(data, "PG_VERSION")):
        return {"changed": False, "made": data}
    wanted: dict[str, str | None] = {"port": str(instance.port)}
    wanted.update((name, str(value)) for name, value in settings.items())
    answer = {"changed": True, "made": data, "diff": {"before": "", "after": settings_file.edit("", wanted)}}
    if not act:
        return answer
    place = f"{data}.hawq-initdb"
    if os.path.lexists(place):
        user_places.remove(place)
    user_places.make(place)
    command = [instance.program("initdb"), f"--pgdata={place}", *POLICY, f"--locale={locale}"]
    code, output, errors = run(command, timeout=timeout)
    if code != 0:
        raise MirroringError(f"initdb has failed: {' '.join((errors or output).split()) or code}")
    path = os.path.join(place, "postgresql.conf")
    files.write(path, settings_file.edit(files.read(path) or "", wanted), act=True)
    removed_mark.lift(data, instance.service)
    user_places.rename(place, data)
    return answer
