-- Per model and relation, over all layers, or with $at_last each at its own last one.
placed AS (
    SELECT
        model,
        relation,
        CASE WHEN $at_last THEN base_last ELSE base_rank END AS base_rank,
        CASE WHEN $at_last THEN model_last ELSE model_rank END AS model_rank
    FROM joined
),

outcomes AS (
    SELECT
        model,
        relation,
        count(*) AS facts,
        count(*) FILTER (base_rank <= $k) AS right_in_base,
        count(*) FILTER (model_rank <= $k) AS right_in_model,
        count(*) FILTER (base_rank <= $k AND model_rank <= $k) AS retained,
        count(*) FILTER (base_rank <= $k AND model_rank > $k) AS forgotten,
        count(*) FILTER (base_rank > $k AND model_rank <= $k) AS learned
    FROM placed
    WHERE base_rank IS NOT NULL AND model_rank IS NOT NULL
    GROUP BY model, relation
)

SELECT
    outcomes.*,
    relations.label,
    scope.facts - outcomes.facts AS left_out
FROM outcomes
JOIN models USING (model)
JOIN scope USING (relation)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = outcomes.relation
ORDER BY relations.label, outcomes.relation, models.position, outcomes.model
