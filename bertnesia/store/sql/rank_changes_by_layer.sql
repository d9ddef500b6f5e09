-- By how many places the right answer rose (above 0) or fell: 1 for 1 to 9, 2 for 10 to 99, 3 for 100 or more.
, changes AS (
    SELECT layer, CASE
            WHEN base_rank - model_rank >= 100 THEN 3
            WHEN base_rank - model_rank >= 10 THEN 2
            WHEN base_rank - model_rank >= 1 THEN 1
            WHEN base_rank - model_rank > -1 THEN 0
            WHEN base_rank - model_rank > -10 THEN -1
            WHEN base_rank - model_rank > -100 THEN -2
            ELSE -3
        END AS change
    FROM pairs
),

counted AS (
    SELECT layer, change, count(*) AS facts
    FROM changes
    GROUP BY layer, change
)

SELECT
    CAST(layers.layer AS INTEGER) AS layer,
    bins.change,
    coalesce(counted.facts, 0) AS facts,
    CAST(sum(counted.facts) OVER (PARTITION BY layers.layer) AS BIGINT) AS of
FROM (SELECT DISTINCT layer FROM counted) AS layers
CROSS JOIN (SELECT unnest([-3, -2, -1, 0, 1, 2, 3]) AS change) AS bins
LEFT JOIN counted USING (layer, change)
ORDER BY layers.layer, bins.change
