"""Studies: the file that describes one, its stages, and what becomes of them."""
