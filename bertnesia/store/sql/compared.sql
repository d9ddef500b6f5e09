asked_of_some AS (
    SELECT DISTINCT fact
    FROM best_of_models
    SEMI JOIN in_scope USING (fact)
),

sizes AS (
    SELECT
        (SELECT count(*) FROM in_scope) AS all_facts,
        (SELECT count(*) FROM shared) AS facts,
        (SELECT count(*) FROM asked_of_some) AS asked_facts
)

SELECT all_facts, facts, all_facts - facts AS left_out, asked_facts - facts AS eligible_in_some
FROM sizes
