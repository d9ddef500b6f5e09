-- pairs: the best ranks of base and model over all layers, over the facts that both were asked.
WITH pairs AS (
    SELECT
        best.fact,
        max(CASE WHEN $filtered THEN filtered_rank ELSE rank END) FILTER (model = $base) AS base_rank,
        max(CASE WHEN $filtered THEN filtered_rank ELSE rank END) FILTER (model = $model) AS model_rank
    FROM best
    JOIN facts USING (fact)
    WHERE facts.probe_set = $probe_set
        AND best.kind = $kind
        AND best.seed = $seed
        AND best.variant = $variant
        AND $layer IS NULL
        AND (best.model = $base OR best.model = $model)
    GROUP BY best.fact
    HAVING base_rank IS NOT NULL AND model_rank IS NOT NULL
)
