-- Of the decoders that ship: those of seed 0 and the kinds named.
SELECT ranks.kind, ranks.variant, ranks.layer, facts.id AS fact, ranks.rank, ranks.filtered_rank, ranks.log_probability
FROM ranks
JOIN facts USING (fact)
WHERE ranks.model = $model
    AND ranks.seed = 0
    AND list_contains($kinds, ranks.kind)
    AND list_contains($facts, facts.id)
ORDER BY ranks.kind, ranks.variant, ranks.layer, facts.id
