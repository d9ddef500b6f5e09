SELECT DISTINCT model, CAST(layer AS INTEGER) AS layer
FROM layer_counts
WHERE seed = $seed AND variant = $variant AND probe_set = $probe_set AND kind = $kinds[list_position($models, model)]
ORDER BY list_position($models, model), layer
