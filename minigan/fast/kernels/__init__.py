"""Compiled kernels: plain functions of arrays, called by the stages of `minigan.fast`.

- `gemm`         the blocked matrix product; `gemm_part` is one thread's part of it, `packing`
                 copies its operands, `microkernel` is the innermost loop, `lanes` has its vector
                 instructions, `thin` the products with few columns or a short inner index
- `products`     matrix products and the passes of a linear layer
- `images`       the passes of both convolutions; `geometry` has their shapes, `tables` the offsets
                 of their operands, `taps` transposed convolutions with few output channels
- `winograd`     convolutions with fewer multiplications: `winograd_plans` has their passes,
                 `winograd_builder` the tasks of a pass, `winograd_layout` the layout of its
                 temporary arrays, `combinations` the sums of pixels and taps
- `chains`       the passes of consecutive linear layers
- `programs`     a pass as a sequence of tasks, prepared once and run by one compiled call; `plans`
                 has the programs of chains, `image_plans` those of convolutions
- `plan_builder`, `direct_builder`       make the tasks of convolutions
- `chain_workers`, `image_workers`       tasks that are not products
- `cotangents`   dz = dy phi'(y), padding and the bias gradient, in one pass
- `elementwise`, `nonlinear`, `codes`    activations; `softplus_means` for the losses
- `moments`, `softmax`                   batch and layer normalisation, attention
- `updates`, `vectors`, `chunks`         loops over flat vectors
- `threads`, `workers`, `waiting`        parallel loops; `views` makes the arrays of their tasks,
                 `sharing` uses fewer threads while other programs are busy
- `buffers`, `cache`, `machine`          reused arrays; compiled code on disk; the processor
- `calls`        prints each call with its time, for MINIGAN_DEBUG=1
"""
