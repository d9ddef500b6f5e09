-- outcome_counts: as from ranks, read from the summary; only right where all chosen models were asked the same facts.
layered AS (
    SELECT
        model,
        layer,
        relation,
        sum(facts) AS facts,
        sum(
            CASE
                WHEN $filtered AND $k = 1 THEN filtered_right_1
                WHEN $filtered AND $k = 10 THEN filtered_right_10
                WHEN $filtered AND $k = 100 THEN filtered_right_100
                WHEN $k = 1 THEN right_1
                WHEN $k = 10 THEN right_10
                WHEN $k = 100 THEN right_100
            END
        ) AS correct,
        sum(
            CASE
                WHEN $filtered AND $k = 1 THEN filtered_with_base_1
                WHEN $filtered AND $k = 10 THEN filtered_with_base_10
                WHEN $filtered AND $k = 100 THEN filtered_with_base_100
                WHEN $k = 1 THEN with_base_1
                WHEN $k = 10 THEN with_base_10
                WHEN $k = 100 THEN with_base_100
            END
        ) AS with_base
    FROM layer_counts
    WHERE seed = $seed
        AND variant = $variant
        AND kind = $kinds[list_position($models, model)]
        AND probe_set = $probe_set
        AND (len($relations) = 0 OR list_contains($relations, relation))
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
