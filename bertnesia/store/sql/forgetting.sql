SELECT
    pairs.relation,
    relations.label,
    count(*) AS facts,
    count(*) FILTER (base_rank <= $k) AS right_in_base,
    count(*) FILTER (model_rank <= $k) AS right_in_model,
    count(*) FILTER (base_rank <= $k AND model_rank <= $k) AS retained,
    count(*) FILTER (base_rank <= $k AND model_rank > $k) AS forgotten,
    count(*) FILTER (base_rank > $k AND model_rank <= $k) AS learned,
    any_value(scope.facts) - count(*) AS left_out
FROM pairs
JOIN scope USING (relation)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = pairs.relation
GROUP BY pairs.relation, relations.label
ORDER BY relations.label, pairs.relation
