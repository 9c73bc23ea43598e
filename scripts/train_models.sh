#!/usr/bin/env bash
# The keypoint models in models/, from nothing: images, training, measurement, card. Interrupted, it goes on.
# Usage: scripts/train_models.sh [name…], names as in models/; called by `make models`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source setup.bash

images=50000
read -r -a names <<<"${*:-grasp-env1 grasp-env2 push-env1}"
for name in "${names[@]}"; do
    work=runs/models/$name
    echo "== $name: everything goes to $work"
    kprl data generate --out "$work/data" --task "${name%-*}" --scene "${name#*-}" --images "$images"
    kprl keypoints train --data "$work/data" --out "$work/$name" --preset cpu
    kprl keypoints card --model "$work/$name"
    mkdir -p "models/.$name"
    cp -r "$work/$name/." "models/.$name"
    rm -rf "models/.$name/tensorboard" "models/$name"
    mv "models/.$name" "models/$name"
done
