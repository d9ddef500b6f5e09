SELECT count(*) AS models, count(DISTINCT (facts, digest)) AS fact_sets
FROM asked
WHERE kind = $kind
    AND seed = $seed
    AND variant = $variant
    AND probe_set = $probe_set
    AND list_contains($models, model)
