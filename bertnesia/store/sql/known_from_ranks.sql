-- known: per model and shared fact, the layer that first has it among the first k and the one from which it stays
-- there.
model_layers AS (
    SELECT model, layer, lag(layer, 1, 0) OVER (PARTITION BY model ORDER BY layer) AS before
    FROM (SELECT DISTINCT model, layer FROM placed)
),

over_layers AS (
    SELECT
        model,
        fact,
        any_value(relation) AS relation,
        min(layer) FILTER (rank <= $k) AS first,
        coalesce(max(layer) FILTER (rank > $k), 0) AS failed
    FROM placed
    GROUP BY model, fact
),

known AS (
    SELECT over_layers.model, over_layers.fact, over_layers.relation, over_layers.first, model_layers.layer AS stays
    FROM over_layers
    LEFT JOIN model_layers
        ON model_layers.model = over_layers.model
        AND model_layers.before = over_layers.failed
),
