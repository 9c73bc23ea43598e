"""The error that ends a command with one line."""

from __future__ import annotations

import argparse
from typing import NoReturn


class CommandError(Exception):
    """Something is wrong with what the user asked for; the message is one line."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message}; usage: {' '.join(self.format_usage().split()[1:])}")
