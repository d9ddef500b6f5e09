-- known: per model and shared fact, the layer that first has it among the first k and the one from which it stays
-- there.
known AS (
    SELECT
        best_of_models.model,
        best_of_models.fact,
        shared.relation,
        CASE WHEN $k = 1 THEN first_1 WHEN $k = 10 THEN first_10 WHEN $k = 100 THEN first_100 END AS first,
        CASE WHEN $k = 1 THEN stays_1 WHEN $k = 10 THEN stays_10 WHEN $k = 100 THEN stays_100 END AS stays
    FROM best_of_models
    JOIN shared USING (fact)
),
