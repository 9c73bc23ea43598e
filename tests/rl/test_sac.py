"""The agent against eq. 8, hand-computed losses and torch's own optimiser."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from goal_envs import point_reward
from make_episodes import SIZES, random_episode
from torch._dynamo.utils import counters

from kprl.errors import KprlError
from kprl.rl.agent import Agent, CriticInput
from kprl.rl.batch import Batch, Draws, to_tensors
from kprl.rl.cuda_graph import Inputs
from kprl.rl.ddpg import Ddpg
from kprl.rl.flat import Flat, FlatAdam
from kprl.rl.her import hindsight_batch
from kprl.rl.networks import squash
from kprl.rl.normaliser import MIN_DEVIATION, Normaliser, RunningMoments
from kprl.rl.replay import Replay
from kprl.rl.sac import Sac, target_value, temperature_loss


def fixed_batch(size: int = 256, seed: int = 0) -> Batch:
    """One batch of synthetic experience."""
    rng, replay = np.random.default_rng(seed), Replay(1000, SIZES)
    for _ in range(50):
        replay.add(random_episode(rng))
    return hindsight_batch(replay, size, 4, point_reward, rng)


def test_targets_follow_equation_8() -> None:
    target = target_value(
        reward=torch.tensor([-0.5, -0.5]),
        terminated=torch.tensor([0.0, 1.0]),
        next_q=torch.tensor([[2.0, 2.0], [1.0, 3.0]]),
        next_log_prob=torch.tensor([-1.5, 0.5]),
        temperature=torch.tensor(0.2),
        gamma=0.9,
    )
    # -0.5 + 0.9 (min(2, 1) - 0.2 * -1.5) = 0.67; where the task ended, the reward alone.
    assert target.tolist() == pytest.approx([0.67, -0.5])


def test_temperature_moves_against_the_entropy_error() -> None:
    log_temperature = torch.tensor(math.log(0.5), requires_grad=True)
    loss = temperature_loss(log_temperature, torch.tensor([1.0, 3.0]), target_entropy=-1.0)
    # -log(0.5) (2 - 1); its slope is -(2 - 1): the policy is too certain, so the temperature has to rise.
    assert loss.item() == pytest.approx(math.log(2))
    loss.backward()
    assert log_temperature.grad is not None
    assert log_temperature.grad.item() == pytest.approx(-1.0)


def test_log_density_of_the_squashed_gaussian() -> None:
    mean, log_std, noise = torch.tensor([[0.3, -1.0]]), torch.tensor([[-0.5, 0.2]]), torch.tensor([[0.7, -1.1]])
    action, log_prob = squash(mean, log_std, noise)
    base = torch.distributions.Normal(mean, log_std.exp())
    reference = torch.distributions.TransformedDistribution(base, torch.distributions.TanhTransform())
    assert torch.allclose(action, torch.tanh(mean + log_std.exp() * noise))
    assert log_prob.item() == pytest.approx(reference.log_prob(action).sum().item(), abs=1e-4)
    assert torch.isfinite(squash(mean * 100, log_std, noise)[1]).all()


def test_updates_fit_a_fixed_batch() -> None:
    agent, batch = Sac(SIZES, gamma=0.5, seed=1), fixed_batch()
    losses = [float(agent.update(batch)["critic_loss"]) for _ in range(200)]
    assert np.mean(losses[-10:]) < 0.2 * np.mean(losses[:10])


def test_the_actor_climbs_the_critic() -> None:
    agent, batch = Sac(SIZES, gamma=0.5, initial_temperature=1e-6, seed=2), fixed_batch()
    for _ in range(100):
        agent.update(batch)
    x = torch.from_numpy(np.concatenate([batch.observation, batch.goal], -1))
    critic_input = agent.see(to_tensors(batch)).critic_input
    with torch.no_grad():
        chosen = agent.critic(critic_input, torch.tanh(agent.actor(x)[0])).amin(0).mean()
        uniform = agent.critic(critic_input, torch.rand(len(x), 2) * 2 - 1).amin(0).mean()
    assert chosen > uniform


def test_privileged_input_reaches_only_the_critic() -> None:
    batch = fixed_batch()
    other = batch._replace(privileged=batch.privileged * 3, next_privileged=batch.next_privileged * 3)
    agents = Sac(SIZES, seed=3), Sac(SIZES, seed=3)
    before = agents[0].actor.weights()
    assert before.numel() == agents[1].actor.weights().numel()
    x = torch.from_numpy(np.concatenate([batch.observation, batch.goal], -1))
    assert agents[0].actor.input_size == SIZES.observation + SIZES.goal
    assert torch.equal(agents[0].actor(x)[0], agents[1].actor(x)[0])
    agents[0].update(batch)
    agents[1].update(other)
    assert not torch.equal(agents[0].flat_critic.vector, agents[1].flat_critic.vector)


def test_the_symmetric_critic_ignores_privileged_input() -> None:
    batch = fixed_batch()
    other = batch._replace(privileged=batch.privileged * 3, next_privileged=batch.next_privileged * 3)
    agents = Sac(SIZES, critic="observation", seed=3), Sac(SIZES, critic="observation", seed=3)
    agents[0].update(batch)
    agents[1].update(other)
    assert torch.equal(agents[0].flat_critic.vector, agents[1].flat_critic.vector)
    assert torch.equal(agents[0].flat_actor.vector, agents[1].flat_actor.vector)
    with pytest.raises(KprlError, match="choose critic 'observation'"):
        Sac(SIZES._replace(privileged=0))


def test_the_actor_step_leaves_the_critics_alone() -> None:
    agent, batch = Sac(SIZES, seed=4), fixed_batch()
    agent.update(batch)
    actor, critic = agent.flat_actor.vector.clone(), agent.flat_critic.vector.clone()
    seen = agent.see(to_tensors(batch))
    agent._improve_actor(seen, torch.tensor(0.1), torch.zeros_like(seen.action), agent.actor_adam.begin())
    assert torch.equal(agent.flat_critic.vector, critic)
    assert not torch.equal(agent.flat_actor.vector, actor)


def test_what_a_graph_reads_is_each_steps_own_batch_and_draws_in_the_same_memory() -> None:
    agent, inputs = Sac(SIZES, seed=0), None
    places = set()
    for factor in (1.0, 2.0, 3.0):
        batch = Batch(*(np.asarray(field * factor, np.float32) for field in fixed_batch()))
        noises = (torch.full(batch.action.shape, factor), torch.full(batch.action.shape, -factor))
        draws = Draws(*noises, agent.critic_adam.begin(), agent.actor_adam.begin())
        inputs = inputs or Inputs(batch, draws, torch.device("cpu"))
        inputs.send(batch, draws)
        found, found_draws = inputs.given(moves_actor=True)
        for part, field in zip(found, batch, strict=True):
            np.testing.assert_array_equal(part.numpy(), field)
        for part, draw in zip(found_draws, draws, strict=True):
            assert part is not None and draw is not None and torch.equal(part, draw)
        places.add(tuple(part.data_ptr() for part in found))
    assert len(places) == 1
    assert inputs is not None and inputs.given(moves_actor=False)[1].actor_scales is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="runs on a GPU")
@pytest.mark.parametrize("kind", [Sac, Ddpg])
@pytest.mark.parametrize("compile", [False, True])
def test_a_graph_learns_what_the_cpu_learns(kind: type[Agent], compile: bool) -> None:
    batches = [fixed_batch(seed=seed) for seed in range(20)]

    def learn(device: str, compile: bool) -> Agent:
        made = {"seed": 0, "actor_delay": 2, "device": torch.device(device), "compile": compile}
        agent = kind(SIZES, **made)
        for index, batch in enumerate(batches):  # without a pause, so that batches on their way could be mixed up
            if index == 12:  # a resume into the memory that the graph knows
                saved = agent.state_dict()
                agent.update(batches[0])
                agent.load_state_dict(saved)
            metrics = agent.update(batch)
        assert set(metrics) == {"critic_loss", "q"}  # the last one did not move the actor
        return agent

    expected, found = learn("cpu", compile=False), learn("cuda", compile)
    for name in ("flat_actor", "flat_critic", "flat_target"):
        ours, theirs = (getattr(agent, name).vector.cpu() for agent in (found, expected))
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_the_actor_learns_to_tell_the_truth_where_it_is_asked_to() -> None:
    batch = fixed_batch()
    taught, plain = Sac(SIZES, estimation=1.0, seed=3), Sac(SIZES, seed=3)
    x = torch.from_numpy(np.concatenate([batch.observation, batch.goal], -1))
    truth = torch.from_numpy(batch.privileged)

    def error() -> float:
        return float((taught.taught(x)[2] - truth).square().mean().detach())

    before = error()
    for _ in range(200):
        taught.update(batch)
    assert error() < 0.7 * before
    assert taught.actor.weights().shape == plain.actor.weights().shape  # what acts has no estimate
    copy = Sac(SIZES, estimation=1.0, seed=4)
    copy.load_state_dict(taught.state_dict())
    assert torch.equal(copy.taught(x)[2], taught.taught(x)[2])
    with pytest.raises(KprlError, match="the critic sees no truth"):
        Sac(SIZES, estimation=1.0, critic="observation")


def test_targets_follow_slowly() -> None:
    agent, batch = Sac(SIZES, polyak=0.25, seed=5), fixed_batch()
    old = agent.flat_target.vector.clone()
    agent.update(batch)
    assert torch.allclose(agent.flat_target.vector, 0.75 * old + 0.25 * agent.flat_critic.vector)


def test_the_temperature_keeps_its_floor() -> None:
    free = Sac(SIZES, initial_temperature=0.05, learning_rate=0.05, target_entropy=-50.0, seed=6)
    held = Sac(SIZES, initial_temperature=0.05, learning_rate=0.05, target_entropy=-50.0, min_temperature=0.04)
    batch = fixed_batch(64)
    for _ in range(20):
        free.update(batch)
        held.update(batch)
    assert free.temperature.logarithm.exp() < 0.03
    assert held.temperature.logarithm.exp().item() == pytest.approx(0.04)


def test_what_each_kind_of_critic_sees() -> None:
    observation, privileged = torch.full((1, SIZES.observation), 1.0), torch.full((1, SIZES.privileged), 2.0)
    achieved, goal = torch.zeros(1, SIZES.goal), torch.zeros(1, SIZES.goal)
    achieved[0, :2], goal[0, :2] = torch.tensor([5.0, 1.0]), torch.tensor([2.0, 5.0])
    way = torch.zeros(1, SIZES.goal)
    way[0, :2] = torch.tensor([-3.0, 4.0])
    expected: dict[CriticInput, list[torch.Tensor]] = {
        "observation": [observation, goal],
        "privileged": [privileged, goal],
        "goal_relative": [privileged, goal, way, torch.tensor([[5.0]])],
    }
    for critic, parts in expected.items():
        seen = Sac(SIZES, critic=critic).critic_view(observation, privileged, achieved, goal)
        torch.testing.assert_close(seen, torch.cat(parts, -1))


def test_the_way_to_the_goal_is_that_of_the_relabelled_goal() -> None:
    batch = fixed_batch()
    seen = Sac(SIZES, normalise=False).see(to_tensors(batch))
    start = SIZES.privileged + SIZES.goal
    for critic_input, achieved in (
        (seen.critic_input, batch.achieved),
        (seen.next_critic_input, batch.next_achieved),
    ):
        way = critic_input[:, start : start + SIZES.goal].numpy()
        np.testing.assert_allclose(way, batch.goal - achieved, atol=1e-6)
    assert not np.allclose(batch.achieved, batch.next_achieved)


def test_a_delayed_actor_moves_every_second_update() -> None:
    agent, batch = Sac(SIZES, actor_delay=2, seed=7), fixed_batch(64)
    moved = []
    for _ in range(4):
        before = agent.flat_actor.vector.clone()
        moved.append("actor_loss" in agent.update(batch) and not torch.equal(before, agent.flat_actor.vector))
    assert moved == [True, False, True, False]


def test_state_survives_bit_for_bit() -> None:
    one, two, batch = Sac(SIZES, seed=8), Sac(SIZES, seed=9), fixed_batch(64)
    one.observe(batch.observation, batch.privileged, batch.goal, batch.goal)
    for _ in range(5):
        one.update(batch)
    two.load_state_dict(one.state_dict())
    for _ in range(5):
        one.update(batch)
        two.update(batch)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, two.state_dict()[name]), name
    with pytest.raises(KprlError, match="does not fit this agent"):
        Sac(SIZES, actor_hidden=(32,)).load_state_dict(one.state_dict())


def test_flat_adam_is_adam() -> None:
    torch.manual_seed(0)
    ours, theirs = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
    theirs.load_state_dict(ours.state_dict())
    flat = Flat(ours)
    adam = FlatAdam(flat.vector, 1e-2)
    reference = torch.optim.Adam(theirs.parameters(), 1e-2)
    x = torch.randn(16, 4)
    for _ in range(50):
        gradients = torch.autograd.grad((ours(x) ** 2).mean(), [*ours.parameters()])
        adam.step(torch.cat([gradient.reshape(-1) for gradient in gradients]), adam.begin())
        reference.zero_grad()
        (theirs(x) ** 2).mean().backward()
        reference.step()
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-6)
    assert torch.allclose(ours.bias, theirs.bias, atol=1e-6)


@pytest.mark.parametrize(("make", "critic"), [(Sac, "privileged"), (Ddpg, "observation")])
def test_compiled_updates_are_the_same(make: type[Sac] | type[Ddpg], critic: CriticInput) -> None:
    plain, fast = (make(SIZES, critic=critic, actor_hidden=(8,), critic_hidden=(8,), seed=10, compile=compile)
                   for compile in (False, True))  # fmt: skip
    graphs = counters["stats"]["unique_graphs"]
    for size in range(6):
        batch = fixed_batch(64)._replace(reward=np.full(64, -float(size), np.float32))
        expected, metrics = plain.update(batch), fast.update(batch)
        for name, value in expected.items():
            assert float(metrics[name]) == pytest.approx(float(value), abs=1e-5), name
    assert counters["stats"]["unique_graphs"] == graphs + 1  # one of the two was compiled, and once
    for name, tensor in plain.state_dict().items():
        assert torch.allclose(fast.state_dict()[name], tensor, atol=1e-5), name


def test_normalisation_matches_numpy_and_clips() -> None:
    rng = np.random.default_rng(10)
    rows = rng.normal([3, -40, 0.5], [0.5, 8, 1e-9], (500, 3)).astype(np.float32)
    moments, normaliser = RunningMoments(3), Normaliser(3, enabled=True)
    for part in np.array_split(rows, 7):
        moments.update(part)
    normaliser.adopt(moments)
    deviation = np.maximum(rows.astype(np.float64).std(0), MIN_DEVIATION)
    expected = np.clip((rows - rows.astype(np.float64).mean(0)) / deviation, -5, 5)
    assert np.allclose(normaliser(torch.from_numpy(rows)).numpy(), expected, atol=1e-3)
    assert normaliser(torch.tensor([[1e6, 0.0, 0.0]]))[0, 0] == 5
    assert torch.equal(Normaliser(3, enabled=False)(torch.tensor([[1e6, 0, 0]])), torch.tensor([[1e6, 0, 0]]))
