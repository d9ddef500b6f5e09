SELECT
    facts.id AS fact,
    facts.probe_set,
    facts.relation,
    relations.label,
    relations.template,
    relations.type,
    facts.subject,
    facts.object,
    facts.prompt,
    facts.eligible,
    facts.reason
FROM facts
JOIN relations USING (probe_set, relation)
WHERE facts.id = $fact
