SELECT
    probe_set,
    count(DISTINCT relation) AS relations,
    count(*) AS facts,
    count(*) FILTER (eligible) AS eligible
FROM facts
GROUP BY probe_set
ORDER BY probe_set
