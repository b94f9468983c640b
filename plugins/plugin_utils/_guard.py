# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A fault of the code on the controller is told as a sentence, with the place where it is."""

from __future__ import annotations

import functools
import os
import traceback
import typing as t

from ansible.errors import AnsibleError

Run = t.Callable[..., "dict[str, t.Any]"]


def told(error: BaseException) -> str:
    """Return what a fault is and where, for those who can mend it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({os.path.basename(last.filename)}, line {last.lineno}, {last.name})"


def sentence(what: str) -> t.Callable[[Run], Run]:
    """Let an action fail with a sentence where its code has a fault; what Ansible raises itself has one already."""

    def around(run: Run) -> Run:
        @functools.wraps(run)
        def guarded(*args: t.Any, **kwargs: t.Any) -> dict[str, t.Any]:
            try:
                return run(*args, **kwargs)
            except AnsibleError:
                raise
            except Exception as error:
                return {
                    "failed": True,
                    "msg": f"{what}, by a fault of this collection: {told(error)}. Report this line to its authors",
                    "exception": traceback.format_exc(),
                }

        return guarded

    return around
