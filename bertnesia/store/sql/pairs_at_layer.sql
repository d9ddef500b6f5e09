-- pairs: the ranks of base and model at one layer, over the facts that both were asked.
WITH pairs AS (
    SELECT
        ranks.fact,
        max(CASE WHEN $filtered THEN filtered_rank ELSE rank END) FILTER (model = $base) AS base_rank,
        max(CASE WHEN $filtered THEN filtered_rank ELSE rank END) FILTER (model = $model) AS model_rank
    FROM ranks
    JOIN facts USING (fact)
    WHERE facts.probe_set = $probe_set
        AND ranks.kind = $kind
        AND ranks.seed = $seed
        AND ranks.variant = $variant
        AND ranks.layer = $layer
        AND (ranks.model = $base OR ranks.model = $model)
    GROUP BY ranks.fact
    HAVING base_rank IS NOT NULL AND model_rank IS NOT NULL
)
