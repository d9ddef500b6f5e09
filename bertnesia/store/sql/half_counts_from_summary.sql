-- half_counts: as from ranks, read from the summary.
half_counts AS (
    SELECT model, layer, relation, half, facts, correct, with_last
    FROM summed
)
