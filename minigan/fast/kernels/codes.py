"""Codes of the activations that a kernel can apply to its own result.

A compiled kernel cannot take a Python object, so an activation is passed as an integer code and a
slope s. The derivative of each can be computed from its *output* y = phi(z), so a fused operation
does not store z.
"""

IDENTITY = 0  # phi(z) = z                      phi' = 1
LEAKY_RELU = 1  # phi(z) = z if z > 0 else s z   phi' = 1 if y > 0 else s     (ReLU is s = 0)
TANH = 2  # phi(z) = tanh z                      phi' = 1 - y^2
SIGMOID = 3  # phi(z) = 1 / (1 + exp(-z))        phi' = y (1 - y)
