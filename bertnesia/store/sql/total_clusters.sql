-- One row per relation and object: its facts, and a list with two numbers for each model, in the question's order: how many
-- of them are right at the last layer and at some layer.
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
    FROM best
    JOIN shared USING (fact)
    WHERE best.seed = $seed AND best.variant = $variant AND kind = $kinds[list_position($models, model)]
),

sums AS (
    SELECT place, answer, count(*) FILTER (last_is_right) AS last_right, count(*) FILTER (is_right) AS total_right
    FROM readings
    GROUP BY place, answer
),

sizes AS (
    SELECT relation, answer, count(*) AS facts
    FROM in_scope
    WHERE $all_facts OR fact IN (SELECT fact FROM shared)
    GROUP BY relation, answer
),

filled AS (
    SELECT
        sizes.*,
        places.place,
        [CAST(coalesce(sums.last_right, 0) AS DOUBLE), CAST(coalesce(sums.total_right, 0) AS DOUBLE)] AS pair
    FROM sizes
    CROSS JOIN (SELECT unnest(range(1, len($models) + 1)) AS place) AS places
    LEFT JOIN sums USING (answer, place)
)

SELECT relation, answer, any_value(facts) AS facts, flatten(list(pair ORDER BY place)) AS sums
FROM filled
GROUP BY relation, answer
ORDER BY relation, answer
