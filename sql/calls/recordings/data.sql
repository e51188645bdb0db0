-- Recordings of calls, and their leaving the object store: rows that come with it

SELECT vrm.seal_column('vrm.call_recordings', 'data_key', true);
