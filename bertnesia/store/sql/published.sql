SELECT * REPLACE (coalesce(value, right_facts / facts) AS value)
FROM published
WHERE ($figure IS NULL OR figure = $figure) AND ($probe_set IS NULL OR probe_set = $probe_set)
ORDER BY figure, model, probe_set, source
