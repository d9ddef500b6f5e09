SELECT
    probe_set,
    reason,
    count(*) AS facts
FROM facts
WHERE NOT eligible
GROUP BY probe_set, reason
ORDER BY probe_set, facts DESC, reason
