-- pairs: the ranks of base and model at each layer, over the facts that both were asked, and $among, too; scope: how many facts each
-- relation has, asked or not.
WITH probed AS (
    SELECT fact, relation, answer
    FROM facts
    WHERE probe_set = $probe_set AND (len($relations) = 0 OR list_contains($relations, relation))
),

scope AS (
    SELECT relation, count(*) AS facts
    FROM probed
    GROUP BY relation
),

asked_of_others AS (
    SELECT fact
    FROM best
    WHERE seed = $seed
        AND variant = $variant
        AND kind = $among_kinds[list_position($among, model)]
        AND kind BETWEEN list_min($among_kinds) AND list_max($among_kinds)
        AND model BETWEEN list_min($among) AND list_max($among)
    GROUP BY fact
    HAVING count(*) = len($among)
),

in_scope AS (
    SELECT *
    FROM probed
    WHERE len($among) = 0 OR fact IN (SELECT fact FROM asked_of_others)
),

base_side AS (
    SELECT
        fact,
        layer,
        CASE WHEN $filtered THEN filtered_rank ELSE rank END + CASE WHEN $middle THEN ties / 2 ELSE 0 END AS rank
    FROM ranks
    WHERE model = $base AND kind = $base_kind AND seed = $base_seed AND variant = $base_variant
),

model_side AS (
    SELECT
        fact,
        layer,
        CASE WHEN $filtered THEN filtered_rank ELSE rank END + CASE WHEN $middle THEN ties / 2 ELSE 0 END AS rank
    FROM ranks
    WHERE model = $model AND kind = $kind AND seed = $seed AND variant = $variant
),

pairs AS (
    SELECT base_side.layer, in_scope.fact, in_scope.relation, base_side.rank AS base_rank, model_side.rank AS model_rank
    FROM in_scope
    JOIN base_side USING (fact)
    JOIN model_side USING (fact, layer)
)
