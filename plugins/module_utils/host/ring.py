# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the kernel gives a process of this user io_uring: it may be turned off, or forbidden in a container.

Source: io_uring_setup(2). Python has no such call, so that the C library is asked.
"""

from __future__ import annotations

import ctypes
import os

#: the call's number, the same on all machines that this runs on, and the size of its parameters
SETUP, BYTES = 425, 120


def refused() -> str | None:
    """Return why the kernel gives none, as it says when asked for one, which is closed again at once."""
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = library.syscall(SETUP, 1, ctypes.byref(ctypes.create_string_buffer(BYTES)))
    if descriptor < 0:
        return os.strerror(ctypes.get_errno())
    os.close(descriptor)
    return None
