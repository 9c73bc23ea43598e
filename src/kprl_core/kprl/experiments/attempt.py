"""One attempt at a job: its output goes to its own log, its result into a file that is whole or absent."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from kprl.errors import KprlError
from kprl.experiments.plan import Job
from kprl.files import after_kill, write_json
from kprl.provenance import provenance

RESULT = "result.json"
LOG = "log.txt"


def is_done(job: Job, root: Path) -> bool:
    """Whether its result is there."""
    return (root / job.name / RESULT).is_file()


def attempt(job: Job, root: Path, check: Callable[[], None] | None = None) -> str:
    """Do a job and write its result; returns "" or, in one line, why it failed. Only interrupts are raised.

    `check` is called first: it may raise a `KprlError`.
    """
    folder = root / job.name
    try:
        if check:
            check()
        folder.mkdir(parents=True, exist_ok=True)
        after_kill(folder / RESULT)
        with (folder / LOG).open("a") as log, redirect_stdout(log), redirect_stderr(log):
            began = time.monotonic()
            try:
                result = job.run(root)
            except Exception:
                traceback.print_exc()
                raise
        minutes = round((time.monotonic() - began) / 60, 2)
        write_json(folder / RESULT, {"minutes": minutes, **result, "provenance": provenance("torch")})
    except KprlError as error:
        return str(error)
    except Exception as error:  # whatever it is, the other cells go on
        words = " ".join(str(error).split())
        return f"{type(error).__name__}: {words} (see {folder / LOG})"
    return ""
