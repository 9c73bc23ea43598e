"""Make the set-up scripts importable: they run on a bare interpreter, so they are no installed package."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "setup"))
