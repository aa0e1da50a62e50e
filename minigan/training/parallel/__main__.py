"""python -m minigan.parallel -n 4 program.py"""

import sys

from .launcher import main

sys.exit(main())
