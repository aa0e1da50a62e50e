"""Is it working?

- `watch`       vital signs and films, measured during training
- `diagnosis`   what the vital signs say
- `not_finite`  where the first NaN or infinity of a step comes from
- `plots`       pictures of all of these (needs matplotlib)
"""
