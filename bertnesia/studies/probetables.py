"""What the store keeps of a probe set: the rows of its tables."""

import json
from typing import Any

from bertnesia.probes.facts import prompt_of
from bertnesia.probing.run import Asked

Rows = list[dict[str, Any]]


def probe_tables(asked: Asked) -> dict[str, Rows]:
    """Rows of `probe_sets`, `relations`, `templates` and `facts` for a probe set as it was asked."""
    return {
        "probe_sets": [_probe_set(asked)],
        "relations": _relations(asked),
        "templates": _templates(asked),
        "facts": _facts(asked),
    }


def _probe_set(asked: Asked) -> dict[str, Any]:
    probe_set = asked.probe_set
    return {
        "probe_set": probe_set.name,
        "label": probe_set.label,
        "licence": probe_set.licence,
        "scoring": probe_set.scoring,
        "files": json.dumps(probe_set.hashes, sort_keys=True),
    }


def _relations(asked: Asked) -> Rows:
    return [
        {
            "probe_set": relation.probe_set,
            "relation": relation.id,
            "label": relation.label,
            "description": relation.description,
            "template": relation.template,
            "type": relation.type,
            "source": relation.source,
        }
        for relation in asked.probe_set.relations
    ]


def _templates(asked: Asked) -> Rows:
    return [
        {
            "probe_set": relation.probe_set,
            "relation": relation.id,
            "variant": f"paraphrase_{number + 1}",
            "template": template,
        }
        for relation in asked.probe_set.relations
        for number, template in enumerate(relation.paraphrases)
    ]


def _facts(asked: Asked) -> Rows:
    reasons = {one.fact: one.reason for one in asked.ineligible}
    return [
        {
            "fact": fact.id,
            "probe_set": fact.probe_set,
            "relation": fact.relation,
            "subject": fact.subject,
            "object": fact.object,
            "prompt": prompt_of(fact, asked.probe_set.relation[fact.relation]),
            "eligible": fact.id not in reasons,
            "reason": reasons.get(fact.id, ""),
            "object_in_subject": fact.object_in_subject,
        }
        for fact in asked.probe_set.facts
    ]
