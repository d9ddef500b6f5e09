-- half_counts: of the facts in `sizes`, how many are right here, and here and at the last layer.
right_at_last AS (
    SELECT model, fact
    FROM best_of_models
    WHERE CASE WHEN $filtered THEN last_filtered_rank ELSE last_rank END
        + CASE WHEN $middle THEN last_ties / 2 ELSE 0 END <= $k
),

right_counts AS (
    SELECT
        placed.model,
        placed.layer,
        placed.relation,
        placed.half,
        count(*) AS correct,
        count(right_at_last.fact) AS with_last
    FROM placed
    LEFT JOIN right_at_last ON right_at_last.model = placed.model AND right_at_last.fact = placed.fact
    WHERE placed.rank <= $k
    GROUP BY ALL
),

half_counts AS (
    SELECT
        sizes.model,
        sizes.layer,
        sizes.relation,
        sizes.half,
        sizes.facts,
        coalesce(right_counts.correct, 0) AS correct,
        coalesce(right_counts.with_last, 0) AS with_last
    FROM sizes
    LEFT JOIN right_counts USING (model, layer, relation, half)
)
