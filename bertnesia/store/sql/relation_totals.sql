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

readings AS (
    SELECT
        model,
        fact,
        seed = $seed AND variant = $variant AND kind = $kinds[list_position($models, model)] AS is_plain,
        variant = $variant AND kind = $kinds[list_position($models, model)] AS is_seed,
        seed = $seed AND variant = 'subject_masked' AND kind = $kinds[list_position($models, model)] AS is_masked,
        seed = $seed AND variant = $variant AND kind = 'control' AS is_control,
        CASE
            WHEN $filtered AND $middle THEN filtered_middle_rank
            WHEN $filtered THEN filtered_rank
            WHEN $middle THEN middle_rank
            ELSE rank
        END <= $k AS is_right,
        CASE WHEN $filtered THEN last_filtered_rank ELSE last_rank END
        + CASE WHEN $middle THEN last_ties / 2 ELSE 0 END <= $k AS last_is_right
    FROM best
    WHERE list_contains($models, model) AND (is_seed OR is_masked OR is_control)
),

per_fact AS (
    SELECT
        model,
        fact,
        bool_or(is_right) FILTER (is_plain) AS total_right,
        bool_or(last_is_right) FILTER (is_plain) AS last_right,
        bool_or(last_is_right) FILTER (is_seed) AS seeds_right,
        count(last_is_right) FILTER (is_seed) AS seeds,
        bool_or(is_right) FILTER (is_masked) AS masked_right,
        bool_or(is_right) FILTER (is_control) AS control_right
    FROM readings
    GROUP BY model, fact
),

counts AS (
    SELECT
        per_fact.model,
        shared.relation,
        count(*) AS facts,
        count(last_right) AS last_facts,
        count(*) FILTER (last_right) AS last_correct,
        count(*) FILTER (total_right) AS total_correct,
        count(*) FILTER (per_fact.seeds = runs.seeds) AS seeds_facts,
        count(*) FILTER (per_fact.seeds = runs.seeds AND seeds_right) AS seeds_correct,
        count(masked_right) FILTER (masked_layers = layers) AS masked_facts,
        count(*) FILTER (masked_right AND masked_layers = layers) AS masked_correct,
        count(control_right) FILTER (control_layers = layers) AS control_facts,
        count(*) FILTER (control_right AND control_layers = layers) AS control_correct
    FROM per_fact
    JOIN shared USING (fact)
    JOIN runs USING (model)
    WHERE total_right IS NOT NULL
    GROUP BY per_fact.model, shared.relation
)

SELECT
    runs.model,
    models.layers,
    scope.relation,
    relations.label,
    CASE WHEN $all_facts THEN scope.facts ELSE counts.facts END AS facts,
    scope.facts - CASE WHEN $all_facts THEN scope.facts ELSE counts.facts END AS left_out,
    CASE WHEN $all_facts AND last_facts > 0 THEN scope.facts ELSE coalesce(last_facts, 0) END AS last_facts,
    coalesce(last_correct, 0) AS last_correct,
    CASE WHEN $all_facts AND seeds_facts > 0 THEN scope.facts ELSE coalesce(seeds_facts, 0) END AS seeds_facts,
    coalesce(seeds_correct, 0) AS seeds_correct,
    CASE WHEN $all_facts AND masked_facts > 0 THEN scope.facts ELSE coalesce(masked_facts, 0) END AS masked_facts,
    coalesce(masked_correct, 0) AS masked_correct,
    CASE WHEN $all_facts AND control_facts > 0 THEN scope.facts ELSE coalesce(control_facts, 0) END AS control_facts,
    coalesce(control_correct, 0) AS control_correct,
    coalesce(total_correct, 0) AS total_correct,
    runs.seeds
FROM runs
CROSS JOIN scope
LEFT JOIN counts USING (model, relation)
JOIN models USING (model)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = scope.relation
WHERE counts.facts > 0 OR $all_facts
ORDER BY models.position, runs.model, relations.label, scope.relation
