"""What the demos share: the command line and the results folder, the digits, progress, pictures.

Importing it makes sure that matplotlib can draw: a backend that the environment names and that is
not installed, or needs a screen where there is none, is replaced by drawing into files. From here
on a Ctrl-C ends the demo in one line, also while the imports below and those of the demo go on.
"""

import sys

from helpers.endings import in_one_line

sys.excepthook = in_one_line(sys.excepthook)

try:
    import matplotlib
    from matplotlib import pyplot
except ValueError as error:  # a name in MPLBACKEND that matplotlib does not know
    sys.exit(f"MPLBACKEND: {' '.join(str(error).split())}")

try:
    pyplot.switch_backend(matplotlib.get_backend())
except ImportError as error:
    pyplot.switch_backend("agg")
    print(f"MPLBACKEND: {error}; drawing into files only.", file=sys.stderr)
