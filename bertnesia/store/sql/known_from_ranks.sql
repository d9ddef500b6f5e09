-- known: per model and shared fact, the layer that first has it among the first k and the one from which it stays
-- there. Only ranks up to k are read: a fact fails at the layers that are not among its right ones.
model_layers AS (
    SELECT model, layer, lag(layer, 1, 0) OVER (PARTITION BY model ORDER BY layer) AS before
    FROM (
        SELECT DISTINCT model, layer
        FROM layer_counts
        WHERE seed = $seed AND variant = $variant AND kind = $kinds[list_position($models, model)]
    )
),

right_layers AS (
    SELECT model, fact, list(layer) AS layers
    FROM placed
    WHERE rank <= $k
    GROUP BY model, fact
),

failures AS (
    SELECT
        right_layers.model,
        right_layers.fact,
        list_min(right_layers.layers) AS first,
        coalesce(list_max(list_filter(of_model.layers, lambda l: NOT list_contains(right_layers.layers, l))), 0) AS failed
    FROM right_layers
    JOIN (SELECT model, list(layer) AS layers FROM model_layers GROUP BY model) AS of_model USING (model)
),

known AS (
    SELECT best.model, best.fact, shared.relation, failures.first, model_layers.layer AS stays
    FROM best_of_models AS best
    JOIN shared USING (fact)
    LEFT JOIN failures USING (model, fact)
    LEFT JOIN model_layers ON model_layers.model = best.model AND model_layers.before = failures.failed
),
