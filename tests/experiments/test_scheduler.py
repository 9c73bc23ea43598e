"""Order, retries and failures of jobs, in this process."""

from __future__ import annotations

import pytest
from fake_experiment import FakeJob

from kprl.experiments.attempt import LOG, RESULT
from kprl.experiments.pools import SerialPool
from kprl.experiments.scheduler import Outcome, run_jobs
from kprl.files import read_json


class RecordingPool:
    """Ends the oldest of its jobs at each wait; `errors` are given out in order, by name."""

    def __init__(self, size, errors=()):
        self.size, self.running, self.log = size, [], []
        self.errors = {name: list(words) for name, words in dict(errors).items()}

    def start(self, job):
        self.running.append(job)
        self.log.append((job.name, len(self.running)))

    def wait(self):
        job = self.running.pop(0)
        words = self.errors.get(job.name)
        return [(job.name, words.pop(0) if words else "")]


def test_needs_come_first_and_the_pool_is_kept_full(tmp_path):
    jobs = [FakeJob("base"), *(FakeJob(f"leaf{n}", needs=("base",)) for n in range(3)), FakeJob("other")]
    pool, outcomes = RecordingPool(size=2), {}
    run_jobs(jobs, tmp_path, pool, 0, outcomes)
    assert pool.log == [("base", 1), ("other", 2), ("leaf0", 2), ("leaf1", 2), ("leaf2", 2)]
    assert set(outcomes.values()) == {Outcome("", 1)}


def test_a_failing_job_is_tried_again_then_given_up_with_those_that_need_it(tmp_path):
    jobs = [FakeJob("bad"), FakeJob("leaf", needs=("bad",)), FakeJob("leaf of leaf", needs=("leaf",)), FakeJob("good")]
    pool, outcomes, ended = RecordingPool(1, {"bad": ["first", "second", "third"]}), {}, []
    run_jobs(jobs, tmp_path, pool, 2, outcomes, lambda job, outcome: ended.append(job.name))
    assert [name for name, _ in pool.log] == ["bad", "bad", "bad", "good"]
    assert outcomes["bad"] == Outcome("third", 3) and outcomes["good"] == Outcome("", 1)
    assert outcomes["leaf"] == Outcome("not begun: it needs bad, which failed: third", 0)
    assert "needs leaf, which failed: not begun: it needs bad" in outcomes["leaf of leaf"].error
    assert sorted(ended) == sorted(job.name for job in jobs)


def test_a_job_that_recovers_is_done(tmp_path):
    job, outcomes = FakeJob("job", behaviour="recovers"), {}
    run_jobs([job], tmp_path, SerialPool(tmp_path), 2, outcomes)
    assert outcomes == {"job": Outcome("", 3)} and job.attempts(tmp_path) == 3


def test_what_is_done_is_not_done_again(tmp_path):
    jobs, outcomes = [FakeJob("base", 0.25), FakeJob("leaf", needs=("base",))], {}
    run_jobs(jobs, tmp_path, SerialPool(tmp_path), 0, {})
    (tmp_path / "leaf" / RESULT).unlink()
    run_jobs(jobs, tmp_path, SerialPool(tmp_path), 0, outcomes)
    assert outcomes == {"base": Outcome("", 0), "leaf": Outcome("", 1)}
    assert [job.attempts(tmp_path) for job in jobs] == [1, 2]
    result = read_json(tmp_path / "base" / RESULT)
    assert result["final"] == {"success_rate": 0.5} and {"commit", "processor"} <= set(result["provenance"])


def test_each_job_has_its_own_log_and_a_fault_its_traceback_there(tmp_path, capsys):
    outcomes = {}
    run_jobs([FakeJob("job", behaviour="breaks")], tmp_path, SerialPool(tmp_path), 1, outcomes)
    log = tmp_path / "job" / LOG
    assert outcomes["job"].error == f"ZeroDivisionError: a fault of the program (see {log})"
    assert log.read_text().count("Traceback") == 2 and "attempt 2 of job" in log.read_text()
    assert capsys.readouterr().out == "" and not (tmp_path / "job" / RESULT).exists()


def test_a_wrong_order_is_a_fault_of_the_program(tmp_path):
    with pytest.raises(ValueError, match="leaf comes before what it needs"):
        run_jobs([FakeJob("leaf", needs=("nothing",))], tmp_path, SerialPool(tmp_path), 0, {})
