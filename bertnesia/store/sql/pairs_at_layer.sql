-- pairs: the ranks of base and model at one layer, of the facts in scope that both were asked.
base_side AS (
    SELECT
        fact,
        CASE WHEN $filtered THEN filtered_rank ELSE rank END + CASE WHEN $middle THEN ties / 2 ELSE 0 END AS rank
    FROM ranks
    WHERE model = $base AND kind = $base_kind AND seed = $base_seed AND variant = $base_variant AND layer = $layer
),

model_side AS (
    SELECT
        fact,
        CASE WHEN $filtered THEN filtered_rank ELSE rank END + CASE WHEN $middle THEN ties / 2 ELSE 0 END AS rank
    FROM ranks
    WHERE model = $model AND kind = $kind AND seed = $seed AND variant = $variant AND layer = $layer
),

pairs AS (
    SELECT in_scope.fact, in_scope.relation, base_side.rank AS base_rank, model_side.rank AS model_rank
    FROM in_scope
    JOIN base_side USING (fact)
    JOIN model_side USING (fact)
)
