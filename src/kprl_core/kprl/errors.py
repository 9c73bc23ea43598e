"""The one exception that a user is meant to read."""

from __future__ import annotations


class KprlError(Exception):
    """A fault that a user can mend.

    The message is one line: what was wrong, what was expected, what to do. Command lines and nodes print it
    without a traceback and exit with status 2.
    """


def require_choice(kind: str, value: str, choices: list[str] | tuple[str, ...]) -> str:
    """Return `value`, or raise a `KprlError` that names the valid choices."""
    if value not in choices:
        raise KprlError(f"unknown {kind} '{value}': choose one of {', '.join(sorted(choices))}")
    return value
