-- outcome_counts: per model, layer and relation, of the facts in `sizes` those right in the base, in the model, in both.
right_facts AS (
    SELECT model, layer, relation, fact
    FROM placed
    WHERE rank <= $k
),

right_counts AS (
    SELECT
        right_facts.model,
        right_facts.layer,
        right_facts.relation,
        count(*) AS correct,
        count(base_side.fact) AS with_base
    FROM right_facts
    LEFT JOIN right_facts AS base_side
        ON base_side.model = $base
        AND base_side.fact = right_facts.fact
        AND base_side.layer = right_facts.layer
    GROUP BY ALL
),

counts AS (
    SELECT
        sizes.model,
        sizes.layer,
        sizes.relation,
        sum(sizes.facts) AS facts,
        coalesce(any_value(right_counts.correct), 0) AS correct,
        coalesce(any_value(right_counts.with_base), 0) AS with_base
    FROM sizes
    LEFT JOIN right_counts USING (model, layer, relation)
    GROUP BY sizes.model, sizes.layer, sizes.relation
),

outcome_counts AS (
    SELECT
        counts.model,
        counts.layer,
        counts.relation,
        counts.facts,
        base_side.correct AS right_in_base,
        counts.correct AS right_in_model,
        counts.with_base AS retained
    FROM counts
    JOIN counts AS base_side
        ON base_side.model = $base
        AND base_side.layer = counts.layer
        AND base_side.relation = counts.relation
    WHERE counts.model <> $base
),
