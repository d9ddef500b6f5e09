outcomes AS (
    SELECT
        model,
        CAST(layer AS INTEGER) AS layer,
        CAST(sum(facts) AS BIGINT) AS facts,
        CAST(sum(right_in_base) AS BIGINT) AS right_in_base,
        CAST(sum(right_in_model) AS BIGINT) AS right_in_model,
        CAST(sum(retained) AS BIGINT) AS retained,
        CAST(sum(right_in_base - retained) AS BIGINT) AS forgotten,
        CAST(sum(right_in_model - retained) AS BIGINT) AS learned,
        count(*) AS relations
    FROM outcome_counts
    GROUP BY model, layer
)

SELECT
    outcomes.*,
    CAST((SELECT sum(facts) FROM scope) AS BIGINT) - outcomes.facts AS left_out
FROM outcomes
JOIN models USING (model)
ORDER BY models.position, outcomes.model, outcomes.layer
