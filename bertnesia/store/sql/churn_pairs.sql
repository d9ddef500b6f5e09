-- pairs: the ranks of one model with decoders of two seeds, at each layer that both have, and over all layers where both
-- have the same.
placed AS (
    SELECT
        seed,
        layer,
        fact,
        CASE WHEN $filtered THEN filtered_rank ELSE rank END + CASE WHEN $middle THEN ties / 2 ELSE 0 END AS rank
    FROM ranks
    SEMI JOIN shared USING (fact)
    WHERE model = $model AND kind = $kind AND variant = $variant AND (seed = $first_seed OR seed = $second_seed)
),

pairs AS (
    SELECT fact, before.layer, before.rank AS base_rank, after.rank AS model_rank
    FROM placed AS before
    JOIN placed AS after USING (fact, layer)
    WHERE before.seed = $first_seed AND after.seed = $second_seed
    UNION ALL BY NAME
    SELECT
        fact,
        NULL AS layer,
        min(rank) FILTER (seed = $first_seed) AS base_rank,
        min(rank) FILTER (seed = $second_seed) AS model_rank
    FROM placed
    GROUP BY fact
    HAVING count(*) FILTER (seed = $first_seed) = count(*) FILTER (seed = $second_seed)
)
