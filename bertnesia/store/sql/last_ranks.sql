-- The rank of some facts at the last layer of every model.
SELECT ranks.model, facts.id AS fact, ranks.rank
FROM ranks
JOIN facts USING (fact)
JOIN models ON models.model = ranks.model AND models.layers = ranks.layer
WHERE models.role = 'model'
    AND ranks.kind = CASE WHEN models.base IS NULL THEN $base_kind ELSE $kind END
    AND ranks.seed = 0
    AND ranks.variant = 'plain'
    AND facts.id IN (SELECT unnest($facts))
ORDER BY models.position, ranks.fact
