-- Of what the last layer forgot, lost: no layer of the model has it any more; at rank $k and at rank 10.
forgotten AS (
    SELECT relation, base_last <= $k AND model_last > $k AS forgotten, model_rank
    FROM joined
    WHERE base_last IS NOT NULL AND model_last IS NOT NULL
)

SELECT
    forgotten.relation,
    relations.label,
    count(*) AS facts,
    count(*) FILTER (forgotten) AS forgotten,
    count(*) FILTER (forgotten AND model_rank > $k) AS lost,
    count(*) FILTER (forgotten AND model_rank <= $k) AS buried,
    count(*) FILTER (forgotten AND model_rank > 10) AS lost_10,
    count(*) FILTER (forgotten AND model_rank <= 10) AS buried_10,
    any_value(scope.facts) - count(*) AS left_out
FROM forgotten
JOIN scope USING (relation)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = forgotten.relation
GROUP BY forgotten.relation, relations.label
ORDER BY relations.label, forgotten.relation
