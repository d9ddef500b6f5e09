SELECT count(*) AS models, count(DISTINCT (facts, digest)) AS fact_sets
FROM asked
WHERE seed = $seed AND variant = $variant AND probe_set = $probe_set AND kind = $kinds[list_position($models, model)]
