"""kprl: vision-based manipulation from self-supervised keypoints, learnt in simulation."""
