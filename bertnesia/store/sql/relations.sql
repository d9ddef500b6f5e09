-- Relations with their number of facts, of facts eligible for the base's tokenizer, and of distinct objects.
SELECT
    relations.probe_set,
    relations.relation,
    relations.label,
    relations.description,
    relations.template,
    relations.type,
    relations.source,
    count(facts.fact) AS facts,
    count(facts.fact) FILTER (facts.eligible) AS eligible,
    count(DISTINCT lower(facts.object)) FILTER (facts.eligible) AS objects
FROM relations
LEFT JOIN facts USING (probe_set, relation)
WHERE $probe_set IS NULL OR relations.probe_set = $probe_set
GROUP BY ALL
ORDER BY relations.probe_set, relations.label, relations.relation
