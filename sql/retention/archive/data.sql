-- The archive: filled, verified, read and taken back from: rows that come with it

SELECT vrm_private.make_archive_partitions();
