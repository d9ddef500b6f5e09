-- One fact with its relation and prompt, and how its answer stands in the base's vocabulary.
SELECT
    facts.fact,
    facts.probe_set,
    facts.relation,
    relations.label,
    facts.subject,
    facts.object,
    facts.prompt,
    facts.eligible,
    facts.reason
FROM facts
JOIN relations USING (probe_set, relation)
WHERE facts.fact = $fact
