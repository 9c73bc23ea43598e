#!/usr/bin/env bash
# The main job in one go: learn keypoints and a policy over ROS 2 topics, then watch the policy in real time.
# Usage: scripts/demo.sh [run folder]; called by `make demo`.
set -euo pipefail
trap 'echo "demo: interrupted" >&2; exit 130' INT  # a launch that is interrupted ends well, the demo does not
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source setup.bash

run=${1:-runs/demo-$(date +%Y%m%d-%H%M%S)}
episodes=20

echo "== 1/2 training over ROS 2 topics; everything goes to $run"
ros2 launch kprl_bringup sim_train.launch.py profile:=quick output:="$run"

echo "== 2/2 the trained bundle in the real-time simulation, $episodes episodes"
ros2 launch kprl_bringup sim_grasp.launch.py bundle:="$run/bundle" episodes:="$episodes" output:="$run/sim_grasp"

kprl policy show --run "$run"
