"""Facts and prompts: the readers of probe sets, what a model can be asked, and where texts mention facts."""

from bertnesia.probes.registry import probe_set_names, read_probe_sets, register_probe_set

__all__ = ["probe_set_names", "read_probe_sets", "register_probe_set"]
