SELECT id AS fact, probe_set, prompt, eligible
FROM facts
ORDER BY id
