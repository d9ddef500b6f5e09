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

-- Over all relations, without one's name, and per relation.
SELECT
    $model AS model,
    CASE WHEN layer IS NULL THEN 'total' ELSE 'layer' END AS at,
    CAST(layer AS INTEGER) AS layer,
    relation,
    count(*) AS facts,
    count(*) FILTER (base_rank <= $k) AS right_in_base,
    count(*) FILTER (model_rank <= $k) AS right_in_model,
    count(*) FILTER (base_rank <= $k AND model_rank <= $k) AS retained,
    count(*) FILTER (base_rank <= $k AND model_rank > $k) AS forgotten,
    count(*) FILTER (base_rank > $k AND model_rank <= $k) AS learned,
    (SELECT count(*) FROM in_scope) - count(*) AS left_out,
    layer = (SELECT layers FROM models WHERE models.model = $model) AS is_last
FROM pairs
JOIN shared USING (fact)
GROUP BY GROUPING SETS ((layer), (layer, relation))
ORDER BY layer NULLS LAST, relation
