-- At the last layer and over all layers; of what the last layer forgot, lost: no layer of the model has it any more.
outcomes AS (
    SELECT
        model,
        'last' AS at,
        count(*) AS facts,
        count(*) FILTER (base_last <= $k) AS right_in_base,
        count(*) FILTER (model_last <= $k) AS right_in_model,
        count(*) FILTER (base_last <= $k AND model_last <= $k) AS retained,
        count(*) FILTER (base_last <= $k AND model_last > $k) AS forgotten,
        count(*) FILTER (base_last > $k AND model_last <= $k) AS learned,
        count(*) FILTER (base_last <= $k AND model_last > $k AND model_rank > $k) AS lost,
        count(*) FILTER (base_last <= $k AND model_last > $k AND model_rank <= $k) AS buried,
        count(*) FILTER (base_last <= $k AND model_last > $k AND model_rank > 10) AS lost_10,
        count(*) FILTER (base_last <= $k AND model_last > $k AND model_rank <= 10) AS buried_10
    FROM joined
    WHERE base_last IS NOT NULL AND model_last IS NOT NULL
    GROUP BY model
    UNION ALL BY NAME
    SELECT
        model,
        'total' AS at,
        count(*) AS facts,
        count(*) FILTER (base_rank <= $k) AS right_in_base,
        count(*) FILTER (model_rank <= $k) AS right_in_model,
        count(*) FILTER (base_rank <= $k AND model_rank <= $k) AS retained,
        count(*) FILTER (base_rank <= $k AND model_rank > $k) AS forgotten,
        count(*) FILTER (base_rank > $k AND model_rank <= $k) AS learned
    FROM joined
    GROUP BY model
)

SELECT
    outcomes.*,
    CAST((SELECT sum(facts) FROM scope) AS BIGINT) - outcomes.facts AS left_out
FROM outcomes
JOIN models USING (model)
ORDER BY outcomes.at, models.position, outcomes.model
