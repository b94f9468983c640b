# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a task, a run and a promise fail."""

from __future__ import annotations


class ActFailed(Exception):  # noqa: N818 - what has happened, not an error of ours
    """A module has failed on a host, or the host was lost."""

    def __init__(self, message: str, unreachable: bool = False) -> None:
        """Say why."""
        super().__init__(message)
        self.unreachable = unreachable


class RunFailed(Exception):  # noqa: N818
    """A run has come to a bad end."""

    def __init__(self, messages: list[str], refused: bool = False) -> None:
        """Say why; a refusal has changed nothing by itself."""
        super().__init__("; ".join(messages))
        self.messages, self.refused = messages, refused


class PromiseBroken(AssertionError):  # noqa: N818
    """What is promised was not kept.

    ``what`` is the promise and how it was broken, in few words that are the same for the same fault.
    """

    def __init__(self, what: str, sentence: str) -> None:
        """Say which, and what has happened."""
        super().__init__(f"{what}: {sentence}")
        self.what, self.sentence = what, sentence
