"""Random faults in random order: fifty sequences here, as many as fit into KPRL_SOAK_MINUTES in `make soak`."""

from __future__ import annotations

import os
import time

import pytest
from fault_sequences import Sequence
from rig import Rig

SOAK_MINUTES = float(os.environ.get("KPRL_SOAK_MINUTES", "0"))
FIRST_SEED = int(os.environ.get("KPRL_SOAK_SEED", "1"))
SEQUENCES = 50
HOME_EVERY = 10  # sequences: so that the arm is where it has room

pytestmark = [pytest.mark.graph, pytest.mark.timeout(300 + 60 * SOAK_MINUTES)]


@pytest.mark.parametrize("before", [[], ["robot safeguard_stop"], ["node hangs for a moment"]])
def test_a_killed_node_leaves_an_arm_that_stands_and_a_new_one_takes_over(rig: Rig, before: list[str]) -> None:
    rig.truth.allow(1e9)
    rig.home()
    sequence = Sequence(rig, FIRST_SEED)
    sequence.run([*before, "node killed", "somebody recovers", "gripper cut_power"])
    sequence.mend()
    rig.truth.allow(1e9)  # what comes next is another test's


def test_nothing_unasked_moves_and_everything_comes_back(rig: Rig) -> None:
    rig.home()
    end = time.monotonic() + 60.0 * SOAK_MINUTES
    count = 0
    while count < SEQUENCES or time.monotonic() < end:
        rig.truth.allow(1e9)
        if count % HOME_EVERY == 0:
            rig.home()
        sequence = Sequence(rig, FIRST_SEED + count)
        sequence.run()
        sequence.mend()
        count += 1
        if SOAK_MINUTES and count % SEQUENCES == 0:
            print(f"{count} sequences", flush=True)
    print(f"{count} sequences from seed {FIRST_SEED} on")
