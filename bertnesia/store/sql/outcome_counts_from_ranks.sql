-- outcome_counts: per model, layer and relation, what is right in the base and in the model, over the shared facts.
outcome_counts AS (
    SELECT
        placed.model,
        placed.layer,
        placed.relation,
        count(*) AS facts,
        count(*) FILTER (base_side.rank <= $k) AS right_in_base,
        count(*) FILTER (placed.rank <= $k) AS right_in_model,
        count(*) FILTER (base_side.rank <= $k AND placed.rank <= $k) AS retained
    FROM placed
    JOIN placed AS base_side
        ON base_side.model = $base
        AND base_side.fact = placed.fact
        AND base_side.layer = placed.layer
    WHERE placed.model <> $base
    GROUP BY ALL
),
