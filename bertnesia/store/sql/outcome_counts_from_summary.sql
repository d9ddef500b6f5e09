-- outcome_counts: as from ranks, read from the summary.
layered AS (
    SELECT model, layer, relation, sum(facts) AS facts, sum(correct) AS correct, sum(with_base) AS with_base
    FROM summed
    GROUP BY ALL
),

outcome_counts AS (
    SELECT
        layered.model,
        layered.layer,
        layered.relation,
        layered.facts,
        base_side.correct AS right_in_base,
        layered.correct AS right_in_model,
        layered.with_base AS retained
    FROM layered
    JOIN layered AS base_side
        ON base_side.model = $base
        AND base_side.layer = layered.layer
        AND base_side.relation = layered.relation
    WHERE layered.model <> $base
),
