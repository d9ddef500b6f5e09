-- How many facts are first known at a layer, and how many stay known from it on; no layer: never.
tallies AS (
    SELECT model, first AS layer, count(*) AS first, 0 AS stays
    FROM known
    GROUP BY model, layer
    UNION ALL BY NAME
    SELECT model, stays AS layer, 0 AS first, count(*) AS stays
    FROM known
    GROUP BY model, layer
)

SELECT
    tallies.model,
    CAST(tallies.layer AS INTEGER) AS layer,
    CAST(sum(tallies.first) AS BIGINT) AS first,
    CAST(sum(tallies.stays) AS BIGINT) AS stays,
    any_value(sizes.facts) AS facts,
    CAST((SELECT sum(facts) FROM scope) AS BIGINT) - any_value(sizes.facts) AS left_out
FROM tallies
JOIN (SELECT model, count(*) AS facts FROM known GROUP BY model) AS sizes USING (model)
JOIN models USING (model)
GROUP BY tallies.model, tallies.layer, models.position
ORDER BY models.position, tallies.model, tallies.layer NULLS LAST
