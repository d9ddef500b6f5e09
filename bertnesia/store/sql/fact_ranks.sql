-- One fact's rank and first predictions at every layer of every model.
SELECT
    ranks.model,
    ranks.layer,
    ranks.rank,
    ranks.filtered_rank,
    ranks.ties,
    exp(ranks.log_probability) AS probability,
    coalesce(predictions.tokens, []) AS tokens,
    coalesce(predictions.probabilities, []) AS probabilities
FROM ranks
JOIN facts USING (fact)
JOIN models USING (model)
LEFT JOIN predictions USING (model, kind, layer, fact)
WHERE models.role = 'model'
    AND facts.id = $fact
    AND ranks.kind = CASE WHEN models.base IS NULL THEN $base_kind ELSE $kind END
    AND ranks.seed = 0
    AND ranks.variant = 'plain'
ORDER BY models.position, ranks.layer
