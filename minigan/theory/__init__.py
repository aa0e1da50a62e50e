"""Why does training behave so?

- `dirac`     the Dirac-GAN: two numbers, whose eigenvalues are known
- `spectrum`  the eigenvalues of a whole GAN
"""
