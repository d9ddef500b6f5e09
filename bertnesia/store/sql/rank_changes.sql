-- By how many places the right answer rose (above 0) or fell: 1 for 1 to 9, 2 for 10 to 99, 3 for 100 or more.
, changes AS (
    SELECT CASE
            WHEN base_rank - model_rank >= 100 THEN 3
            WHEN base_rank - model_rank >= 10 THEN 2
            WHEN base_rank - model_rank >= 1 THEN 1
            WHEN base_rank - model_rank > -1 THEN 0
            WHEN base_rank - model_rank > -10 THEN -1
            WHEN base_rank - model_rank > -100 THEN -2
            ELSE -3
        END AS change
    FROM pairs
)

SELECT bins.change, count(changes.change) AS facts, (SELECT count(*) FROM pairs) AS of
FROM (SELECT unnest([-3, -2, -1, 0, 1, 2, 3]) AS change) AS bins
LEFT JOIN changes USING (change)
GROUP BY bins.change
ORDER BY bins.change
