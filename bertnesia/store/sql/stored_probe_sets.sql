-- Probe sets that have facts, with the hashes of the files that they were read from.
SELECT facts.probe_set, coalesce(any_value(probe_sets.files), '{}') AS files
FROM facts
LEFT JOIN probe_sets USING (probe_set)
GROUP BY facts.probe_set
ORDER BY facts.probe_set
