-- sizes: per model, layer, relation and half of the shared facts, how many there are and the sum of 1 / rank.
sizes AS (
    SELECT
        model,
        layer,
        relation,
        half,
        count(*) AS facts,
        sum(1 / rank) AS reciprocal_ranks,
        sum(1 / rank ** 2) AS squared_reciprocal_ranks
    FROM placed
    GROUP BY ALL
),
