-- One row per relation and object: its facts, and for the layers of the models, numbered from 0 in the order of
-- `model_layers`, how many of its facts are right, or their sum of 1 / rank, where that is not 0.
columns AS (
    SELECT model, layer, row_number() OVER (ORDER BY list_position($models, model), layer) - 1 AS place
    FROM (
        SELECT DISTINCT model, layer
        FROM layer_counts
        WHERE seed = $seed AND variant = $variant AND probe_set = $probe_set AND kind = $kinds[list_position($models, model)]
    )
),

sums AS (
    SELECT model, layer, answer, CASE WHEN $measure = 'mrr' THEN sum(1 / rank) ELSE count(*) END AS value
    FROM placed
    WHERE $measure = 'mrr' OR rank <= $k
    GROUP BY ALL
),

lists AS (
    SELECT sums.answer, list(columns.place) AS places, list(sums.value) AS sums
    FROM sums
    JOIN columns USING (model, layer)
    GROUP BY sums.answer
),

sizes AS (
    SELECT relation, answer, count(*) AS facts
    FROM in_scope
    WHERE $all_facts OR fact IN (SELECT fact FROM shared)
    GROUP BY relation, answer
)

SELECT sizes.relation, sizes.answer, sizes.facts, coalesce(lists.places, []) AS places, coalesce(lists.sums, []) AS sums
FROM sizes
LEFT JOIN lists USING (answer)
ORDER BY sizes.relation, sizes.answer
