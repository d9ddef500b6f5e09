-- The facts of one relation at one layer of a model, best rank first, with the rank of the model it comes from there.
SELECT
    facts.id AS fact,
    facts.subject,
    facts.object,
    facts.prompt,
    CASE WHEN $filtered THEN ranks.filtered_rank ELSE ranks.rank END AS rank,
    CASE WHEN $filtered THEN before.filtered_rank ELSE before.rank END AS base_rank,
    coalesce(predictions.tokens[1], '') AS says
FROM ranks
JOIN facts USING (fact)
JOIN models USING (model)
LEFT JOIN ranks AS before
    ON before.model = models.base
    AND before.kind = $base_kind
    AND before.seed = ranks.seed
    AND before.variant = ranks.variant
    AND before.fact = ranks.fact
    AND before.layer = ranks.layer
LEFT JOIN predictions
    ON predictions.model = ranks.model
    AND predictions.kind = ranks.kind
    AND predictions.layer = ranks.layer
    AND predictions.fact = ranks.fact
WHERE facts.probe_set = $probe_set
    AND facts.relation = $relation
    AND ranks.model = $model
    AND ranks.kind = $kind
    AND ranks.seed = 0
    AND ranks.variant = 'plain'
    AND ranks.layer = $layer
ORDER BY 5, facts.subject, facts.object, facts.fact
