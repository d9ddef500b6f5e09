"""Probe sets as their authors write them."""

PROBE_SETS = {
    "atlas": "Atlas",
    "trex": "T-REx",
    "google_re": "Google-RE",
    "squad": "SQuAD",
    "conceptnet": "ConceptNet",
    "bear": "BEAR",
}
"""Names by id, in the order in which they are shown."""


def probe_set_name(probe_set: str) -> str:
    """The name of a probe set; of one's own, its id."""
    return PROBE_SETS.get(probe_set, probe_set)
