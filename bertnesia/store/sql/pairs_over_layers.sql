-- pairs: the ranks of base and model over all layers, of the facts in scope that both were asked.
base_side AS (
    SELECT
        fact,
        CASE
            WHEN $filtered AND $middle THEN filtered_middle_rank
            WHEN $filtered THEN filtered_rank
            WHEN $middle THEN middle_rank
            ELSE rank
        END AS rank
    FROM best
    WHERE model = $base AND kind = $base_kind AND seed = $base_seed AND variant = $base_variant
),

model_side AS (
    SELECT
        fact,
        CASE
            WHEN $filtered AND $middle THEN filtered_middle_rank
            WHEN $filtered THEN filtered_rank
            WHEN $middle THEN middle_rank
            ELSE rank
        END AS rank
    FROM best
    WHERE model = $model AND kind = $kind AND seed = $seed AND variant = $variant
),

pairs AS (
    SELECT in_scope.fact, in_scope.relation, base_side.rank AS base_rank, model_side.rank AS model_rank
    FROM in_scope
    JOIN base_side USING (fact)
    JOIN model_side USING (fact)
)
