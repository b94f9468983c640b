# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server says when its data is damaged.

Sources: PostgreSQL manual, "PostgreSQL Error Codes" (class XX), "Data Checksums"; the messages of PostgreSQL's
``bufmgr.c``, ``md.c``, ``relmapper.c`` and ``xlogrecovery.c``.
"""

from __future__ import annotations

import re

from ...host.module import Instance
from ...host.run import Runner
from ...values.text import lines_of, sentence
from . import answer, own_words, severity

#: data_corrupted, index_corrupted
CODES = ("XX001", "XX002")
_WORDS = re.compile(
    r"invalid page in block|checksum|could not read block|is not a valid (?:heap|btree|data) page"
    # its own WAL is not there any more, or another master's lies over it
    r"|WAL ends before (?:consistent recovery point|end of online backup)"
)
#: how a message begins, in a log and in the answer to a login. A LOG is no error: WAL ends with a wrong checksum, too.
_LEVEL = re.compile(r".*?\b(?:WARNING|ERROR|FATAL|PANIC):\s+(.*)", re.S)
#: what psycopg2 appends to a message
_MORE = re.compile(r"\s*\b(?:CONTEXT|DETAIL|HINT|LINE \d+|QUERY|STATEMENT):.*", re.S)


def told(error: BaseException) -> str | None:
    """Return the sentence in which a server says so, from the error of a session; None of any other error."""
    cause = error.__cause__ or error
    if getattr(cause, "pgcode", None) in CODES:
        return _sentence(str(cause))
    return in_text(str(cause))


def of_server(instance: Instance, error: BaseException) -> str | None:
    """Return the same; the answer to a login in another language is known by its code, which is asked for again."""
    found = told(error)
    if found or not severity.is_said("FATAL", str(error)):
        return found
    said = answer.ask(instance)
    return sentence(said.words) if said and said.code in CODES else None


def in_text(text: str) -> str | None:
    """Return the same from the answer to a login, which has no code, or from a line of the log."""
    found = _sentence(text)
    return found if _WORDS.search(found) else None


def _sentence(text: str) -> str:
    level = _LEVEL.match(text)
    return sentence(_MORE.sub("", level.group(1) if level else text))


def in_log(instance: Instance, run: Runner) -> str | None:
    """Return the same from the last words of the server's unit since its last start."""
    _code, output, _errors = run.root(["journalctl", "--unit", instance.service, "-n", "20", "-o", "cat"], timeout=10)
    lines = lines_of(output)
    begin = max((number for number, line in enumerate(lines) if line.startswith(("Starting ", "Started "))), default=0)
    found = [in_text(line) for line in lines[begin:] if _LEVEL.match(line)]
    return next(filter(None, reversed(found)), None) or in_text(own_words.in_logs(instance, run))
