-- The facts of all probe sets, as far as a training text must not tell them.
SELECT probe_set, relation, subject, object
FROM facts
ORDER BY id
