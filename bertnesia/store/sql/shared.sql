-- in_scope: the facts in question; scope: how many each relation has; shared: those that all models were asked, or,
-- over all facts, any of them. Each model is asked with its own of $kinds; a model that is not asked for has none.
WITH in_scope AS (
    SELECT fact, relation, half, answer
    FROM facts
    WHERE probe_set = $probe_set AND (len($relations) = 0 OR list_contains($relations, relation))
),

scope AS (
    SELECT relation, count(*) AS facts
    FROM in_scope
    GROUP BY relation
),

asked_of_all AS (
    SELECT fact
    FROM best
    WHERE seed = $seed AND variant = $variant AND kind = $kinds[list_position($models, model)]
    GROUP BY fact
    HAVING $all_facts OR count(*) = len($models)
),

shared AS (
    SELECT *
    FROM in_scope
    SEMI JOIN asked_of_all USING (fact)
),
