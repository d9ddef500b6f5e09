SELECT
    facts.relation,
    relations.label,
    count(*) AS facts,
    count(*) FILTER (base_rank <= $k) AS right_in_base,
    count(*) FILTER (model_rank <= $k) AS right_in_model,
    count(*) FILTER (base_rank <= $k AND model_rank <= $k) AS retained,
    count(*) FILTER (base_rank <= $k AND model_rank > $k) AS forgotten,
    count(*) FILTER (base_rank > $k AND model_rank <= $k) AS learned
FROM pairs
JOIN facts USING (fact)
JOIN relations USING (probe_set, relation)
GROUP BY ALL
ORDER BY relations.label, facts.relation
