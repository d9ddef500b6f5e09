-- One row per relation and object: its facts, and a list over (model, layer), in the order of `model_layers`, of how
-- many of them are right, or of their sum of 1 / rank.
sums AS (
    SELECT
        list_position($models, model) AS place,
        layer,
        answer,
        CASE WHEN $measure = 'mrr' THEN sum(1 / rank) ELSE count(*) FILTER (rank <= $k) END AS value
    FROM placed
    GROUP BY ALL
),

sizes AS (
    SELECT relation, answer, count(*) AS facts
    FROM in_scope
    WHERE $all_facts OR fact IN (SELECT fact FROM shared)
    GROUP BY relation, answer
),

filled AS (
    SELECT sizes.relation, sizes.answer, sizes.facts, runs.place, runs.layer, coalesce(sums.value, 0.0) AS value
    FROM sizes
    CROSS JOIN (SELECT DISTINCT place, layer FROM sums) AS runs
    LEFT JOIN sums USING (answer, place, layer)
)

SELECT relation, answer, any_value(facts) AS facts, list(value ORDER BY place, layer) AS sums
FROM filled
GROUP BY relation, answer
ORDER BY relation, answer
