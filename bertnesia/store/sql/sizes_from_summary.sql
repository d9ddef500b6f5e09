-- sizes: per model, layer, relation and half of the facts, how many there are and the sum of 1 / rank; only right where all
-- chosen models were asked the same facts. By middle ranks, only the few ranks that tie are read to correct the sums.
ties AS (
    SELECT
        ranks.model,
        ranks.layer,
        shared.relation,
        shared.half,
        CASE WHEN $filtered THEN ranks.filtered_rank ELSE ranks.rank END AS best_place,
        best_place + ranks.ties / 2 AS middle_place
    FROM ranks
    JOIN shared USING (fact)
    WHERE $middle
        AND ranks.ties > 0
        AND ranks.seed = $seed
        AND ranks.variant = $variant
        AND ranks.kind = $kinds[list_position($models, ranks.model)]
        AND ranks.kind BETWEEN list_min($kinds) AND list_max($kinds)
        AND ranks.model BETWEEN list_min($models) AND list_max($models)
),

corrections AS (
    SELECT
        model,
        layer,
        relation,
        half,
        sum(1 / middle_place - 1 / best_place) AS reciprocal_ranks,
        sum(1 / middle_place ** 2 - 1 / best_place ** 2) AS squared_reciprocal_ranks
    FROM ties
    GROUP BY ALL
),

summed AS (
    SELECT
        model,
        layer,
        relation,
        half,
        facts,
        CASE WHEN $filtered THEN filtered_reciprocal_ranks ELSE reciprocal_ranks END AS reciprocal_ranks,
        CASE
            WHEN $filtered THEN filtered_squared_reciprocal_ranks
            ELSE squared_reciprocal_ranks
        END AS squared_reciprocal_ranks
    FROM layer_counts
    WHERE seed = $seed
        AND variant = $variant
        AND kind = $kinds[list_position($models, model)]
        AND probe_set = $probe_set
        AND (len($relations) = 0 OR list_contains($relations, relation))
),

sizes AS (
    SELECT
        model,
        layer,
        relation,
        half,
        summed.facts,
        summed.reciprocal_ranks + coalesce(corrections.reciprocal_ranks, 0) AS reciprocal_ranks,
        summed.squared_reciprocal_ranks + coalesce(corrections.squared_reciprocal_ranks, 0) AS squared_reciprocal_ranks
    FROM summed
    LEFT JOIN corrections USING (model, layer, relation, half)
),
