"""Jobs on a Ray: fresh processes, lost workers, time-outs, folders that a machine does not see."""

from __future__ import annotations

import pytest
from fake_experiment import FakeJob

from kprl.experiments.attempt import RESULT
from kprl.experiments.pools import IDENTITY, MARK, RayPool, ray_pool
from kprl.experiments.scheduler import Outcome, run_jobs
from kprl.files import write_json


@pytest.fixture
def root(tmp_path):
    write_json(tmp_path / IDENTITY, {MARK: "this folder"})
    return tmp_path


def run(root, jobs, retries=0, timeout=60.0):
    outcomes = {}
    with ray_pool(root, "", 2, timeout) as pool:
        run_jobs(jobs, root, pool, retries, outcomes)
    return outcomes


def test_each_job_has_a_fresh_process(own_ray, root):
    jobs = [FakeJob(f"job{n}") for n in range(3)]
    assert set(run(root, jobs).values()) == {Outcome("", 1)}
    assert len({(root / job.name / "process").read_text() for job in jobs}) == 3


def test_a_lost_worker_costs_an_attempt_and_no_other_cell(own_ray, root):
    jobs = [FakeJob("dies", behaviour="dies"), FakeJob("lost", behaviour="is_lost_once"), FakeJob("works")]
    outcomes = run(root, jobs, retries=1)
    assert outcomes["dies"].attempts == 2 and "lost with its worker of Ray" in outcomes["dies"].error
    assert "--parallel" in outcomes["dies"].error
    assert outcomes["lost"] == Outcome("", 2) and outcomes["works"] == Outcome("", 1)


def test_no_job_is_waited_for_for_ever_and_its_cpu_is_free_again(own_ray, root):
    hanging = [FakeJob("one", behaviour="hangs"), FakeJob("two", behaviour="hangs")]
    outcomes = run(root, hanging, timeout=6.0)
    assert {outcome.error for outcome in outcomes.values()} == {"did not end within 6 s (the preset's cell_timeout)"}
    assert run(root, [FakeJob("next")])["next"] == Outcome("", 1)


def test_an_error_of_a_job_is_its_own_words(own_ray, root):
    outcomes = run(root, [FakeJob("job", behaviour="refuses")])
    assert outcomes["job"] == Outcome("this job refuses: give it up", 1)


def test_a_machine_that_does_not_see_the_folder_says_so(own_ray, root):
    pool = RayPool(own_ray, root, 1, 60.0, {})
    write_json(root / IDENTITY, {MARK: "a folder of the same name on another machine"})
    outcomes = {}
    run_jobs([FakeJob("job")], root, pool, 0, outcomes)
    assert "--out must be a folder that all machines share" in outcomes["job"].error
    assert not (root / "job" / RESULT).exists()


def test_a_machine_with_other_code_is_refused(own_ray, root):
    outcomes = {}
    run_jobs([FakeJob("job")], root, RayPool(own_ray, root, 1, 60.0, {"kprl": "another"}), 0, outcomes)
    assert "has kprl " in outcomes["job"].error and "check out the same commit" in outcomes["job"].error
