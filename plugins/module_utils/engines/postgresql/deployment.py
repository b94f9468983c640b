# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Moving a verified copy into the data directory's place, and old data out of the way of it."""

from __future__ import annotations

import contextlib
import os
import time

from ...host import account, files, removed_mark, user_places
from ...host.errors import MirroringError
from ...host.module import Instance
from ...values import places
from . import database, observe, own_files, spaces, staging, stopping


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


def empty_directory(path: str) -> None:
    """Remove what is in a directory, not the directory: it may be a mount point."""
    if os.path.isdir(path):
        user_places.empty(path)


def empty_tablespace(path: str, version: str | None) -> None:
    """Remove what a cluster of this version has in a tablespace's place; another version's files are another's."""
    mine = [name for name in account._names(path) if spaces.VERSION.fullmatch(name) and name == version]
    for name in mine:
        user_places.remove(os.path.join(path, name))


def aside(path: str) -> str:
    """Return the name under which existing data is kept."""
    return f"{path.rstrip('/')}.kept-{time.strftime('%Y%m%dT%H%M%S')}"


def refuse_running(instance: Instance) -> None:
    """Refuse to touch a data directory that a server has started in since it was judged."""
    if observe.process(instance, database.postmaster(instance))["running"]:
        raise MirroringError(
            f"a server has been started in {instance.data_directory} meanwhile, perhaps by another run: run state.yml"
            f" to see what it is. If its data may go, stop it (systemctl stop {instance.service}), then run this again"
        )


def keep_tablespace(path: str, kept: str, data_directory: str) -> None:
    """Move a tablespace aside, and let the old data directory's link follow it."""
    try:
        user_places.rename(path, kept)
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
            user_places.remove_empty(path)
        user_places.rename(kept, path)
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
    stopping.end_rewind(target)
    if not os.path.exists(os.path.join(staged.copy, "standby.signal")):
        raise MirroringError(
            f"{staged.copy} is no standby yet and would start as a second master: run the playbook again"
        )
    old, aside_of = instance.data_directory, places.configuration(instance.data_directory)
    own_files.carry(old, aside_of, staged.copy, instance.config_directory)
    own_files.let_group_in(staged.copy)
    files.sync_directory(staged.copy)
    if os.path.lexists(target) and not (os.path.isdir(target) and not os.listdir(target)):
        if existing not in ("keep", "discard"):
            raise MirroringError(
                f"{target} is not empty any more: somebody wrote there during the copy. Look at it, then run again"
            )
        # what is discarded goes with the staging place, whoever removes that
        kept = aside(target) if existing == "keep" else None
        user_places.rename(target, kept or staged.old)
    removed_mark.lift(target, instance.service)
    user_places.rename(staged.copy, target)
    user_places.unlink(places.unfinished(target))
    if os.path.isdir(places.scratch(target)):  # of a rewind that was interrupted
        user_places.remove(places.scratch(target))
    # first, so that no clear() after a kill in mid-removal takes the tablespaces for a half copy's
    user_places.unlink(staged.request)
    user_places.remove(staged.place)
    return kept
