-- counted: the counts, or, over all facts, the counts with every fact that could not be asked as a wrong one.
counted AS (
    SELECT model, layer, relation, facts, correct, reciprocal_ranks, squared_reciprocal_ranks
    FROM counts
    WHERE NOT $all_facts
    UNION ALL BY NAME
    SELECT
        runs.model,
        runs.layer,
        scope.relation,
        scope.facts,
        coalesce(counts.correct, 0) AS correct,
        coalesce(counts.reciprocal_ranks, 0) AS reciprocal_ranks,
        coalesce(counts.squared_reciprocal_ranks, 0) AS squared_reciprocal_ranks
    FROM (SELECT DISTINCT model, layer FROM counts) AS runs
    CROSS JOIN scope
    LEFT JOIN counts USING (model, layer, relation)
    WHERE $all_facts
)
