-- Per model and relation: right at the last layer, at some layer (total), and the unions that need no deeper layers:
-- over the last layer's decoder seeds, over the subject-masked prompts, over decoders trained on a random encoder
-- (control).
runs AS (
    SELECT
        model,
        count(DISTINCT seed) FILTER (variant = $variant AND kind = $kinds[list_position($models, model)]) AS seeds,
        max(layers) FILTER (seed = $seed AND variant = $variant AND kind = $kinds[list_position($models, model)]) AS layers,
        max(layers) FILTER (seed = $seed AND variant = 'subject_masked' AND kind = $kinds[list_position($models, model)]) AS masked_layers,
        max(layers) FILTER (seed = $seed AND variant = $variant AND kind = 'control') AS control_layers
    FROM asked
    WHERE probe_set = $probe_set AND list_contains($models, model)
    GROUP BY model
    HAVING layers IS NOT NULL
),

plain AS (
    SELECT
        best.model,
        shared.relation,
        CASE
            WHEN $filtered AND $middle THEN best.filtered_middle_rank
            WHEN $filtered THEN best.filtered_rank
            WHEN $middle THEN best.middle_rank
            ELSE best.rank
        END <= $k AS is_right,
        CASE WHEN $filtered THEN best.last_filtered_rank ELSE best.last_rank END
        + CASE WHEN $middle THEN best.last_ties / 2 ELSE 0 END <= $k AS last_is_right
    FROM best_of_models AS best
    JOIN shared USING (fact)
),

counts AS (
    SELECT
        model,
        relation,
        count(*) AS facts,
        count(last_is_right) AS last_facts,
        count(*) FILTER (last_is_right) AS last_correct,
        count(*) FILTER (is_right) AS total_correct
    FROM plain
    GROUP BY model, relation
),

unions AS (
    SELECT
        best.model,
        best.fact,
        runs.seeds > 1 AND variant = $variant AND kind = $kinds[list_position($models, best.model)] AS is_seed,
        masked_layers = layers AND seed = $seed AND variant = 'subject_masked'
        AND kind = $kinds[list_position($models, best.model)] AS is_masked,
        control_layers = layers AND seed = $seed AND variant = $variant AND kind = 'control' AS is_control,
        CASE
            WHEN $filtered AND $middle THEN filtered_middle_rank
            WHEN $filtered THEN filtered_rank
            WHEN $middle THEN middle_rank
            ELSE rank
        END <= $k AS is_right,
        CASE WHEN $filtered THEN last_filtered_rank ELSE last_rank END
        + CASE WHEN $middle THEN last_ties / 2 ELSE 0 END <= $k AS last_is_right
    FROM best
    JOIN runs USING (model)
    WHERE is_seed OR is_masked OR is_control
),

united AS (
    SELECT
        model,
        fact,
        bool_or(last_is_right) FILTER (is_seed) AS seeds_right,
        count(last_is_right) FILTER (is_seed) AS seeds,
        bool_or(is_right) FILTER (is_masked) AS masked_right,
        bool_or(is_right) FILTER (is_control) AS control_right
    FROM unions
    GROUP BY model, fact
),

union_counts AS (
    SELECT
        united.model,
        shared.relation,
        count(*) FILTER (united.seeds = runs.seeds) AS seeds_facts,
        count(*) FILTER (united.seeds = runs.seeds AND seeds_right) AS seeds_correct,
        count(masked_right) AS masked_facts,
        count(*) FILTER (masked_right) AS masked_correct,
        count(control_right) AS control_facts,
        count(*) FILTER (control_right) AS control_correct
    FROM united
    JOIN shared USING (fact)
    JOIN runs USING (model)
    GROUP BY united.model, shared.relation
)

SELECT
    runs.model,
    models.layers,
    scope.relation,
    relations.label,
    CASE WHEN $all_facts THEN scope.facts ELSE counts.facts END AS facts,
    scope.facts - CASE WHEN $all_facts THEN scope.facts ELSE counts.facts END AS left_out,
    CASE WHEN $all_facts AND max(last_facts) OVER own > 0 THEN scope.facts ELSE coalesce(last_facts, 0) END AS last_facts,
    coalesce(last_correct, 0) AS last_correct,
    CASE WHEN $all_facts AND max(seeds_facts) OVER own > 0 THEN scope.facts ELSE coalesce(seeds_facts, 0) END AS seeds_facts,
    coalesce(seeds_correct, 0) AS seeds_correct,
    CASE WHEN $all_facts AND max(masked_facts) OVER own > 0 THEN scope.facts ELSE coalesce(masked_facts, 0) END AS masked_facts,
    coalesce(masked_correct, 0) AS masked_correct,
    CASE WHEN $all_facts AND max(control_facts) OVER own > 0 THEN scope.facts ELSE coalesce(control_facts, 0) END AS control_facts,
    coalesce(control_correct, 0) AS control_correct,
    coalesce(total_correct, 0) AS total_correct,
    runs.seeds
FROM runs
CROSS JOIN scope
LEFT JOIN counts USING (model, relation)
LEFT JOIN union_counts USING (model, relation)
JOIN models USING (model)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = scope.relation
WHERE counts.facts > 0 OR $all_facts
WINDOW own AS (PARTITION BY runs.model)  -- what was measured in some relation counts as wrong where nothing is eligible
ORDER BY models.position, runs.model, relations.label, scope.relation
