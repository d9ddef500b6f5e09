-- counts: per model, layer and relation, over the facts that every chosen model was asked.
WITH asked_of_all AS (
    SELECT fact
    FROM best
    WHERE kind = $kind AND seed = $seed AND variant = $variant AND list_contains($models, model)
    GROUP BY fact
    HAVING count(*) = len($models)
),

shared AS (
    SELECT facts.fact, facts.relation
    FROM facts
    SEMI JOIN asked_of_all USING (fact)
    WHERE facts.probe_set = $probe_set
        AND (len($relations) = 0 OR list_contains($relations, facts.relation))
),

chosen AS (
    SELECT
        ranks.model,
        ranks.layer,
        shared.relation,
        CASE WHEN $filtered THEN ranks.filtered_rank ELSE ranks.rank END AS rank
    FROM ranks
    JOIN shared USING (fact)
    WHERE ranks.kind = $kind
        AND ranks.seed = $seed
        AND ranks.variant = $variant
        AND ranks.model IN (SELECT unnest($models))
),

counts AS (
    SELECT
        model,
        layer,
        relation,
        count(*) AS facts,
        count(*) FILTER (rank <= $k) AS correct,
        sum(1 / rank) AS reciprocal_ranks,
        sum(1 / rank ** 2) AS squared_reciprocal_ranks
    FROM chosen
    GROUP BY ALL
)
