"""Runs `main` from the command line."""

import sys

from bertnesia.probes.atlas import main

sys.exit(main(sys.argv[1:]))
