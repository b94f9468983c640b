# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The master's side of a delta: what the host asks it for."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
import typing as t

from .. import database
from . import comparison

#: until such a question has its answer
ANSWER_SECONDS = 120
#: directories whose contents each server makes itself
EMPTY = ("pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans", "pg_wal")
FILES = """
WITH RECURSIVE files (path, size, isdir) AS (
    SELECT entry, this.size, this.isdir FROM pg_ls_dir('.', true, false) AS entry, pg_stat_file(entry, true) AS this
  UNION ALL
    SELECT parent.path || '/' || entry, this.size, this.isdir
    FROM files AS parent, pg_ls_dir(parent.path, true, false) AS entry,
         pg_stat_file(parent.path || '/' || entry, true) AS this
    WHERE parent.isdir AND parent.path <> ALL (%s)
      -- in the place of a tablespace there may be files of other clusters, and what only root may read
      AND (parent.path !~ '^pg_tblspc/[0-9]+$'
           OR entry = (SELECT 'PG_' || current_setting('server_version_num')::int / 10000 || '_' || catalog_version_no
                       FROM pg_control_system()))
)
SELECT path, size, isdir FROM files WHERE isdir IS NOT NULL ORDER BY path COLLATE "C"
"""
HASHES = """
SELECT sha256(pg_read_binary_file(path, piece_offset, piece_length, true)) AS hash
FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) WITH ORDINALITY AS piece (path, piece_offset, piece_length, number)
ORDER BY number
"""
CONTENTS = HASHES.replace("sha256(", "(").replace(" AS hash", "")


class Master:
    """What the host asks the master for, and how many bytes came of it."""

    def __init__(self, cursor: t.Any) -> None:
        self._cursor = cursor
        self._total = 0
        self.received = 0

    def rows(self, query: str, parameters: t.Any = None, seconds: int = ANSWER_SECONDS) -> list[dict[str, t.Any]]:
        """Run a query and return its rows."""
        with self._bounded(seconds):
            return database.rows(self._cursor, query, parameters)

    def files(self) -> tuple[list[str], list[comparison.File]]:
        """Return the directories and files."""
        directories, files = comparison.wanted(self.rows(FILES, ([*EMPTY, *comparison.OWN],)))
        self._total = sum(file.size for file in files)
        return directories, files

    def hashes(self, asked: list[comparison.Piece], done: int | None = None) -> list[bytes | None]:
        """Return the SHA-256 of each piece, None where the file is gone. Tell it how many bytes are done, if said."""
        if done is not None:
            self.rows(
                "SELECT set_config('application_name', %s, false)", (f"{comparison.APPLICATION} {done}/{self._total}",)
            )
        return self._ask(HASHES, asked)

    def contents(self, asked: list[comparison.Piece]) -> list[bytes | None]:
        """Return the bytes of each piece, fewer where the file has become shorter."""
        return self._ask(CONTENTS, asked)

    def _ask(self, query: str, asked: list[comparison.Piece]) -> list[bytes | None]:
        if not asked:
            return []
        columns = [list(column) for column in zip(*asked)]
        statement = self._cursor.mogrify(query, columns).decode(errors="surrogateescape")
        answer = io.BytesIO()
        with self._bounded(ANSWER_SECONDS):
            self._cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT binary)", answer)
        self.received += answer.tell()
        return list(comparison.rows_of(answer.getvalue()))

    @contextlib.contextmanager
    def _bounded(self, seconds: int) -> t.Iterator[None]:
        """A master that is frozen never answers: the connection is ended then."""
        with socket.socket(fileno=os.dup(self._cursor.connection.fileno())) as line:
            timer = threading.Timer(seconds, line.shutdown, (socket.SHUT_RDWR,))
            timer.start()
            try:
                yield
            finally:
                timer.cancel()
                timer.join()
