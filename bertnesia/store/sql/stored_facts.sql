SELECT fact, probe_set, prompt, eligible
FROM facts
ORDER BY fact
