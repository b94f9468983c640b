# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Making a new database system beside its place, and moving it there when it is complete.

Source: PostgreSQL manual, "initdb".
"""

from __future__ import annotations

import os
import typing as t

from ...host import files, user_places
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner

BEGIN, END = "# BEGIN hawq.mirroring", "# END hawq.mirroring"


def block(settings: dict[str, t.Any]) -> str:
    """Return the lines of the settings."""
    lines = []
    for name, value in settings.items():
        shown = str(value).replace("\\", "\\\\").replace("'", "''")
        lines.append(f"{name} = '{shown}'")
    return "".join(f"{line}\n" for line in [BEGIN, *lines, END])


def make(
    instance: Instance, run: Runner, act: bool, *, locale: str, settings: dict[str, t.Any], timeout: int
) -> dict[str, t.Any]:
    """Make it unless there is one. A killed run leaves nothing that could be started."""
    data = instance.data_directory.rstrip("/")
    if os.path.exists(os.path.join(data, "PG_VERSION")):
        return {"changed": False, "made": data}
    told = block({"port": instance.port, **settings})
    answer = {"changed": True, "made": data, "diff": {"before": "", "after": told, "after_header": f"{data}/postgresql.conf"}}
    if not act:
        return answer
    place = f"{data}.hawq-initdb"
    if os.path.lexists(place):
        user_places.remove(place)
    user_places.make(place)
    words = ["--data-checksums", "--auth-local=peer", "--auth-host=scram-sha-256", "--encoding=UTF8", f"--locale={locale}"]
    code, output, errors = run([instance.program("initdb"), f"--pgdata={place}", *words], timeout=timeout)
    if code != 0:
        raise MirroringError(f"initdb has failed: {' '.join((errors or output).split()) or code}")
    path = os.path.join(place, "postgresql.conf")
    files.write(path, (files.read(path) or "") + told, act=True)
    user_places.rename(place, data)
    return answer
