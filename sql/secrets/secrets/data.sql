-- Sealed values and sealed columns: rows that come with it

-- First whatever was registered before: DROP EXTENSION ... CASCADE takes triggers and CHECKs.
SELECT vrm.seal_column(s.relation, s.column_name, s.per_subject)
FROM vrm_private.sealed_columns s
JOIN pg_class c ON c.oid = s.relation
JOIN pg_attribute a ON a.attrelid = s.relation AND a.attname = s.column_name AND NOT a.attisdropped;
