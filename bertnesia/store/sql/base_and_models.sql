-- joined: per model and shared fact, its ranks and the base's, best and at the last layer.
ranked AS (
    SELECT
        model,
        fact,
        CASE
            WHEN $filtered AND $middle THEN filtered_middle_rank
            WHEN $filtered THEN filtered_rank
            WHEN $middle THEN middle_rank
            ELSE rank
        END AS rank,
        CASE WHEN $filtered THEN last_filtered_rank ELSE last_rank END
        + CASE WHEN $middle THEN last_ties / 2 ELSE 0 END AS last_rank
    FROM best_of_models
),

joined AS (
    SELECT
        ranked.model,
        shared.relation,
        base_side.rank AS base_rank,
        base_side.last_rank AS base_last,
        ranked.rank AS model_rank,
        ranked.last_rank AS model_last
    FROM ranked
    JOIN shared USING (fact)
    JOIN ranked AS base_side ON base_side.fact = ranked.fact AND base_side.model = $base
    WHERE ranked.model <> $base
),
