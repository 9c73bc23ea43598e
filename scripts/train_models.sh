#!/usr/bin/env bash
# The bundles in models/, from nothing: images, keypoints, policies of three seeds, measurements, cards. Interrupted, it goes on.
# Usage: scripts/train_models.sh [name…], names as in models/; called by `make models`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source setup.bash

images=50000
seeds=(0 1 2)
read -r -a names <<<"${*:-grasp-env1 grasp-env2 push-env1}"
for name in "${names[@]}"; do
    IFS=- read -r task scene other <<<"$name"
    object=cube${other:+"+$other"} work=runs/models/$name # grasp-env1-gear learns cube and gear
    echo "== $name: everything goes to $work"
    kprl data generate --out "$work/data" --task "$task" --scene "$scene" --object "$object" --images "$images"
    kprl keypoints train --data "$work/data" --out "$work/keypoints" --preset cpu
    kprl keypoints card --model "$work/keypoints"
    runs=()
    for seed in "${seeds[@]}"; do
        run=$work/seed$seed
        runs+=("$run")
        kprl policy train --preset full --task "$task" --scene "$scene" --object "$object" --keypoints "$work/keypoints" \
            --seed "$seed" --out "$run" --resume
    done
    rm -rf "$work/bundle"
    kprl policy card --runs "${runs[@]}" --out "$work/bundle/$name"
    mkdir -p "models/.$name"
    cp -r "$work/bundle/$name/." "models/.$name"
    rm -rf "models/$name"
    mv "models/.$name" "models/$name"
done
