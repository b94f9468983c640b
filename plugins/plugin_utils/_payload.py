# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One payload for all modules: Ansible puts it together once a run, and not once for each module."""

from __future__ import annotations

import contextlib
import gc
import typing as t

from ansible.plugins.action import ActionBase

MODULE = "hawq.mirroring.payload"
#: how Python takes its program from Ansible. Of itself it reads a program at its standard input byte by byte, with a
#: system call for each, which takes as long as all the rest of a small module
AT_ONCE = "-c 'import sys; exec(sys.stdin.buffer.read())'"


@contextlib.contextmanager
def _without_collection() -> t.Iterator[None]:
    """Look for no garbage meanwhile: Ansible parses every file, and half of its time would go into that.

    Nor afterwards among what is there by then: this is a process that ends with its task.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.freeze()
            gc.enable()


class Sharing(ActionBase):
    """An action that sends the module payload for every module of this collection, which then runs the one named.

    Ansible tells a module its name beside its options, and that stays the name of the one that the task means.
    """

    def _configure_module(self, module_name: str, *args: t.Any, **kwargs: t.Any) -> t.Any:
        # a task with async lets Ansible send one of its own
        sent = module_name if module_name.startswith("ansible.") else MODULE
        with _without_collection():
            return super()._configure_module(sent, *args, **kwargs)

    def _low_level_execute_command(
        self, cmd: str, *args: t.Any, in_data: bytes | None = None, **kwargs: t.Any
    ) -> t.Any:
        # without pipelining the program is a file, and nothing is handed in
        whole = f"{cmd} {AT_ONCE}" if in_data else cmd
        return super()._low_level_execute_command(whole, *args, in_data=in_data, **kwargs)
