, asked_of_some AS (
    SELECT fact
    FROM base_side
    SEMI JOIN probed USING (fact)
    UNION
    SELECT fact
    FROM model_side
    SEMI JOIN probed USING (fact)
),

sizes AS (
    SELECT
        (SELECT count(*) FROM probed) AS all_facts,
        (SELECT count(*) FROM pairs) AS facts,
        (SELECT count(*) FROM asked_of_some) AS asked_facts
)

SELECT all_facts, facts, all_facts - facts AS left_out, asked_facts - facts AS eligible_in_some
FROM sizes
