-- Of the decoders that ship: those of seed 0 and the kinds named.
SELECT kind, variant, layer, fact, rank, filtered_rank, log_probability
FROM ranks
WHERE model = $model AND seed = 0 AND list_contains($kinds, kind) AND list_contains($facts, fact)
ORDER BY kind, variant, layer, fact
