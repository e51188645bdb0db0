-- What the platform holds of a person, for that person: rows that come with it

-- Of auth.users also what Supabase's has; what is not there is skipped, what the DBA has classed stays.
INSERT INTO vrm_private.column_classes (rel, column_name, class, names_person)
SELECT to_regclass(t.rel), c.name, c.class, coalesce(c.class = 'personal' AND c.name = t.person, false)
FROM (VALUES
    ('auth.users', 'id', '{id,email,email_confirmed_at,phone,phone_confirmed_at,last_sign_in_at,raw_user_meta_data,'
     'is_sso_user,is_anonymous,created_at,updated_at,deleted_at,invited_at,confirmed_at,confirmation_sent_at,'
     'recovery_sent_at,email_change,email_change_sent_at,phone_change,phone_change_sent_at,'
     'reauthentication_sent_at}',
     '{encrypted_password,confirmation_token,recovery_token,email_change_token_new,email_change_token_current,'
     'phone_change_token,reauthentication_token}', '{}',
     '{instance_id,aud,role,raw_app_meta_data,is_super_admin,banned_until,email_change_confirm_status}'),
    ('vrm.user_profiles', 'id', '{id,email,full_name,avatar_url,organization,role,mfa_enabled,last_login,'
     'login_attempts,locked_until,created_at,updated_at,deleted_at,is_organisation}', '{mfa_secret}', '{}', '{}'),
    ('vrm_private.account_locks', 'user_id', '{user_id,locked_until,locked_at}', '{}', '{locked_by}', '{reason}'),
    ('vrm_private.team_members', 'member_id', '{member_id,role,joined_at}', '{}', '{}', '{}'),
    ('vrm_private.team_members', 'user_id', '{user_id}', '{}', '{}', '{}'),
    -- of an organisation, and of whom it invites
    ('vrm_private.team_invitations', 'user_id', '{user_id,id,email,role,created_at,expires_at}', '{token_hash}',
     '{invited_by}', '{}'),
    ('vrm.agents', 'user_id', '{user_id,id,agent_id,agent_type,connection_details,direction,persona,scenario,'
     'created_at,updated_at,deleted_at}', '{}', '{}', '{}'),
    ('vrm.test_cases', 'user_id', '{user_id,id,name,user_persona,scenario,evaluator_metrics,is_shared,created_at,'
     'updated_at}',
     '{}', '{}', '{}'),
    ('vrm.test_runs', 'user_id', '{user_id,id,agent_id,test_case_ids,time_limit,outbound_call_params,status,'
     'started_at,completed_at,results,error,source,external_id,direction,outcome,ended_reason,cost,currency,'
     'agent_version}', '{}', '{}', '{results_sha256}'),
    ('vrm_private.test_runs_archive', 'user_id', '{user_id,id,agent_id,test_case_ids,time_limit,'
     'outbound_call_params,status,started_at,completed_at,results,error,archived_at,extra,source,external_id,'
     'direction,outcome,ended_reason,cost,currency,agent_version}', '{}', '{}',
     '{batch_id,results_sha256,packed_results}'),
    -- a shared case belongs to somebody else
    ('vrm.test_run_cases', 'user_id', '{user_id,run_id,position,case_id}', '{}', '{case_user_id}', '{}'),
    ('vrm.transcript_turns', 'user_id', '{user_id,run_id,id,speaker,message,at,end_ms,role,interrupted,latency}', '{}',
     '{}', '{}'),
    ('vrm.run_actions', 'user_id', '{user_id,run_id,id,action,status,at,arguments,result,ok,took}', '{}', '{}', '{}'),
    ('vrm.run_events', 'user_id', '{user_id,id,run_id,status,at}', '{}', '{}', '{xid}'),
    ('vrm.call_imports', 'user_id', '{user_id,id,source,external_id,payload,raw,agent_id,state,reason,note,run_id,'
     'clock,sets,received_at}', '{}', '{}', '{}'),
    ('vrm_private.call_words', 'user_id', '{user_id,run_id,config}', '{}', '{}', '{words}'),
    ('vrm_private.search_queue', NULL, '{}', '{}', '{}', '{user_id,run_id}'),
    ('vrm_private.search', NULL, '{}', '{}', '{}', '{id,enabled}'),
    ('vrm.search_configs', 'user_id', '{user_id,agent_id,config}', '{}', '{}', '{}'),
    ('vrm.import_words', 'user_id', '{user_id,source,field,word,seen,last_at}', '{}', '{}', '{}'),
    ('vrm.metrics', 'user_id', '{user_id,id,name,prompt,created_at,updated_at}', '{}', '{}', '{}'),
    ('vrm.metric_results', 'user_id', '{user_id,metric_id,run_id,score,passed,rationale,at,case_id,judge,is_person}',
     '{}', '{}', '{}'),
    ('vrm.agent_versions', 'user_id', '{user_id,agent_id,version,agent_type,connection_details,direction,persona,'
     'scenario,created_at}', '{}', '{}', '{}'),
    ('vrm.suites', 'user_id', '{user_id,id,name,case_ids,repeats,metrics,min_pass_rate,min_pass_hat_k,'
     'max_answering_time,created_at,updated_at}', '{}', '{}', '{}'),
    ('vrm.suite_runs', 'user_id', '{user_id,id,suite_id,name,agent_id,agent_version,repeats,min_pass_rate,'
     'min_pass_hat_k,max_answering_time,started_at}', '{}', '{}', '{}'),
    ('vrm.suite_run_cases', 'user_id', '{user_id,suite_run_id,position,case_id,name,user_persona,scenario,metrics}',
     '{}', '{}', '{}'),
    ('vrm.suite_calls', 'user_id', '{user_id,suite_run_id,position,repeat,run_id,status,passed,score,duration_ms,'
     'answering_time,failed_checks,failed_metrics}', '{}', '{}', '{}'),
    ('vrm.run_queue', 'user_id', '{user_id,run_id,attempts}', '{}', '{}', '{}'),
    ('vrm.run_leases', 'user_id', '{user_id,run_id,runner,attempts,claimed_at,lease_until}', '{}', '{}', '{}'),
    ('vrm.agent_thresholds', 'user_id', '{user_id,id,agent_id,measure,comparison,compared_with,threshold,min_calls,'
     'enabled,created_at,updated_at}', '{}', '{}', '{}'),
    ('vrm.agent_alerts', 'user_id', '{user_id,id,threshold_id,agent_id,measure,value,allowed,calls,since,resolved_at}',
     '{}', '{}', '{}'),
    ('vrm.api_keys', 'user_id', '{user_id,id,service,key_hint,description,created_at,last_used_at}', '{key}', '{}',
     '{}'),
    ('vrm.api_key_uses', 'user_id', '{user_id,id,api_key_id,service,used_at}', '{}', '{}', '{used_by}'),
    ('vrm.call_recordings', 'user_id', '{user_id,id,run_id,object_key,bytes,sha256,recorded_at,keep}',
     '{data_key}', '{}', '{}'),
    ('vrm_private.object_purges', 'user_id', '{user_id,object_key,queued_at}', '{}', '{}', '{id,claimed_until,'
     'attempts}'),
    ('vrm.call_facts', 'user_id', '{user_id,id,agent_id,started_at,status,duration_ms,sentiment,actions,outcome,'
     'outcome_kind,cost_micros,currency,agent_ms,customer_ms,interruptions,tool_calls,tool_failures}', '{}',
     '{}',
     '{customer,bad,answers}'),
    ('vrm.call_rollup', 'user_id', '{user_id,grain,bucket,agent_id}', '{}', '{}', '{stats}'),
    ('vrm.cached_results', 'user_id', '{user_id,query,result,made_at}', '{}', '{}', '{last_event,snapshot,made_by}'),
    ('vrm.logs', 'user_id', '{class,at,level,user_id,message,data}', '{}', '{}', '{}'),
    -- changed rows may be those of others; who did something to a person is about another person
    ('vrm.audit_log', NULL, '{class,at,id,action,relation,detail}', '{}', '{actor,old,new,acting_for}',
     '{xid,era,db_role}'),
    ('vrm_private.audit_journal', NULL, '{at,id,action,detail}', '{}', '{actor}', '{db_role}'),
    ('vrm_private.audit_journal_count', NULL, '{}', '{}', '{}', '{number}'),
    ('vrm_private.sessions', 'user_id', '{user_id,id,aal,client_ip,user_agent,created_at,refreshed_at,revoked_at}',
     '{}', '{}', '{}'),
    ('vrm_private.refresh_tokens', 'user_id', '{user_id,session_id,counter}', '{token_hash}', '{}', '{}'),
    ('vrm_private.email_changes', 'user_id', '{user_id,old_email,new_email,requested_at,confirmed_at}',
     '{token_hash,password_generation}', '{}', '{}'),
    ('vrm_private.linked_identities', 'user_id', '{user_id,issuer,subject,linked_at}', '{}', '{}', '{}'),
    ('vrm_private.recovery_requests', NULL, '{email,requested_at}', '{}', '{}', '{id}'),
    ('vrm_private.devices', 'user_id', '{user_id,id,expires_at,created_at}', '{password_generation}', '{}', '{}'),
    ('vrm_private.mfa_tickets', 'user_id', '{user_id,user_agent,expires_at,device_id}',
     '{token_hash,password_generation}', '{}', '{}'),
    ('vrm_private.recovery_codes', 'user_id', '{user_id}', '{code_hash}', '{}', '{}'),
    ('vrm_private.password_reset_tokens', 'user_id', '{user_id,id,expires_at,created_at}', '{token_hash}', '{}',
     '{}'),
    ('vrm_private.retry_keys', 'user_id', '{user_id,key,function,answer,made_at}', '{}', '{}', '{actor_id,arguments}'),
    ('vrm_private.sign_ups', NULL, '{email,full_name,requested_at}', '{password_hash,token_hash}', '{}',
     '{id,account_id}'),
    ('vrm_private.password_reset_requests', NULL, '{email,requested_at}', '{}', '{}', '{id}'),
    ('vrm_private.deleted_accounts', 'user_id', '{user_id,email,requested_at,token_expires_at}', '{token_hash}',
     '{requested_by}',
     '{banned_until}'),
    ('vrm_private.subject_keys', 'subject', '{subject,created_at}', '{salt}', '{}', '{}'),
    -- of nobody, or for those who keep the database
    ('vrm.live_runs', NULL, '{}', '{}', '{}', '{user_id,run_id}'),
    ('vrm.call_dirty', NULL, '{}', '{}', '{}', '{user_id,id,day,quarter}'),
    ('vrm_private.legal_holds', NULL, '{}', '{}', '{}', '{hold_id,reason,user_id,agent_id,run_id,started,placed_by,'
     'placed_at,released_by,released_at}'),
    ('vrm_private.erasure_ledger', NULL, '{}', '{}', '{}', '{id,user_id,relation,row_count,reason,erased_by,'
     'erased_at}'),
    ('vrm.quality_run', NULL, '{}', '{}', '{}', '{id,check_name,relation,severity,failed,total,sample_keys,error,'
     'at}'),
    ('vrm.quality_check', NULL, '{}', '{}', '{}', '{name,rel,kind,severity,columns,expression,refers_to,'
     'refers_columns,max_age,every,enabled,hint,origin,registered_by,constraint_name}'),
    ('vrm.call_outcomes', NULL, '{}', '{}', '{}', '{name,kind,description}'),
    ('vrm.speaker_roles', NULL, '{}', '{}', '{}', '{speaker,role}'),
    ('vrm.test_case_templates', NULL, '{}', '{}', '{}', '{name,user_persona,scenario,evaluator_metrics,enabled}'),
    ('vrm.lockout_policy', NULL, '{}', '{}', '{}', '{kind,threshold,attempt_window,base_lock,factor,max_lock,'
     'consecutive_cap,reservation}'),
    ('vrm.retention_policies', NULL, '{}', '{}', '{}', '{name,keep,min_keep,enabled,every,batch_rows,batch_target,'
     'nice_ratio,max_lag,max_runtime,note,referenced}'),
    ('vrm.retention_refused', NULL, '{}', '{}', '{}', '{policy,row_key,relation,person_id,sqlstate,message,run_id,'
     'attempts,first_refused_at,last_refused_at}'),
    ('vrm.retention_runs', NULL, '{}', '{}', '{}', '{run_id,policy,state,cutoff,as_of,started_at,last_batch_at,'
     'finished_at,pid,backend_start,estimated_rows,rows_done,rows_busy,bytes_done,batches,retries,stop_requested,'
     'error}'),
    ('vrm.alert_history', NULL, '{}', '{}', '{}', '{id,alert,severity,metric,labels,value,threshold,since,'
     'resolved_at}'),
    ('vrm.alert_threshold', NULL, '{}', '{}', '{}', '{alert,metric,comparison,threshold,hold,severity,enabled,'
     'summary,hint,fix_sql}'),
    ('vrm.monitoring_metrics', NULL, '{}', '{}', '{}', '{name,family,type,labels,help,enabled}'),
    ('vrm.storage_samples', NULL, '{}', '{}', '{}', '{path,day,at,used_bytes,free_bytes}'),
    ('vrm.backups', NULL, '{}', '{}', '{}', '{source,label,kind,started_at,finished_at,bytes,failed,recorded_at,'
     'expired_at,repository,archived,parent,start_lsn,parent_lsn}'),
    ('vrm_private.archived_stretches', NULL, '{}', '{}', '{}', '{since,until,seen_at,archived_until,timeline,'
     'system_identifier}'),
    ('vrm_private.archive_positions', NULL, '{}', '{}', '{}', '{system_identifier,seen_at,until,archived_until}'),
    ('vrm_private.archive_gaps', NULL, '{}', '{}', '{}', '{source,repository,timeline,lost_from,lost_until,listed_at}'),
    ('vrm.backup_runs', NULL, '{}', '{}', '{}', '{id,tool,started_at,finished_at,exit_code}'),
    ('vrm.maintenance_failures', NULL, '{}', '{}', '{}', '{step,sqlstate,message,since,last_at,failures}'),
    ('vrm.backup_repositories', NULL, '{}', '{}', '{}', '{source,repository,problem,recorded_at}'),
    ('vrm.restore_drills', NULL, '{}', '{}', '{}', '{id,started_at,finished_at,verified,backup,target,note,'
     'recorded_at}'),
    ('vrm.restore_points', NULL, '{}', '{}', '{}', '{name,label,made_at,lsn,wal_file,archived_at}'),
    ('vrm_private.fingerprints', NULL, '{}', '{}', '{}', '{restore_point,relation,row_count,digest}'),
    ('vrm_private.hold_changes', NULL, '{}', '{}', '{}', '{id,changed_at}'),
    ('vrm_private.clock', NULL, '{}', '{}', '{}', '{id,seen_at}'),
    ('vrm.service_objectives', NULL, '{}', '{}', '{}', '{objective,metric,target,within_seconds,least_events,enabled,'
     'summary,hint}'),
    ('vrm_private.call_totals', NULL, '{}', '{}', '{}', '{name,labels,value}'),
    ('vrm_private.call_totals_state', NULL, '{}', '{}', '{}', '{id,counted_until,system_identifier}'),
    ('vrm_private.monitoring_state', NULL, '{}', '{}', '{}', '{id,sampled_at}'),
    ('vrm_private.archive_manifest', NULL, '{}', '{}', '{}', '{batch_id,run_id,row_count,archived_at,oldest,newest,'
     'bytes,columns,rows_sha256,chain_sha256,purged_at}'),
    ('vrm_private.archive_dictionaries', NULL, '{}', '{}', '{}', '{dictionary,content,content_sha256,tenants_at_least,'
     'tenants,messages,made_at}'),
    ('vrm.cold_archive', NULL, '{}', '{}', '{}', '{partition_name,low,high,calls,lines_sha256,batches,exported_at,'
     'imported_at}'),
    ('vrm.archive_compressions', NULL, '{}', '{}', '{}', '{partition_name,dictionary,row_count,packed_rows,'
     'bytes_before,bytes_after,began_at,finished_at}'),
    ('vrm_private.archive_removals', NULL, '{}', '{}', '{}', '{batch_id,row_sha256,reason,removed_at}'),
    ('vrm_private.audit_seals', NULL, '{}', '{mac}', '{}', '{id,sealed_at,class,system,era,horizon,entries,root,'
     'ids,leaves,ceiling,journaled}'),
    ('vrm_private.jwt_keys', NULL, '{}', '{secret}', '{}', '{kid,algorithm,public_key,issuer,audience,'
     'created_at}'),
    ('vrm_private.token_keys', NULL, '{}', '{private_key}', '{}', '{kid,created_at}'),
    ('vrm_private.keyring', NULL, '{}', '{wrapped}', '{}', '{key_id,purpose,state,kek_id,created_at,switched_xid,'
     'destroyed_at}'),
    ('vrm_private.key_rotations', NULL, '{}', '{}', '{}', '{key_id,column_id,last_key,rows_done,rows_left,started_at,'
     'updated_at,finished_at}'),
    ('vrm_private.lockout_secret', NULL, '{}', '{secret}', '{}', '{id}'),
    ('vrm_private.sealed_contexts', NULL, '{}', '{}', '{}', '{relation,column_name,context}'),
    ('vrm_private.sealed_columns', NULL, '{}', '{}', '{}', '{column_id,relation,column_name,per_subject}'),
    ('vrm_private.column_classes', NULL, '{}', '{}', '{}', '{rel,column_name,class,names_person}'),
    ('vrm_private.intended', NULL, '{}', '{}', '{}', '{kind,object,name,definition,noted_by}'),
    ('vrm_private.platform_history', NULL, '{}', '{}', '{}', '{id,version,at}')
    ) AS t (rel, person, personal, secret, third_party, system)
CROSS JOIN LATERAL (
    SELECT unnest(t.personal::name[]), 'personal' UNION ALL SELECT unnest(t.secret::name[]), 'secret'
    UNION ALL SELECT unnest(t.third_party::name[]), 'third_party' UNION ALL SELECT unnest(t.system::name[]), 'system'
    ) AS c (name, class)
WHERE EXISTS (SELECT FROM pg_attribute a
              WHERE a.attrelid = to_regclass(t.rel) AND a.attname = c.name AND NOT a.attisdropped)
ON CONFLICT ON CONSTRAINT column_classes_pkey DO NOTHING;

-- An unclassed column would be left out in silence.
INSERT INTO vrm.quality_check AS q (name, rel, kind, columns, expression, hint, origin)
VALUES ('vrm.export_inventory/required/class', 'vrm.export_inventory', 'required', '{relation,column_name}',
        'class IS NOT NULL', 'SELECT fix FROM vrm.export_inventory WHERE class IS NULL;', 'platform')
ON CONFLICT ON CONSTRAINT quality_check_pkey DO UPDATE
SET rel = excluded.rel WHERE q.origin = 'platform' AND q.rel <> excluded.rel;
