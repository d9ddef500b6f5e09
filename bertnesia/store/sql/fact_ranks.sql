SELECT
    ranks.model,
    ranks.layer,
    ranks.rank,
    ranks.filtered_rank,
    ranks.ties,
    ranks.log_probability,
    predictions.tokens,
    predictions.probabilities
FROM ranks
JOIN facts USING (fact)
JOIN models USING (model)
LEFT JOIN predictions USING (model, kind, layer, fact)
WHERE facts.id = $fact
    AND ranks.kind = CASE WHEN models.base IS NULL THEN $base_kind ELSE $kind END
    AND ranks.seed = 0
    AND ranks.variant = 'plain'
    AND models.role = 'model'
ORDER BY models.position, ranks.layer
