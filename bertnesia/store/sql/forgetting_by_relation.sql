-- Over all layers, per model and relation.
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
    FROM joined
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
