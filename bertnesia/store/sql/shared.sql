-- in_scope: the facts in question; scope: how many each relation has; shared: those that all models were asked, or,
-- over all facts, any of them. Each model is asked with its own of $kinds; a model that is not asked for has none. That
-- kind and model lie between the least and the greatest asked for follows, and tells the storage what to skip. Where all
-- were asked the same facts, $deciding is one of them, else all.
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

best_of_models AS NOT MATERIALIZED (
    SELECT *
    FROM best
    WHERE seed = $seed
        AND variant = $variant
        AND kind = $kinds[list_position($models, model)]
        AND kind BETWEEN list_min($kinds) AND list_max($kinds)
        AND model BETWEEN list_min($models) AND list_max($models)
),

asked_of_all AS (
    SELECT fact
    FROM best_of_models
    WHERE list_contains($deciding, model) AND model BETWEEN list_min($deciding) AND list_max($deciding)
    GROUP BY fact
    HAVING $all_facts OR count(*) = len($deciding)
),

shared AS (
    SELECT *
    FROM in_scope
    SEMI JOIN asked_of_all USING (fact)
),
