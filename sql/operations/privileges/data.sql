-- Privileges as data: rows that come with it

SELECT vrm_private.note_intended();
