"""python -m minigan.parallel -n 4 program.py"""

import sys

from minigan.training.parallel.launcher import main

sys.exit(main())
