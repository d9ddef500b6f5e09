outcomes AS (
    SELECT
        model,
        relation,
        CAST(layer AS INTEGER) AS layer,
        CAST(facts AS BIGINT) AS facts,
        CAST(right_in_base AS BIGINT) AS right_in_base,
        CAST(right_in_model AS BIGINT) AS right_in_model,
        CAST(retained AS BIGINT) AS retained,
        CAST(right_in_base - retained AS BIGINT) AS forgotten,
        CAST(right_in_model - retained AS BIGINT) AS learned
    FROM outcome_counts
)

SELECT
    outcomes.*,
    relations.label,
    scope.facts - outcomes.facts AS left_out
FROM outcomes
JOIN models USING (model)
JOIN scope USING (relation)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = outcomes.relation
ORDER BY relations.label, outcomes.relation, models.position, outcomes.model, outcomes.layer
