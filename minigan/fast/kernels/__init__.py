"""Compiled kernels: plain functions of arrays, called by the stages of `minigan.fast`.

- `gemm`         the blocked matrix product; `gemm_part` is one thread's part of it, `packing`
                 copies its operands, `microkernel` is the innermost loop, `lanes` the vector
                 instructions that loop is made of, `thin` the products with few columns or steps
- `products`     matrix products and the passes of a linear layer
- `images`       the passes of both convolutions; `geometry` holds their shapes, `tables` the
                 offsets that they read through, `taps` their transposes with few channels of output
- `winograd`     convolutions with fewer multiplications: `winograd_plans` are their passes,
                 `winograd_builder` the tasks of these, `winograd_layout` what they lie in;
                 `combinations` the sums of pixels and taps
- `chains`       the passes of consecutive linear layers
- `plans`, `image_plans`, `programs`     passes written down once, each run by one compiled call;
                 `plan_builder` collects the tasks of a convolution's, `direct_builder` adds its
                 products; `chain_workers` and `image_workers` are what both are made of beside
                 products
- `cotangents`   dz = dy phi'(y), padding and the bias gradient, in one pass
- `elementwise`, `nonlinear`, `codes`    activations; `softplus_means` for the losses
- `moments`, `softmax`                   batch and layer normalisation, attention
- `updates`, `vectors`, `chunks`         loops over flat vectors
- `threads`, `workers`, `waiting`        parallel loops; `views` makes the arrays of their tasks,
                 `sharing` leaves cores to other programs
- `buffers`, `cache`, `machine`          reused arrays; compiled code on disk; the processor
"""
