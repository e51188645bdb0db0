-- Logs of the application, by class and day: rows that come with it

SELECT vrm_private.make_log_partitions();
