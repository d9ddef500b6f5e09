-- pairs: the ranks of base and model at each layer, of the facts in scope that both were asked.
base_side AS (
    SELECT
        fact,
        layer,
        CASE WHEN $filtered THEN filtered_rank ELSE rank END + CASE WHEN $middle THEN ties / 2 ELSE 0 END AS rank
    FROM ranks
    WHERE model = $base AND kind = $base_kind AND seed = $base_seed AND variant = $base_variant
),

model_side AS (
    SELECT
        fact,
        layer,
        CASE WHEN $filtered THEN filtered_rank ELSE rank END + CASE WHEN $middle THEN ties / 2 ELSE 0 END AS rank
    FROM ranks
    WHERE model = $model AND kind = $kind AND seed = $seed AND variant = $variant
),

pairs AS (
    SELECT base_side.layer, in_scope.fact, in_scope.relation, base_side.rank AS base_rank, model_side.rank AS model_rank
    FROM in_scope
    JOIN base_side USING (fact)
    JOIN model_side USING (fact, layer)
)
