-- counts: per model, layer and relation, of the facts in `sizes` those that are right.
right_counts AS (
    SELECT model, layer, relation, count(*) AS correct
    FROM placed
    WHERE rank <= $k
    GROUP BY ALL
),

counts AS (
    SELECT
        sizes.model,
        sizes.layer,
        sizes.relation,
        sum(sizes.facts) AS facts,
        coalesce(any_value(right_counts.correct), 0) AS correct,
        sum(sizes.reciprocal_ranks) AS reciprocal_ranks,
        sum(sizes.squared_reciprocal_ranks) AS squared_reciprocal_ranks
    FROM sizes
    LEFT JOIN right_counts USING (model, layer, relation)
    GROUP BY sizes.model, sizes.layer, sizes.relation
),
