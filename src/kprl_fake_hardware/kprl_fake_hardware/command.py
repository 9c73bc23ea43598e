"""What the two commands share: run until Ctrl-C or SIGTERM, and fail in one clear line."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NoReturn

HIGHEST_PORT = 65535
FAILED = 2  # exit status


class Parser(argparse.ArgumentParser):
    """Complains in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """End with one line and status FAILED."""
        self.exit(FAILED, f"{self.prog}: {message}; --help lists what there is\n")


def port_number(text: str) -> int:
    """A TCP port, 0 for a free one. Errors: argparse's, in words."""
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: expected 0 to {HIGHEST_PORT}")
    return int(text)


def serve(make: Callable[[], AbstractContextManager[Any]], what: str) -> int:
    """Make the servers, say so, run until asked to end; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    try:
        server = make()
    except OSError as error:
        print(f"{what}: cannot listen there: {error.strerror or error}", file=sys.stderr)
        return FAILED
    with server:
        print(f"{what} is ready, Ctrl-C ends it", flush=True)
        end.wait()
    return 0
