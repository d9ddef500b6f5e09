-- Facts of one outcome, those that fell or rose furthest first, with what the model says instead at that layer
-- (over all layers: at its last).
SELECT
    facts.id AS fact,
    facts.relation,
    relations.label,
    facts.subject,
    facts.object,
    facts.prompt,
    pairs.base_rank,
    pairs.model_rank,
    coalesce(predictions.tokens[1], '') AS model_says
FROM pairs
JOIN facts USING (fact)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = pairs.relation
LEFT JOIN predictions
    ON predictions.fact = pairs.fact
    AND predictions.model = $model
    AND predictions.kind = $kind
    AND predictions.layer = coalesce($layer, (SELECT models.layers FROM models WHERE models.model = $model))
WHERE
    CASE $outcome
        WHEN 'retained' THEN base_rank <= $k AND model_rank <= $k
        WHEN 'forgotten' THEN base_rank <= $k AND model_rank > $k
        ELSE base_rank > $k AND model_rank <= $k
    END
    AND ($relation IS NULL OR facts.relation = $relation)
ORDER BY abs(pairs.model_rank - pairs.base_rank) DESC, facts.fact
LIMIT $limit
