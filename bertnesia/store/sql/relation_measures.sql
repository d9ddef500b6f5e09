SELECT
    counts.model,
    counts.layer,
    counts.relation,
    relations.label,
    counts.facts,
    counts.correct,
    counts.correct / counts.facts AS precision,
    counts.reciprocal_ranks / counts.facts AS mrr
FROM counts
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = counts.relation
ORDER BY counts.model, counts.layer, relations.label, counts.relation
