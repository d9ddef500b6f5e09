SELECT
    half_counts.model,
    CAST(half_counts.layer AS INTEGER) AS layer,
    models.layers,
    half_counts.relation,
    relations.label,
    CAST(half_counts.half AS INTEGER) AS half,
    CAST(half_counts.facts AS BIGINT) AS facts,
    CAST(half_counts.correct AS BIGINT) AS correct,
    CAST(half_counts.with_last AS BIGINT) AS with_last
FROM half_counts
JOIN models USING (model)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = half_counts.relation
ORDER BY half_counts.model, relations.label, half_counts.relation, half_counts.half, half_counts.layer
