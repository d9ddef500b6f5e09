-- What a second decoder seed changes per relation, at each layer and over all.
SELECT
    $model AS model,
    CASE WHEN layer IS NULL THEN 'total' ELSE 'layer' END AS at,
    CAST(layer AS INTEGER) AS layer,
    relation,
    count(*) AS facts,
    count(*) FILTER (base_rank <= $k) AS right_in_base,
    count(*) FILTER (model_rank <= $k) AS right_in_model,
    count(*) FILTER (base_rank <= $k AND model_rank <= $k) AS retained,
    count(*) FILTER (base_rank <= $k AND model_rank > $k) AS forgotten,
    count(*) FILTER (base_rank > $k AND model_rank <= $k) AS learned,
    layer = (SELECT layers FROM models WHERE models.model = $model) AS is_last
FROM pairs
JOIN shared USING (fact)
GROUP BY layer, relation
ORDER BY layer NULLS LAST, relation
