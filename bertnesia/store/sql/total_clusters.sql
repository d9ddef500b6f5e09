-- One row per relation and object: its facts, and how many of them are right at the last layer (place 2n) and at some
-- layer (2n + 1) of the question's model n, counted from 0, where that is not 0.
readings AS (
    SELECT
        list_position($models, best.model) AS place,
        shared.answer,
        CASE
            WHEN $filtered AND $middle THEN best.filtered_middle_rank
            WHEN $filtered THEN best.filtered_rank
            WHEN $middle THEN best.middle_rank
            ELSE best.rank
        END <= $k AS is_right,
        CASE WHEN $filtered THEN best.last_filtered_rank ELSE best.last_rank END
        + CASE WHEN $middle THEN best.last_ties / 2 ELSE 0 END <= $k AS last_is_right
    FROM best_of_models AS best
    JOIN shared USING (fact)
),

sums AS (
    SELECT 2 * (place - 1) AS place, answer, count(*) AS value
    FROM readings
    WHERE last_is_right
    GROUP BY ALL
    UNION ALL BY NAME
    SELECT 2 * (place - 1) + 1 AS place, answer, count(*) AS value
    FROM readings
    WHERE is_right
    GROUP BY ALL
),

lists AS (
    SELECT answer, list(place) AS places, list(CAST(value AS DOUBLE)) AS sums
    FROM sums
    GROUP BY answer
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
