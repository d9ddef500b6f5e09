-- half_counts: per model, layer, relation and half of the facts, with how many are right here and at the last layer.
right_at_last AS (
    SELECT model, fact
    FROM best
    WHERE seed = $seed
        AND variant = $variant
        AND kind = $kinds[list_position($models, model)]
        AND CASE WHEN $filtered THEN last_filtered_rank ELSE last_rank END
        + CASE WHEN $middle THEN last_ties / 2 ELSE 0 END <= $k
),

right_in_both AS (
    SELECT model, layer, relation, half, count(*) AS facts
    FROM placed
    SEMI JOIN right_at_last USING (model, fact)
    WHERE rank <= $k
    GROUP BY ALL
),

counts AS (
    SELECT model, layer, relation, half, count(*) AS facts, count(*) FILTER (rank <= $k) AS correct
    FROM placed
    GROUP BY ALL
),

half_counts AS (
    SELECT counts.*, coalesce(right_in_both.facts, 0) AS with_last
    FROM counts
    LEFT JOIN right_in_both USING (model, layer, relation, half)
)
