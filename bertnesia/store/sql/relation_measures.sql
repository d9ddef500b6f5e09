SELECT
    counted.model,
    CAST(counted.layer AS INTEGER) AS layer,
    counted.relation,
    relations.label,
    CAST(counted.facts AS BIGINT) AS facts,
    CAST(scope.facts - counted.facts AS BIGINT) AS left_out,
    CAST(counted.correct AS BIGINT) AS correct,
    counted.correct / counted.facts AS precision,
    counted.reciprocal_ranks / counted.facts AS mrr
FROM counted
JOIN scope USING (relation)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = counted.relation
ORDER BY counted.model, counted.layer, relations.label, counted.relation
