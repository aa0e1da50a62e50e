"""Training: the loop, its history, averages, schedules, saving and resuming.

- `loop`         `train`, `History`, `Plateau`
- `averaging`    `Average`, the running average of a generator
- `schedules`    factors for the learning rates
- `stabilisers`  what calms the game: noise, packing, smoothing, annealing
- `checkpoint`   a run in a file, to be resumed bit by bit
"""
