-- probed: the facts in question; scope: how many each relation has, asked or not; in_scope: those that all of $among were
-- asked, too.
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
