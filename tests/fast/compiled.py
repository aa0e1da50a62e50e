"""All kernels in one module, under the names that `reference` uses."""

from minigan.fast.kernels.elementwise import *  # noqa: F403
from minigan.fast.kernels.images import *  # noqa: F403
from minigan.fast.kernels.moments import *  # noqa: F403
from minigan.fast.kernels.products import *  # noqa: F403
from minigan.fast.kernels.updates import *  # noqa: F403
from minigan.fast.kernels.vectors import *  # noqa: F403
