"""The sim bridge in lockstep and the keypoint node, as processes, against the same world in process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest_graph import Graph, open_graph
