"""How fast bertnesia is: `python -m benchmarks` prints what it measures as one page in Markdown."""
