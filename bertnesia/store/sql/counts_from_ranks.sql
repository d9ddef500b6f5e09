-- counts: per model, layer and relation, over the shared facts.
counts AS (
    SELECT
        model,
        layer,
        relation,
        count(*) AS facts,
        count(*) FILTER (rank <= $k) AS correct,
        sum(1 / rank) AS reciprocal_ranks,
        sum(1 / rank ** 2) AS squared_reciprocal_ranks
    FROM placed
    GROUP BY ALL
),
