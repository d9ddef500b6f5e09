-- summed: what the summary holds of each layer, relation and half of the facts, where all chosen models were asked the
-- same facts: how many are right, here and at the last layer, and here and in the base, and sums of 1 / rank.
summed AS (
    SELECT
        model,
        layer,
        relation,
        half,
        sum(facts) AS facts,
        sum(
            CASE
                WHEN $filtered AND $k = 1 THEN filtered_right_1
                WHEN $filtered AND $k = 10 THEN filtered_right_10
                WHEN $filtered AND $k = 100 THEN filtered_right_100
                WHEN $k = 1 THEN right_1
                WHEN $k = 10 THEN right_10
                WHEN $k = 100 THEN right_100
            END
        ) AS correct,
        sum(
            CASE
                WHEN $filtered AND $k = 1 THEN filtered_with_last_1
                WHEN $filtered AND $k = 10 THEN filtered_with_last_10
                WHEN $filtered AND $k = 100 THEN filtered_with_last_100
                WHEN $k = 1 THEN with_last_1
                WHEN $k = 10 THEN with_last_10
                WHEN $k = 100 THEN with_last_100
            END
        ) AS with_last,
        sum(
            CASE
                WHEN $filtered AND $k = 1 THEN filtered_with_base_1
                WHEN $filtered AND $k = 10 THEN filtered_with_base_10
                WHEN $filtered AND $k = 100 THEN filtered_with_base_100
                WHEN $k = 1 THEN with_base_1
                WHEN $k = 10 THEN with_base_10
                WHEN $k = 100 THEN with_base_100
            END
        ) AS with_base,
        sum(CASE WHEN $filtered THEN filtered_reciprocal_ranks ELSE reciprocal_ranks END) AS reciprocal_ranks,
        sum(
            CASE WHEN $filtered THEN filtered_squared_reciprocal_ranks ELSE squared_reciprocal_ranks END
        ) AS squared_reciprocal_ranks
    FROM layer_counts
    WHERE seed = $seed
        AND variant = $variant
        AND kind = $kinds[list_position($models, model)]
        AND probe_set = $probe_set
        AND (len($relations) = 0 OR list_contains($relations, relation))
    GROUP BY ALL
),
