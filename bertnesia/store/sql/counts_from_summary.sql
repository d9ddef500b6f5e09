-- counts: as from ranks, read from the summary.
counts AS (
    SELECT
        model,
        layer,
        relation,
        sum(facts) AS facts,
        sum(correct) AS correct,
        sum(reciprocal_ranks) AS reciprocal_ranks,
        sum(squared_reciprocal_ranks) AS squared_reciprocal_ranks
    FROM summed
    GROUP BY ALL
),
