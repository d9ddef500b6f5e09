"""`python -m bertnesia.cli`: the same as `bertnesia`."""

from bertnesia.cli import main

main()
