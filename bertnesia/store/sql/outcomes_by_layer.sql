-- What is right in base and model at each layer that both have, over the facts in scope that both were asked. A fact
-- has a rank at every layer of a run: only ranks up to k are read.
asked AS (
    SELECT fact
    FROM best
    WHERE model = $base AND kind = $base_kind AND seed = $base_seed AND variant = $base_variant
    INTERSECT
    SELECT fact
    FROM best
    WHERE model = $model AND kind = $kind AND seed = $seed AND variant = $variant
),

compared AS (
    SELECT fact, relation
    FROM in_scope
    SEMI JOIN asked USING (fact)
),

layers AS (
    SELECT layer
    FROM layer_counts
    WHERE model = $base AND kind = $base_kind AND seed = $base_seed AND variant = $base_variant
    INTERSECT
    SELECT layer
    FROM layer_counts
    WHERE model = $model AND kind = $kind AND seed = $seed AND variant = $variant
),

base_right AS (
    SELECT fact, layer
    FROM ranks
    WHERE model = $base
        AND kind = $base_kind
        AND seed = $base_seed
        AND variant = $base_variant
        AND CASE WHEN $filtered THEN filtered_rank ELSE rank END + CASE WHEN $middle THEN ties / 2 ELSE 0 END <= $k
),

model_right AS (
    SELECT fact, layer
    FROM ranks
    WHERE model = $model
        AND kind = $kind
        AND seed = $seed
        AND variant = $variant
        AND CASE WHEN $filtered THEN filtered_rank ELSE rank END + CASE WHEN $middle THEN ties / 2 ELSE 0 END <= $k
),

right_counts AS (
    SELECT
        layer,
        compared.relation,
        count(base_right.fact) AS in_base,
        count(model_right.fact) AS in_model,
        count(*) FILTER (base_right.fact IS NOT NULL AND model_right.fact IS NOT NULL) AS in_both
    FROM base_right
    FULL JOIN model_right USING (fact, layer)
    JOIN compared USING (fact)
    GROUP BY ALL
),

sizes AS (
    SELECT layers.layer, compared.relation, count(*) AS facts
    FROM compared
    CROSS JOIN layers
    GROUP BY ALL
)

SELECT
    CAST(sizes.layer AS INTEGER) AS layer,
    sizes.relation,
    relations.label,
    sizes.facts,
    coalesce(right_counts.in_base, 0) AS right_in_base,
    coalesce(right_counts.in_model, 0) AS right_in_model,
    coalesce(right_counts.in_both, 0) AS retained,
    right_in_base - retained AS forgotten,
    right_in_model - retained AS learned,
    scope.facts - sizes.facts AS left_out
FROM sizes
LEFT JOIN right_counts USING (layer, relation)
JOIN scope USING (relation)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = sizes.relation
ORDER BY sizes.layer, relations.label, sizes.relation
